// muster-supervise: the small process that a command runs under.
//
//   muster-supervise CONTROL_FD GRACE_MS keep|kill close|pass THEN_COUNT THEN... COMMAND ARGS...
//
// It is the reaper of everything that the command starts, double-forked daemons too, so it can end
// all of it. It ends all when it is told so, and when the parent's end of the control socket
// closes.
//
//   running -- the command exits, keep --> gone    what it left behind goes on without us
//   running -- the command exits, kill --> ending
//   running -- order end | its time has come | parent dies | TERM INT HUP QUIT --> ending
//   ending  -- TERM to all; after the grace KILL, again and again --> gone    no child is left
//   gone    -- no THEN | order dismiss --> (exit)
//   gone    -- parent dies --> exec THEN
//
// It is linked statically and to nothing but the C++ library: it starts with every command.
#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <fcntl.h>
#include <limits>
#include <optional>
#include <poll.h>
#include <string_view>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/os/control.hpp"
#include "common/os/descendants.hpp"

namespace muster::os {
namespace {

// What cannot be killed now (it is root's, or hangs in the kernel) may be later.
constexpr std::int64_t kill_again_us_min = 2'000;
constexpr std::int64_t kill_again_us_max = 1'000'000;
constexpr std::int64_t grace_ms_max = 24 * 3600 * 1000;
constexpr std::int64_t never_us = std::numeric_limits<std::int64_t>::max();
constexpr std::int64_t wait_ms_max = 3'600'000;  // longer ones are waited in parts

std::int64_t now_us() {
  timespec now{};
  clock_gettime(CLOCK_BOOTTIME, &now);
  return std::int64_t{now.tv_sec} * 1'000'000 + now.tv_nsec / 1000;
}

struct Task {
  int control = -1;
  std::int64_t grace_ms = 0;
  bool keep = false;
  bool pass = false;         // other descriptors than 0, 1, 2
  char** then = nullptr;     // null-terminated; null: nothing
  char** command = nullptr;  // null-terminated
};

/// Dispositions are the defaults already: our parent saw to that, and we change none.
void unblock_signals() {
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
}

void close_others(int control) {
  const auto kept = static_cast<unsigned>(control);
  ::close_range(STDERR_FILENO + 1, kept - 1, 0);
  ::close_range(kept + 1, ~0U, 0);
}

/// In its own group. 0, or errno of what failed. vfork: the child borrows our memory until its
/// exec, which takes less time than a copy, and is how errno comes back.
__attribute__((noinline)) int spawn(char** command, pid_t& pid) {
  const pid_t self = ::getpid();
  volatile int error = 0;
  pid = ::vfork();
  if (pid < 0) return errno;
  if (pid > 0) return error;
  ::setpgid(0, 0);
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != self) ::_exit(127);
  unblock_signals();
  ::execvp(command[0], command);
  error = errno;
  ::_exit(127);
}

class Supervisor {
 public:
  explicit Supervisor(const Task& task) : task_(task) {}

  int run() {
    prepare();
    start();
    while (!gone_) wait();
    report({.kind = Report::Kind::gone});
    if (task_.then == nullptr) return 0;
    while (!orphaned_ && !dismissed_) wait();
    if (dismissed_) return 0;
    unblock_signals();
    ::execvp(task_.then[0], task_.then);
    return 127;
  }

 private:
  void prepare() {
    ::setsid();
    ::prctl(PR_SET_CHILD_SUBREAPER, 1);
    ::fcntl(task_.control, F_SETFD, FD_CLOEXEC);
    if (!task_.pass) close_others(task_.control);
    sigset_t handled;
    sigemptyset(&handled);
    for (const int number : {SIGCHLD, SIGTERM, SIGINT, SIGHUP, SIGQUIT})
      sigaddset(&handled, number);
    sigprocmask(SIG_BLOCK, &handled, nullptr);
  }

  void start() {
    started_us_ = now_us();
    const int error = spawn(task_.command, command_);
    if (error == 0) {
      report({.kind = Report::Kind::started, .number = command_});
    } else {
      reported_ = gone_ = true;
      ::waitpid(-1, nullptr, 0);
      report({.kind = Report::Kind::refused, .number = error});
    }
    let_go();
    sigset_t handled;
    sigprocmask(SIG_BLOCK, nullptr, &handled);
    signals_ = ::signalfd(-1, &handled, SFD_CLOEXEC | SFD_NONBLOCK);
  }

