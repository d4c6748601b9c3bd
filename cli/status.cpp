// status: what the broker says about itself, and who waits for what.
#include <fmt/format.h>

#include "cli/duration.hpp"
#include "cli/format.hpp"
#include "cli/inquiry.hpp"
#include "cli/nouns.hpp"
#include "cli/print.hpp"
#include "common/protocol/admin.hpp"

namespace muster::cli {
namespace {

using proto::admin::State;

constexpr Command::Text status_text = {.name = "status",
                                       .arguments = "[options]",
                                       .about =
                                           "Says which broker answers, how far its log and its "
                                           "checkpoints are, what it has counted, and who\n"
                                           "waits for what since when.",
                                       .examples =
                                           "  muster status\n"
                                           "  muster status -format=json | jq .counters\n"};

Duration ago(std::uint64_t ms) { return milliseconds(static_cast<std::int64_t>(ms)); }

std::string text_of(const State& state, std::string_view broker) {
  constexpr std::string_view row = "{:<14}{}\n";
  std::string out;
  out += fmt::format(row, "broker", broker);
  out += fmt::format(row, "version", state.version);
  out += fmt::format(row, "cluster", state.cluster_id);
  out += fmt::format(row, "history", state.history);
  out += fmt::format(row, "epoch", state.epoch.value);
  out += fmt::format(row, "up for", format_age(ago(state.uptime_ms)));
  out += fmt::format(row, "revision", state.rev.value);
  out += fmt::format(row, "log",
                     fmt::format("{} to {}, checkpointed to {}", state.log_first.value,
                                 state.seq.value, state.checkpointed.value));
  out += fmt::format(row, "kept from", fmt::format("revision {}", state.trim_floor.value));
  out += fmt::format(row, "writes", state.writes);
  out += "\n";
  std::vector<std::vector<std::string>> counters;
  for (const auto& [name, count] : state.counters)
    counters.push_back({name, fmt::format("{}", count)});
  out += format_table({"Counter", "Value"}, counters);
  if (state.waiting.empty()) return out;
  std::vector<std::vector<std::string>> waiting;
  for (const proto::admin::Waiting& w : state.waiting) {
    waiting.push_back({w.who, w.verb, w.what, format_age(ago(w.since_ms))});
  }
  return out + "\n" + format_table({"Who waits", "Verb", "For", "Since"}, waiting);
}

Json json_of(const State& state) {
  Json waiting = Json::array();
  for (const proto::admin::Waiting& w : state.waiting) {
    waiting.push_back(
        {{"who", w.who}, {"verb", w.verb}, {"what", w.what}, {"since_ms", w.since_ms}});
  }
  return {{"version", state.version},
          {"cluster_id", state.cluster_id},
          {"history", state.history},
          {"epoch", state.epoch.value},
          {"rev", state.rev.value},
          {"seq", state.seq.value},
          {"checkpointed", state.checkpointed.value},
          {"log_first", state.log_first.value},
          {"trim_floor", state.trim_floor.value},
          {"writes", state.writes},
          {"uptime_ms", state.uptime_ms},
          {"counters", state.counters},
          {"waiting", waiting}};
}

Exit status(Arguments words) {
  Command command(status_text);
  Format format = Format::table;
  command.timeout();
  command.format(format);
  if (const auto exit = command.parse(words)) return *exit;
  if (!command.arguments().empty()) return command.misuse("takes no arguments");
  Inquiry broker(command.surroundings());
  const Result<State> state = broker.ask(proto::admin::Status{});
  if (!state) return broker.report("muster status: ", state.error());
  if (format == Format::table) print(text_of(*state, command.surroundings().broker));
  if (format == Format::json) print_line(indented(json_of(*state)));
  if (format == Format::jsonl) print_line(compact(json_of(*state)));
  return Exit::ok;
}

}  // namespace

constinit const Noun status_noun = {
    .name = "status", .about = "the broker's state, and who waits for what", .usual = &status};

}  // namespace muster::cli
