// lock: run a program while holding a lock; list and show locks.
#include <algorithm>
#include <array>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "cli/lock_list.hpp"
#include "cli/lock_run.hpp"
#include "cli/nouns.hpp"
#include "cli/print.hpp"

namespace muster::cli {
namespace {

constexpr Command::Text run_text = {
    .name = "lock",
    .arguments = "[run] [options] NAME COMMAND...",
    .about =
        "Waits for the lock NAME, in the order of asking, runs COMMAND while holding it, and lets it go when\n"
        "COMMAND and every process of it have ended. With -n=2 two may hold it at a time, and so on. The\n"
        "words are joined by blanks for $SHELL -c; with -shell=false they are a program and its arguments.\n\n"
        "If the lock is lost (the broker was away for too long), COMMAND is ended before somebody else can\n"
        "have it. If `muster lock` is killed, even by -9, COMMAND is ended first and then the lock goes on.\n"
        "COMMAND has in its environment MUSTER_LOCK, MUSTER_LOCK_TOKEN (a number that grows with each\n"
        "grant: a resource that refuses smaller ones than it has seen is safe), MUSTER_SESSION,\n"
        "MUSTER_FENCE (`muster` sends it with what it writes, and the broker refuses it once the lock is\n"
        "lost: exit 9), MUSTER_BROKER, and CONSUL_LOCK_HELD=true.\n\n"
        "Exit: COMMAND's own, 128+n if signal n ended it; before it has started 6: not acquired in time,\n"
        "7: the lock has another limit now, 128+n: signal n.",
    .examples =
        "  muster lock deploy ./deploy.sh\n"
        "  muster lock -n=5 svc/pool ./service\n"
        "  muster lock -timeout=30s backup 'tar c /srv > /backup/srv.tar'\n"
        "  muster lock run list ./x        locks a thing named list\n"
        "  muster lock list\n",
    .place = Place::before_arguments};

struct LockOptions {
  std::uint64_t limit = 1;
  Duration wait{0};
  Duration ttl = limits::session_ttl_default;
  std::string name;
  bool pass_stdin = false;
  bool shell = true;
  bool verbose = false;
};

std::optional<std::string> wrong(const Command& command, const LockOptions& options) {
  if (command.arguments().size() < 2) return "Key prefix and child command must be specified";
  if (options.limit == 0) return "Lock holder limit must be positive";
  if (options.limit > limits::lock_limit_max)
    return fmt::format("-n is at most {}", limits::lock_limit_max);
  if (options.ttl < limits::session_ttl_min || options.ttl > limits::session_ttl_max) {
    return "-ttl is between 1s and 24h";
  }
  return std::nullopt;
}

Exit run(Arguments words) {
  Command command(run_text);
  LockOptions options;
  command.number("n", options.limit, "how many may hold it at a time; default 1");
  command.duration("timeout", options.wait, "give up after so long, exit 6; default: never");
  command.duration("try", options.wait, "the same");
  command.duration("ttl", options.ttl,
                   "how long the lock outlives a machine that falls silent; default 15s");
  command.text("name", options.name, "the session's name, for people");
  command.flag("pass-stdin", options.pass_stdin, "COMMAND reads our stdin");
  command.flag("shell", options.shell,
               "give the words to a shell; -shell=false: they are a program and its arguments");
  command.flag("verbose", options.verbose, "say what happens");
  command.without_effect({"child-exit-code"}, Takes::nothing);
  command.without_effect({"monitor-retry"}, Takes::value);
  if (const auto exit = command.parse(words)) return *exit;
  if (const auto what = wrong(command, options)) return command.misuse_as_consul(*what);
  std::string name = command.arguments()[0];
  if (name.starts_with('/')) name.erase(0, 1);
  const Arguments rest = Arguments(command.arguments()).subspan(1);
  const std::string line = fmt::format("{}", fmt::join(rest, " "));
  LockOrder order{.name = name,
                  .limit = static_cast<std::uint32_t>(options.limit),
                  .wait = std::nullopt,
                  .session_name = codec::shortened(
                      options.name.empty() ? fmt::format("muster lock for '{}' at '{}'", line, name)
                                           : options.name,
                      limits::name_bytes_max),
                  .ttl = options.ttl,
                  .program = program_of(rest, options.shell ? Shell::yes : Shell::no),
                  .command = codec::shortened(line, limits::key_bytes_max),
                  .input = options.pass_stdin ? os::Stream::inherit : os::Stream::null,
                  .talk = options.verbose ? Talk::verbose : Talk::silent};
  if (options.wait > Duration(0)) order.wait = options.wait;
  return LockRun(command.surroundings(), std::move(order)).run();
}

constexpr std::array verbs = {
    Verb{"run", &run, "run a program while holding a lock (the verb may be left out)"},
    Verb{"list", &list_locks, "which locks are held or waited for"},
    Verb{"show", &show_lock, "who holds one, and who waits, in order"},
};

}  // namespace

constinit const Noun lock_noun = {
    .name = "lock", .about = "run a program while holding a lock", .verbs = verbs, .usual = &run};

}  // namespace muster::cli
