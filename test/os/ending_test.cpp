// ending: that nothing of a command is left, whatever it is made of and however its parent ends.
#include <csignal>
#include <cstdio>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <utility>

#include "test/os/command.hpp"
#include "test/support/catch.hpp"
#include "test/support/temporary.hpp"

namespace muster::test {
namespace {

using os::Report;

// Double-forked into a session of its own; double-forked and deaf to TERM; stopped. Each pid on a
// line.
constexpr int hard_to_end_count = 3;
const std::string hard_to_end =
    "(setsid sleep 1000 & echo $!)\n"
    "(sh -c 'trap \"\" TERM; echo $$; while :; do sleep 1; done' &)\n"
    "sleep 1000 & kill -STOP $!; echo $!\n"
    "wait";

/// A process that starts `wanted`, waits for `until`, and stays till it is killed. The command's
/// output comes to us.
class Parent {
 public:
  enum class Until { started, gone };

  Parent(const os::Command& wanted, Until until) {
    int ends[2];
    REQUIRE(::pipe2(ends, O_CLOEXEC) == 0);
    output_ = os::Fd(ends[0]);
    pid_ = ::fork();
    if (pid_ == 0) live(wanted, until, ends[1]);
    ::close(ends[1]);
  }
  ~Parent() { kill(); }
  Parent(const Parent&) = delete;
  Parent& operator=(const Parent&) = delete;

  int output() const { return output_.get(); }
  void kill() {
    if (pid_ < 0) return;
    ::kill(pid_, SIGKILL);
    ::waitpid(std::exchange(pid_, -1), nullptr, 0);
  }

 private:
  [[noreturn]] static void live(os::Command wanted, Until until, int output) {
    ::dup2(output, STDOUT_FILENO);
    wanted.output = os::Stream::inherit;
    auto command = os::Supervised::start(wanted);
    const auto awaited = until == Until::gone ? Report::Kind::gone : Report::Kind::started;
    while (next_report(*command).kind != awaited) {
    }
    ::dprintf(STDOUT_FILENO, "%s\n", until == Until::gone ? "gone" : "on");
    while (true) ::pause();
  }

  os::Fd output_;
  pid_t pid_ = -1;
};

/// What a supervisor's last command says, by a FIFO.
class LastWords {
 public:
  LastWords() {
    REQUIRE(::mkfifo(path().c_str(), 0600) == 0);
    fd_ = os::Fd(::open(path().c_str(), O_RDWR | O_CLOEXEC));
    REQUIRE(fd_);
  }
  std::string path() const { return folder_.path() + "/words"; }
  std::string wait() const { return line_of(fd_.get()); }

 private:
  TemporaryFolder folder_;
  os::Fd fd_;
};

TEST_CASE("ending: end leaves no descendant: double-forked, deaf to TERM, stopped", "[os]") {
  auto command = os::Supervised::start(shell(hard_to_end));
  REQUIRE(command);
  const auto processes = watched_from(command->output().get(), hard_to_end_count);
  command->end();
  until_gone(*command);
  for (const Watched& process : processes) CHECK_FALSE(process.alive());
}

TEST_CASE("ending: SIGTERM to the supervisor itself ends the command", "[os]") {
  auto command = os::Supervised::start(shell(hard_to_end));
  REQUIRE(command);
  const auto processes = watched_from(command->output().get(), hard_to_end_count);
  ::kill(command->supervisor(), SIGTERM);
  until_gone(*command);
  for (const Watched& process : processes) CHECK_FALSE(process.alive());
}

TEST_CASE("ending: a command that handles TERM in time is not killed", "[os]") {
  os::Command wanted = shell("trap 'exit 9' TERM; echo on; while :; do sleep 0.01; done");
  wanted.grace = seconds(20);
  auto command = os::Supervised::start(wanted);
  REQUIRE(command);
  line_of(command->output().get());
  command->end();
  const Report exited = until_gone(*command);
  CHECK(exited.kind == Report::Kind::exited);
  CHECK(exited.number == 9);
}

TEST_CASE("ending: processes that fork and exit without end, deaf to TERM, do not escape", "[os]") {
  const std::string in_one_group = "trap '' TERM; export step='sh -c \"$step\" &'; eval \"$step\"";
  const std::string each_its_own =
      "trap '' TERM; export step='setsid sh -c \"$step\" &'; eval \"$step\"";
  for (const std::string& chain : {in_one_group, each_its_own}) {
    auto command = os::Supervised::start(shell(chain));
    REQUIRE(command);
    command->end();
    until_gone(*command);
    CHECK_FALSE(command->lost());
  }
}

TEST_CASE("ending: what a command leaves behind is killed, or kept when so asked", "[os]") {
  for (const os::Leftovers leftovers : {os::Leftovers::kill, os::Leftovers::keep}) {
    os::Command wanted = shell("sleep 1000 >/dev/null 2>&1 & echo $!");
    wanted.leftovers = leftovers;
    auto command = os::Supervised::start(wanted);
    REQUIRE(command);
    const pid_t pid = std::stoi(line_of(command->output().get()));
    const Watched left(pid);
    until_gone(*command);
    CHECK(left.alive() == (leftovers == os::Leftovers::keep));
    if (left.alive()) ::kill(pid, SIGKILL);
  }
}

TEST_CASE("ending: kill -9 of the parent ends all, and only then runs what was asked for", "[os]") {
  const LastWords words;
  const TemporaryFolder folder;
  const std::string pids = folder.path() + "/pids";
  os::Command wanted = shell("{ " + hard_to_end + "; } | tee " + pids);
  wanted.then = {"/bin/sh", "-c",
                 "while read pid; do kill -0 $pid && left=\"$left $pid\"; done < " + pids +
                     "; echo left:$left > " + words.path()};
  Parent parent(wanted, Parent::Until::started);
  CHECK(line_of(parent.output()) == "on");
  const auto processes = watched_from(parent.output(), hard_to_end_count);
  for (const Watched& process : processes) REQUIRE(process.alive());
  parent.kill();
  CHECK(words.wait() == "left:");
  for (const Watched& process : processes) process.wait_gone();
}

// The supervisor used to leave when its command had: a parent killed between that and its own
// word to the broker left the lock to its TTL.
TEST_CASE("ending: a parent killed after its command has gone still gets its last command run",
          "[os]") {
  const LastWords words;
  for (const char* command : {"true", "/no/such/program"}) {
    os::Command wanted = shell("");
    wanted.argv = {command};
    wanted.then = {"/bin/sh", "-c", "echo then > " + words.path()};
    Parent parent(wanted, Parent::Until::gone);
    CHECK(line_of(parent.output()) == "gone");
    parent.kill();
    CHECK(words.wait() == "then");
  }
}

TEST_CASE("ending: a dismissed supervisor does not run its last command", "[os]") {
  const LastWords words;
  for (const bool before : {true, false}) {
    os::Command wanted = shell("read word");
    wanted.input = os::Stream::pipe;
    wanted.then = {"/bin/sh", "-c", "echo then > " + words.path()};
    auto command = os::Supervised::start(wanted);
    REQUIRE(command);
    const Watched supervisor(command->supervisor());
    if (before) command->dismiss();
    command->input().reset();
    until_gone(*command);
    command->dismiss();
    CHECK_FALSE(supervisor.alive());
  }
  const os::Fd write_end(::open(words.path().c_str(), O_WRONLY | O_CLOEXEC));
  REQUIRE(::write(write_end.get(), "nothing\n", 8) == 8);
  CHECK(words.wait() == "nothing");
}

}  // namespace
}  // namespace muster::test
