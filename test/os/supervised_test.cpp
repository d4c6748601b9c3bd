// supervised: what a parent is told about its command, and what the command is given.
#include "common/os/supervised.hpp"

#include <cerrno>
#include <csignal>
#include <cstdint>
#include <fcntl.h>
#include <map>
#include <sys/wait.h>
#include <unistd.h>

#include "test/os/command.hpp"
#include "test/support/catch.hpp"
#include "test/support/temporary.hpp"

namespace muster::test {
namespace {

using os::Report;

bool has_child() { return ::waitpid(-1, nullptr, WNOHANG) >= 0; }

TEST_CASE("supervised: output, exit code and the end are told in this order", "[os]") {
  auto command = os::Supervised::start(shell("echo hello; exit 7"));
  REQUIRE(command);
  CHECK(next_report(*command).kind == Report::Kind::started);
  CHECK(text_of(command->output().get()) == "hello\n");
  const Report exited = next_report(*command);
  CHECK(exited.kind == Report::Kind::exited);
  CHECK(exited.number == 7);
  CHECK(exited.duration_us > 0);
  CHECK(next_report(*command).kind == Report::Kind::gone);
  CHECK_FALSE(command->lost());
  CHECK_FALSE(has_child());
}

TEST_CASE(
    "supervised: a command that cannot be run is refused with its errno, and leaves no zombie",
    "[os]") {
  const TemporaryFolder folder;
  const std::string script = folder.path() + "/script";
  const os::Fd file(::open(script.c_str(), O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
  const std::map<std::string, int> refusals{{"/no/such/program", ENOENT}, {script, EACCES}};
  for (const auto& [program, error] : refusals) {
    auto command = os::Supervised::start({.argv = {program}});
    REQUIRE(command);
    const Report refused = next_report(*command);
    CHECK(refused.kind == Report::Kind::refused);
    CHECK(refused.number == error);
    CHECK(next_report(*command).kind == Report::Kind::gone);
    CHECK_FALSE(has_child());
  }
}

TEST_CASE("supervised: a folder that is not there is an error that names it", "[os]") {
  os::Command wanted = shell("pwd");
  wanted.folder = "/no/such/folder";
  const auto refused = os::Supervised::start(wanted);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().message == "/no/such/folder: No such file or directory");
  wanted.folder = "/usr";
  auto command = os::Supervised::start(wanted);
  REQUIRE(command);
  CHECK(text_of(command->output().get()) == "/usr\n");
  until_gone(*command);
}

TEST_CASE("supervised: arguments that are too long are an error that does not blame our programs",
          "[os]") {
  os::Command wanted = {.argv = {"/bin/true"}};
  wanted.argv.emplace_back(1 << 20, 'x');
  const auto refused = os::Supervised::start(wanted);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().message == "cannot start /bin/true: Argument list too long");
  CHECK(refused.error().hint.empty());
}

TEST_CASE("supervised: death by signal is told as such, and signals reach the group", "[os]") {
  auto command = os::Supervised::start(shell("echo on; sleep 100"));
  REQUIRE(command);
  line_of(command->output().get());
  command->signal(SIGUSR1);
  const Report killed = until_gone(*command);
  CHECK(killed.kind == Report::Kind::killed);
  CHECK(killed.number == SIGUSR1);
}

TEST_CASE("supervised: three pipes carry three streams", "[os]") {
  os::Command wanted = shell("read word; echo out $word; echo err $word >&2");
  wanted.input = wanted.errors = os::Stream::pipe;
  auto command = os::Supervised::start(wanted);
  REQUIRE(command);
  REQUIRE(::write(command->input().get(), "x\n", 2) == 2);
  CHECK(text_of(command->output().get()) == "out x\n");
  CHECK(text_of(command->errors().get()) == "err x\n");
  until_gone(*command);
}

// A socket that closes with orders unread gave its peer ECONNRESET ahead of the last reports, and
// the exit code was taken for a death of the supervisor.
TEST_CASE("supervised: the exit is told although the supervisor has not read all orders", "[os]") {
  os::Command wanted = shell("read word; exit 3");
  wanted.input = os::Stream::pipe;
  wanted.leftovers = os::Leftovers::keep;
  auto command = os::Supervised::start(wanted);
  REQUIRE(command);
  const Watched shell_process(next_report(*command).number);
  const Watched supervisor(command->supervisor());
  ::kill(command->supervisor(), SIGSTOP);
  supervisor.wait_state('T');
  for (int i = 0; i < 30; ++i) command->signal(SIGCONT);
  command->input().reset();
  shell_process.wait_state('Z');
  ::kill(command->supervisor(), SIGCONT);
  supervisor.wait_state('Z');
  const Report exited = until_gone(*command);
  CHECK(exited.kind == Report::Kind::exited);
  CHECK(exited.number == 3);
  CHECK_FALSE(command->lost());
}

TEST_CASE("supervised: a command ends at the time that was set last, whatever its parent does then",
          "[os]") {
  auto command = os::Supervised::start(shell("exec sleep 1000"));
  REQUIRE(command);
  const Watched sleeper(next_report(*command).number);
  const TimePoint start = BootClock::now();
  command->end_at(start + seconds(1000));
  command->end_at(start + milliseconds(200));
  sleeper.wait_gone();
  CHECK(BootClock::now() >= start + milliseconds(200));
  const Report ended = until_gone(*command);
  CHECK(ended.kind == Report::Kind::killed);
  CHECK(ended.number == SIGTERM);
}

TEST_CASE("supervised: a supervisor that is killed takes the command with it, and that is told",
          "[os]") {
  auto command = os::Supervised::start(shell("exec sleep 1000"));
  REQUIRE(command);
  const Watched sleeper(next_report(*command).number);
  ::kill(command->supervisor(), SIGKILL);
  const Report killed = until_gone(*command);
  CHECK(killed.kind == Report::Kind::killed);
  CHECK(killed.number == SIGKILL);
  CHECK(command->lost());
  sleeper.wait_gone();
  CHECK_FALSE(has_child());
}

TEST_CASE("supervised: a command has descriptors 0, 1, 2 and no others, unless they are passed",
          "[os]") {
  const os::Fd low(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  const os::Fd inherited(::fcntl(low.get(), F_DUPFD, 77));
  os::Command wanted =
      shell("for n in 0 1 2 3 4 5 6 7 8 9 77; do [ -e /proc/$$/fd/$n ] && echo $n; done");
  for (const auto& [others, expected] :
       {std::pair{os::Descriptors::close, "0\n1\n2\n"}, {os::Descriptors::pass, "77\n"}}) {
    wanted.others = others;
    auto command = os::Supervised::start(wanted);
    REQUIRE(command);
    const std::string seen = text_of(command->output().get());
    CHECK(seen.find(expected) != std::string::npos);
    if (others == os::Descriptors::close) CHECK(seen == expected);
    until_gone(*command);
  }
}

TEST_CASE("supervised: a command starts with no signal blocked or ignored, whatever we do",
          "[os]") {
  sigset_t blocked;
  sigset_t before;
  sigemptyset(&blocked);
  for (const int number : {SIGTERM, SIGINT, SIGCHLD, SIGHUP}) sigaddset(&blocked, number);
  pthread_sigmask(SIG_BLOCK, &blocked, &before);
  const auto pipe_before = std::signal(SIGPIPE, SIG_IGN);
  const auto usr1_before = std::signal(SIGUSR1, SIG_IGN);
  auto command = os::Supervised::start(shell("grep -E '^Sig(Blk|Ign)' /proc/self/status"));
  REQUIRE(command);
  const std::string seen = text_of(command->output().get());
  until_gone(*command);
  std::signal(SIGPIPE, pipe_before);
  std::signal(SIGUSR1, usr1_before);
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  INFO(seen);
  const std::string start = "SigBlk:\t0000000000000000\nSigIgn:\t";
  REQUIRE(seen.starts_with(start));
  const std::uint64_t ignored = std::stoull(seen.substr(start.size()), nullptr, 16);
  constexpr std::uint64_t of_the_c_library = 0x180000000;  // 32, 33: ignored by any posix_spawn
  CHECK((ignored & ~of_the_c_library) == 0);
}

}  // namespace
}  // namespace muster::test
