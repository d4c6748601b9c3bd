// supervised: how commands end, and that nothing of them is left. Real processes.
#include "common/os/supervised.hpp"

#include <csignal>
#include <cstdlib>
#include <fcntl.h>
#include <poll.h>
#include <string>
#include <sys/wait.h>
#include <unistd.h>

#include "test/support/catch.hpp"

namespace muster::test {
namespace {

using os::Report;

constexpr int deadline_ms = 20'000;

os::Command shell(const std::string& line) {
  return {.argv = {"/bin/sh", "-c", line},
          .environment = os::environment_with({}),
          .output = os::Stream::pipe,
          .grace = milliseconds(300)};
}

void wait_readable(int fd) {
  pollfd item{fd, POLLIN, 0};
  REQUIRE(::poll(&item, 1, deadline_ms) == 1);
}

Report next(os::Supervised& command) {
  while (true) {
    if (const auto report = command.next()) return *report;
    wait_readable(command.control());
  }
}

/// What comes until the stream ends.
std::string output_of(os::Supervised& command) {
  std::string all;
  while (true) {
    wait_readable(command.output().get());
    char piece[4096];
    const ssize_t got = ::read(command.output().get(), piece, sizeof(piece));
    if (got <= 0) return all;
    all.append(piece, static_cast<std::size_t>(got));
  }
}

std::string line_of(os::Supervised& command) {
  std::string line;
  char c = 0;
  while (c != '\n') {
    wait_readable(command.output().get());
    REQUIRE(::read(command.output().get(), &c, 1) == 1);
    if (c != '\n') line += c;
  }
  return line;
}

bool alive(pid_t pid) { return ::kill(pid, 0) == 0; }

/// A process that is no child of ours is gone when its pidfd-less self cannot be signalled any
/// more.
void wait_gone(pid_t pid) {
  for (int i = 0; i < deadline_ms / 10 && alive(pid); ++i) ::poll(nullptr, 0, 10);
  CHECK_FALSE(alive(pid));
}

TEST_CASE("supervised: output, exit code and the end are told in this order", "[os]") {
  auto command = os::Supervised::start(shell("echo hello; exit 7"));
  REQUIRE(command);
  CHECK(next(*command).kind == Report::Kind::started);
  CHECK(output_of(*command) == "hello\n");
  const Report exited = next(*command);
  CHECK(exited.kind == Report::Kind::exited);
  CHECK(exited.number == 7);
  CHECK(next(*command).kind == Report::Kind::gone);
}

TEST_CASE("supervised: a command that cannot be run is refused with its errno", "[os]") {
  auto command = os::Supervised::start({.argv = {"/no/such/program"}});
  REQUIRE(command);
  const Report refused = next(*command);
  CHECK(refused.kind == Report::Kind::refused);
  CHECK(refused.number == ENOENT);
  CHECK(next(*command).kind == Report::Kind::gone);
}

TEST_CASE("supervised: death by signal is told as such, and signals reach the group", "[os]") {
  auto command = os::Supervised::start(shell("echo on; sleep 100"));
  REQUIRE(command);
  next(*command);
  line_of(*command);
  command->signal(SIGUSR1);
  const Report killed = next(*command);
  CHECK(killed.kind == Report::Kind::killed);
  CHECK(killed.number == SIGUSR1);
}

TEST_CASE(
    "supervised: end leaves no descendant: double-forked, in a new session, deaf to TERM, stopped",
    "[os]") {
  auto command = os::Supervised::start(shell(
      "(setsid sleep 1000 & echo $!); (sh -c 'trap \"\" TERM; echo $$; while :; do sleep 1; done' &) ; sleep 1000 & echo $!; kill -STOP $!; wait"));
  REQUIRE(command);
  next(*command);
  std::vector<pid_t> pids;
  for (int i = 0; i < 3; ++i) pids.push_back(std::stoi(line_of(*command)));
  command->end();
  Report report = next(*command);
  while (report.kind != Report::Kind::gone) report = next(*command);
  for (const pid_t pid : pids) CHECK_FALSE(alive(pid));
}

TEST_CASE("supervised: what a command leaves behind is killed, or kept when so asked", "[os]") {
  for (const os::Leftovers leftovers : {os::Leftovers::kill, os::Leftovers::keep}) {
    os::Command wanted = shell("sleep 1000 >/dev/null 2>&1 & echo $!");
    wanted.leftovers = leftovers;
    auto command = os::Supervised::start(wanted);
    REQUIRE(command);
    next(*command);
    const pid_t left = std::stoi(line_of(*command));
    Report report = next(*command);
    while (report.kind != Report::Kind::gone) report = next(*command);
    CHECK(alive(left) == (leftovers == os::Leftovers::keep));
    ::kill(left, SIGKILL);
  }
}

TEST_CASE("supervised: kill -9 of the parent ends all, then runs what was asked for", "[os]") {
  char folder[] = "/tmp/muster-test-XXXXXX";
  REQUIRE(::mkdtemp(folder) != nullptr);
  const std::string file = std::string(folder) + "/then";
  int tell[2];
  REQUIRE(::pipe2(tell, O_CLOEXEC) == 0);
  const pid_t parent = ::fork();
  if (parent == 0) {
    os::Command wanted = shell("sleep 1000 & echo $!; wait");
    wanted.then = {"/bin/sh", "-c", "echo > " + file};
    auto command = os::Supervised::start(wanted);
    next(*command);
    const std::string pid = line_of(*command) + "\n";
    [[maybe_unused]] const ssize_t told = ::write(tell[1], pid.data(), pid.size());
    ::pause();
    ::_exit(0);
  }
  char text[32] = {};
  REQUIRE(::read(tell[0], text, sizeof(text) - 1) > 0);
  ::close(tell[0]);
  ::close(tell[1]);
  const pid_t child = std::stoi(text);
  REQUIRE(alive(child));
  ::kill(parent, SIGKILL);
  ::waitpid(parent, nullptr, 0);
  wait_gone(child);
  for (int i = 0; i < deadline_ms / 10 && ::access(file.c_str(), F_OK) != 0; ++i)
    ::poll(nullptr, 0, 10);
  CHECK(::access(file.c_str(), F_OK) == 0);
  ::unlink(file.c_str());
  ::rmdir(folder);
}

TEST_CASE("supervised: a command has no descriptor but what its parent's other children have too",
          "[os]") {
  const std::string look = "ls /proc/self/fd | wc -l; grep -E 'SigBlk|SigIgn' /proc/self/status";
  FILE* plain = ::popen(look.c_str(), "r");  // what this test itself was given
  REQUIRE(plain != nullptr);
  char text[512] = {};
  const std::size_t length = ::fread(text, 1, sizeof(text) - 1, plain);
  ::pclose(plain);
  auto command = os::Supervised::start(shell(look));
  REQUIRE(command);
  CHECK(output_of(*command) == std::string(text, length));
}

}  // namespace
}  // namespace muster::test