  /// Pipes must end when the command's own ends are closed.
  void let_go() const {
    close_others(task_.control);
    const int null = ::open("/dev/null", O_RDWR | O_CLOEXEC);
    for (const int fd : {0, 1, 2}) ::dup2(null, fd);
    ::close(null);
  }

  void wait() {
    pollfd items[] = {{signals_, POLLIN, 0}, {orphaned_ ? -1 : task_.control, POLLIN, 0}};
    const std::int64_t left_ms = (std::max(due_us_, now_us()) - now_us()) / 1000 + 1;
    const int timeout =
        due_us_ == never_us || gone_ ? -1 : static_cast<int>(std::min(left_ms, wait_ms_max));
    if (::poll(items, 2, timeout) < 0 && errno != EINTR) std::abort();
    if (items[1].revents != 0) read_order();
    if (items[0].revents != 0) read_signals();
    if (gone_) return;
    reap();
    if (gone_ || now_us() < due_us_) return;
    if (ending_) kill_all();
    else end();
  }

  void read_order() {
    Order order;
    const Received received = receive(task_.control, order);
    if (received == Received::closed) {
      orphaned_ = true;
      end();
    } else if (received == Received::message) {
      switch (order.kind) {
        case Order::Kind::signal:
          if (!reported_) ::kill(-command_, order.number);
          break;
        case Order::Kind::end: end(); break;
        case Order::Kind::end_at:
          if (!ending_) due_us_ = order.at_us;
          break;
        case Order::Kind::dismiss: dismissed_ = true; break;
      }
    }
  }

  void read_signals() {
    signalfd_siginfo info{};
    while (::read(signals_, &info, sizeof(info)) == sizeof(info)) {
      if (info.ssi_signo != SIGCHLD) end();
    }
  }

  void reap() {
    int status = 0;
    pid_t pid = 0;
    while ((pid = ::waitpid(-1, &status, WNOHANG)) > 0) {
      if (pid != command_ || reported_) continue;
      reported_ = true;
      const auto duration = static_cast<std::uint64_t>(now_us() - started_us_);
      if (WIFSIGNALED(status)) report({Report::Kind::killed, WTERMSIG(status), duration});
      else report({Report::Kind::exited, WEXITSTATUS(status), duration});
    }
    gone_ = pid < 0 || (reported_ && task_.keep && !ending_);  // < 0: ECHILD, nobody is left
    if (reported_ && !gone_) end();
  }

  /// A stopped process gets its TERM when it goes on.
  void end() {
    if (ending_ || gone_) return;
    ending_ = true;
    due_us_ = now_us() + task_.grace_ms * 1000;
    const auto all = descendants_of(::getpid());
    signal_all(all, SIGTERM);
    signal_all(all, SIGCONT);
  }

  void kill_all() {
    signal_all(descendants_of(::getpid()), SIGKILL);
    due_us_ = now_us() + kill_again_us_;
    kill_again_us_ = std::min(kill_again_us_ * 2, kill_again_us_max);
  }

  void report(const Report& report) {
    if (!orphaned_) send(task_.control, report);
  }

  const Task& task_;
  int signals_ = -1;
  pid_t command_ = -1;
  std::int64_t started_us_ = 0;
  std::int64_t due_us_ = never_us;  ///< when to end, and while ending: when to kill
  std::int64_t kill_again_us_ = kill_again_us_min;
  bool reported_ = false;
  bool ending_ = false;
  bool orphaned_ = false;
  bool dismissed_ = false;
  bool gone_ = false;
};

std::optional<Task> parse(int argc, char** argv) {
  constexpr int fixed = 6;
  if (argc <= fixed) return std::nullopt;
  Task task{.control = std::atoi(argv[1]),
            .grace_ms = std::clamp<std::int64_t>(std::atoll(argv[2]), 0, grace_ms_max),
            .keep = std::string_view(argv[3]) == "keep",
            .pass = std::string_view(argv[4]) == "pass"};
  const int count = std::atoi(argv[5]);
  if (task.control <= STDERR_FILENO || count < 0 || fixed + count >= argc) return std::nullopt;
  if (count > 0) {
    task.then = new char*[static_cast<std::size_t>(count) + 1]();  // lives as long as the process
    for (int i = 0; i < count; ++i) task.then[i] = argv[fixed + i];
  }
  task.command = argv + fixed + count;
  return task;
}

}  // namespace
}  // namespace muster::os

int main(int argc, char** argv) {
  const auto task = muster::os::parse(argc, argv);
  if (!task) {
    std::fputs("muster-supervise: run by muster and muster-node, not by hand\n", stderr);
    return 64;
  }
  return muster::os::Supervisor(*task).run();
}
