// process: real commands in a reactor: read as far as allowed, told once how they ended.
#include "node/process.hpp"

#include <algorithm>
#include <array>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <sys/wait.h>

#include "test/support/catch.hpp"
#include "test/support/temporary.hpp"

namespace muster::node {
namespace {

/// A process and what it has told.
struct Run {
  explicit Run(const proto::exec::Command& command, std::size_t allowed = 0) {
    while (::waitpid(-1, nullptr, 0) > 0) continue;  // what daemons of other tests have left
    auto started = Process::start(reactor, {.job = "j", .command = command, .kill_grace_ms = 300},
                                  os::environment_with({}), events());
    REQUIRE(started);
    process = std::move(*started);
    for (const std::uint64_t stream : {1U, 2U}) process->allow(stream, allowed);
  }

  Process::Events events() {
    return {.started = [this] { told += "started "; },
            .refused = [this](const std::string& why) { told += "refused: " + why; },
            .output =
                [this](std::uint64_t stream, std::string_view bytes) {
                  longest = std::max(longest, bytes.size());
                  text.at(stream - 1) += bytes;
                },
            .ended_stream = [this](std::uint64_t) { ++ended; },
            .exited =
                [this](const Ending& end) {
                  told += "exited ";
                  ending = end;
                }};
  }
  template <typename Condition>
  void until(Condition condition) {
    const auto how = reactor.run_until(BootClock::now() + seconds(20), condition);
    REQUIRE(how == net::Ended::satisfied);
  }
  void until_over() {
    until([this] { return ending && ended == 2; });
  }

  net::Reactor reactor;
  std::unique_ptr<Process> process;
  std::string told;
  std::array<std::string, 2> text;
  std::size_t longest = 0;
  int ended = 0;
  std::optional<Ending> ending;
};

bool has_child() { return ::waitpid(-1, nullptr, WNOHANG) >= 0; }

TEST_CASE("process: output of both streams comes whole, in pieces as allowed", "[node]") {
  Run run({.line = "head -c 300000 /dev/zero; echo oops >&2; exit 3"}, 1000);
  run.until_over();
  CHECK(run.text[0] == std::string(300000, '\0'));
  CHECK(run.text[1] == "oops\n");
  CHECK(run.longest <= 1000);
  CHECK(run.told == "started exited ");
  CHECK(run.ending->code == 3);
  CHECK_FALSE(has_child());
}

TEST_CASE("process: without credit nothing is read, and nothing is lost", "[node]") {
  Run run({.line = "echo kept"});
  run.until([&] { return run.ending.has_value(); });
  CHECK(run.text[0].empty());
  CHECK(run.ended == 1);  // stderr: an end needs no credit
  run.process->allow(1, 100);
  run.until_over();
  CHECK(run.text[0] == "kept\n");
}

// Whoever heard of the refusal let go of the process, and its supervisor stayed as a zombie.
TEST_CASE("process: a command that cannot be run is refused, that is all, and no zombie stays",
          "[node]") {
  Run run({.args = {"/no/such/program"}});
  run.until([&] { return !run.told.empty(); });
  CHECK(run.told == "refused: cannot be run: No such file or directory");
  CHECK_FALSE(run.ending);
  CHECK_FALSE(has_child());
}

TEST_CASE("process: end ends every process, and tells by which signal", "[node]") {
  Run run({.line = "(setsid sleep 1000 &); exec sleep 1000"}, 1000);
  run.until([&] { return run.told == "started "; });
  run.process->end();
  run.until_over();
  CHECK(run.ending->signal == SIGTERM);
  CHECK_FALSE(has_child());
}

TEST_CASE("process: a process left behind that holds the output open does not hold the task up",
          "[node]") {
  Run run({.line = "sleep 1000 & echo $!"}, 1000);
  run.until_over();
  const pid_t left = std::stoi(run.text[0]);
  CHECK(::kill(left, SIGKILL) == 0);
}

TEST_CASE("process: a script runs by its own interpreter or the shell, and is removed", "[node]") {
  const test::TemporaryFolder folder;
  const char* before = std::getenv("TMPDIR");
  const std::string old = before == nullptr ? "" : before;
  ::setenv("TMPDIR", folder.path().c_str(), 1);
  for (const auto* script : {"#!/usr/bin/tail -n1\nself\n", "echo self\n"}) {
    Run run({.script = Bytes(script)}, 1000);
    run.until_over();
    CHECK(run.text[0] == "self\n");
    CHECK_FALSE(std::filesystem::is_empty(folder.path()));
    run.process.reset();
    CHECK(std::filesystem::is_empty(folder.path()));
  }
  if (before == nullptr) ::unsetenv("TMPDIR");
  else ::setenv("TMPDIR", old.c_str(), 1);
}

}  // namespace
}  // namespace muster::node
