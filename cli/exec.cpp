// exec: a command on many nodes, live.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "cli/exec_run.hpp"
#include "cli/node.hpp"
#include "cli/nouns.hpp"
#include "cli/payload.hpp"
#include "cli/print.hpp"
#include "common/handle/child.hpp"

namespace muster::cli {
namespace {

constexpr Command::Text exec_text = {
    .name = "exec",
    .arguments = "[options] COMMAND...   or   [options] -",
    .about =
        "Runs a command on every node, or on those that -node, -service and -tag choose, and prints what\n"
        "it writes as it comes, each line labelled, and at the end how it ended where. The words are joined\n"
        "by blanks for the node's shell; with -shell=false they are a program and its arguments. `-` reads\n"
        "a script from stdin. A command finds the broker in MUSTER_BROKER and itself in MUSTER_NODE and\n"
        "MUSTER_JOB. Ctrl-C ends it everywhere, descendants too.\n\n"
        "Exit: 0 all ended with 0; 2 some did not; 68 no such node; 124 -timeout; 125 nodes were lost;\n"
        "130 Ctrl-C.",
    .examples =
        "  muster exec uptime\n"
        "  muster exec -node='^web' -timeout=30s 'apt-get -q update'\n"
        "  muster exec -service=web -shell=false systemctl reload nginx\n"
        "  muster exec - < script.sh\n"
        "  muster exec -raw web1 'tar c /etc' > web1.tar\n",
    .place = Place::before_arguments};

/// Errors: invalid, as Consul words it.
Result<proto::exec::Command> command_of(const std::vector<std::string>& words, Shell shell) {
  const bool script = words.size() == 1 && words[0] == "-";
  if (script && shell == Shell::no)
    return Error{Code::invalid, "Cannot configure -shell=false when reading from stdin"};
  proto::exec::Command command;
  if (script) {
    Result<std::string> text = read_stdin(limits::command_bytes_max);
    if (!text) return text.error();
    command.script = Bytes(*std::move(text));
  } else if (shell == Shell::yes) {
    command.line = fmt::format("{}", fmt::join(words, " "));
  } else {
    command.args = words;
  }
  const bool empty = command.line.empty() && command.args.empty() && command.script.empty();
  if (empty) return Error{Code::invalid, "Must specify a command to execute"};
  return command;
}

Exit exec(Arguments words) {
  Command command(exec_text);
  ExecOrder order;
  bool shell = true;
  bool verbose = false;
  Duration timeout{0};
  add_target(command, order.run.target);
  command.flag("shell", shell,
               "give the words to a shell; -shell=false: they are a program and its arguments");
  command.flag("verbose", verbose, "say more of what happens");
  command.text("raw", order.raw_node,
               "only this node's stdout, byte for byte; everything else to stderr", "NODE");
  command.duration("timeout", timeout, "end the command on a node after so long");
  command.without_effect({"wait", "wait-repl", "prefix"}, Takes::value);
  if (const auto exit = command.parse(words)) return *exit;
  Result<proto::exec::Command> what =
      command_of(command.arguments(), shell ? Shell::yes : Shell::no);
  if (!what) return command.misuse_as_consul(what.error().message);
  if (!order.run.target.tag.empty() && order.run.target.service.empty()) {
    return command.misuse_as_consul("Cannot provide tag filter without service filter.");
  }
  order.run.command = *std::move(what);
  order.run.timeout_ms =
      static_cast<std::uint64_t>(std::chrono::ceil<milliseconds>(timeout).count());
  order.run.credit = ExecFlow::first;
  if (!order.raw_node.empty()) order.show = Show::raw;
  else if (verbose) order.show = Show::verbose_lines;
  return ExecRun(command.surroundings(), std::move(order)).run();
}

}  // namespace

constinit const Noun exec_noun = {
    .name = "exec", .about = "run a command on many nodes", .usual = &exec};

}  // namespace muster::cli
