// job: what `muster exec` has run.
#include <algorithm>
#include <array>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "cli/duration.hpp"
#include "cli/exec_lines.hpp"
#include "cli/format.hpp"
#include "cli/inquiry.hpp"
#include "cli/nouns.hpp"
#include "cli/print.hpp"
#include "common/protocol/exec.hpp"

namespace muster::cli {
namespace {

using proto::exec::Job;
using proto::exec::Outcome;

constexpr std::size_t command_shown = 60;

std::string command_of(const Job& job) {
  if (!job.command.line.empty()) return job.command.line;
  if (!job.command.args.empty()) return fmt::format("{}", fmt::join(job.command.args, " "));
  return "(script)";
}

/// One line of at most so many bytes, cut between characters.
std::string shortened(std::string text) {
  std::replace_if(
      text.begin(), text.end(), [](char c) { return c >= 0 && c < ' '; }, ' ');
  if (text.size() <= command_shown) return text;
  std::size_t length = command_shown - 3;
  while (length > 0 && (text[length] & 0xC0) == 0x80) --length;
  return text.substr(0, length) + "...";
}

bool under_way(const Outcome& task) { return task.state == "running" || task.state == "launched"; }

/// "3 ok", "2 ok, 1 failed, 1 running"
std::string summary_of(const Job& job) {
  std::size_t ok = 0;
  std::size_t running = 0;
  for (const Outcome& task : job.tasks) {
    if (under_way(task)) ++running;
    else if (exit_of(std::span(&task, 1)) == Exit::ok) ++ok;
  }
  std::string out = fmt::format("{} ok", ok);
  if (const std::size_t failed = job.tasks.size() - ok - running; failed > 0)
    out += fmt::format(", {} failed", failed);
  if (running > 0) out += fmt::format(", {} running", running);
  return out;
}

Json json_of(const Outcome& task) {
  return {{"node", task.node},
          {"state", task.state},
          {"code", task.code},
          {"signal", task.signal},
          {"duration_ms", task.duration_ms},
          {"out_bytes", task.out_bytes},
          {"err_bytes", task.err_bytes},
          {"message", task.message},
          {"late", task.late}};
}

Json json_of(const Job& job) {
  Json tasks = Json::array();
  for (const Outcome& task : job.tasks) tasks.push_back(json_of(task));
  return {{"id", job.id},
          {"rev", job.rev.value},
          {"author", job.author},
          {"time_ms", job.time_ms},
          {"state", job.state},
          {"command", command_of(job)},
          {"target",
           {{"node", job.target.node},
            {"service", job.target.service},
            {"tag", job.target.tag},
            {"names", job.target.names}}},
          {"timeout_ms", job.timeout_ms},
          {"tasks", tasks}};
}

constexpr Command::Text list_text = {.name = "job list",
                                     .arguments = "[options]",
                                     .about = "Lists the jobs that are kept, newest first.",
                                     .examples =
                                         "  muster job list\n"
                                         "  muster job list -last=5 -format=json\n"};

Exit list(Arguments words) {
  Command command(list_text);
  Format format = Format::table;
  proto::exec::List request;
  command.timeout();
  command.format(format);
  command.number("last", request.last, "only the newest so many");
  if (const auto exit = command.parse(words)) return *exit;
  if (!command.arguments().empty())
    return command.misuse("takes no arguments (muster job show ID shows one)");
  Inquiry broker(command.surroundings());
  const auto found = broker.ask(request);
  if (!found) return broker.report("muster job list: ", found.error());
  Listing listing{
      .header = {"Job", "Time", "State", "Nodes", "Author", "Command"}, .rows = {}, .objects = {}};
  for (const Job& job : found->jobs) {
    listing.rows.push_back({job.id, format_time(job.time_ms), job.state, summary_of(job),
                            job.author.empty() ? "-" : job.author, shortened(command_of(job))});
    listing.objects.push_back(json_of(job));
  }
  print(format_listing(listing, format));
  return Exit::ok;
}

void print_job(const Job& job) {
  constexpr std::string_view row = "{:<10}{}\n";
  print(fmt::format(row, "job", job.id));
  print(fmt::format(row, "time", format_time(job.time_ms)));
  print(fmt::format(row, "author", job.author));
  print(fmt::format(row, "state", job.state));
  print(fmt::format(row, "command", command_of(job)));
  print("\n");
  std::vector<std::vector<std::string>> rows;
  for (const Outcome& task : job.tasks) {
    const std::string end =
        under_way(task) ? "" : ending_line(task).substr(fmt::format("==> {}: ", task.node).size());
    rows.push_back({task.node, task.late ? task.state + " (late)" : task.state,
                    format_duration(milliseconds(static_cast<std::int64_t>(task.duration_ms))),
                    fmt::format("{}", task.out_bytes), fmt::format("{}", task.err_bytes), end});
  }
  print(format_table({"Node", "State", "Took", "Stdout", "Stderr", "How"}, rows));
}

constexpr Command::Text show_text = {
    .name = "job show",
    .arguments = "[options] ID",
    .about = "Shows a job and how it ended on each node.",
    .examples = "  muster job show 5f0c9a52-3e1f-4f0e-9f3b-0a5c8e1d2b7a\n"};

Exit show(Arguments words) {
  Command command(show_text);
  Format format = Format::table;
  command.timeout();
  command.format(format);
  if (const auto exit = command.parse(words)) return *exit;
  if (command.arguments().size() != 1) return command.misuse("takes one ID");
  Inquiry broker(command.surroundings());
  const auto found = broker.ask(proto::exec::List{.id = command.arguments()[0]});
  if (!found) return broker.report("muster job show: ", found.error());
  for (const Job& job : found->jobs) {
    if (format == Format::table) print_job(job);
    if (format == Format::json) print_line(indented(json_of(job)));
    if (format == Format::jsonl) print_line(compact(json_of(job)));
  }
  return Exit::ok;
}

constexpr Command::Text cancel_text = {
    .name = "job cancel",
    .arguments = "[options] ID",
    .about =
        "Ends every process of a job on every node, descendants too. Returns when the broker has "
        "noted\n"
        "it; `muster job show ID` says how each node ended.",
    .examples = "  muster job cancel 5f0c9a52-3e1f-4f0e-9f3b-0a5c8e1d2b7a\n"};

Exit cancel(Arguments words) {
  Command command(cancel_text);
  command.timeout();
  if (const auto exit = command.parse(words)) return *exit;
  if (command.arguments().size() != 1) return command.misuse("takes one ID");
  Inquiry broker(command.surroundings());
  const auto cancelled = broker.ask(proto::exec::Cancel{.job = command.arguments()[0]});
  if (!cancelled) return broker.report("muster job cancel: ", cancelled.error());
  print_line(fmt::format("Cancelled job: {}", command.arguments()[0]));
  return Exit::ok;
}

constexpr std::array verbs = {
    Verb{"list", &list, "what was run, newest first"},
    Verb{"show", &show, "one job, node by node"},
    Verb{"cancel", &cancel, "end every process of a job"},
};

}  // namespace

constinit const Noun job_noun = {.name = "job", .about = "what exec has run", .verbs = verbs};

}  // namespace muster::cli
