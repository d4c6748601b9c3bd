// muster-supervise: the small process that a command runs under.
//
//   muster-supervise GRACE_MS keep|kill THEN_COUNT THEN... COMMAND ARGS...     with the control on
//   fd 3
//
// It is the reaper of everything that the command starts, double-forked daemons too, so it can end
// all of it. It ends all when it is told so, and when the parent's end of the control socket
// closes.
//
//   running -- the command exits, keep --> reported; what it left behind goes on without us
//   running -- the command exits, kill --> ending
//   running -- order end | parent dies | TERM INT HUP QUIT --> ending
//   ending  -- TERM to all; after the grace KILL, again and again --> no child left: gone
//   gone    -- the parent had died, and THEN was given --> exec THEN
//
// It links nothing but the C++ library: it starts with every command.
#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <fcntl.h>
#include <optional>
#include <poll.h>
#include <string_view>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/os/control.hpp"
#include "common/os/descendants.hpp"

namespace muster::os {
namespace {

constexpr std::int64_t kill_again_ms = 10;

std::int64_t now_us() {
  timespec now{};
  clock_gettime(CLOCK_BOOTTIME, &now);
  return std::int64_t{now.tv_sec} * 1'000'000 + now.tv_nsec / 1000;
}

struct Task {
  std::int64_t grace_ms = 0;
  bool keep = false;
  char** then = nullptr;     // null-terminated; null: nothing
  char** command = nullptr;  // null-terminated
};

/// Signal mask and dispositions as a program expects them.
void reset_signals() {
  for (int number = 1; number < NSIG; ++number) ::signal(number, SIG_DFL);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
}

class Supervisor {
 public:
  explicit Supervisor(const Task& task) : task_(task) {}

  int run() {
    ::setsid();
    ::prctl(PR_SET_CHILD_SUBREAPER, 1);
    ::fcntl(control_fd, F_SETFD, FD_CLOEXEC);
    sigset_t handled;
    sigemptyset(&handled);
    for (const int number : {SIGCHLD, SIGTERM, SIGINT, SIGHUP, SIGQUIT})
      sigaddset(&handled, number);
    sigprocmask(SIG_BLOCK, &handled, nullptr);
    ::signal(SIGPIPE, SIG_IGN);
    signals_ = ::signalfd(-1, &handled, SFD_CLOEXEC | SFD_NONBLOCK);
    if (!start()) return 127;
    let_go_of_output();
    while (!over_) wait();
    report({.kind = Report::Kind::gone});
    if (orphaned_ && task_.then != nullptr) {
      reset_signals();
      ::execvp(task_.then[0], task_.then);
      return 127;
    }
    return 0;
  }

 private:
  bool start() {
    int failed[2];
    if (::pipe2(failed, O_CLOEXEC) != 0) return refuse(errno);
    const pid_t self = ::getpid();
    started_us_ = now_us();
    command_ = ::fork();
    if (command_ < 0) return refuse(errno);
    if (command_ == 0) {
      ::setpgid(0, 0);
      ::prctl(PR_SET_PDEATHSIG, SIGKILL);
      if (::getppid() != self) ::_exit(127);
      reset_signals();
      ::execvp(task_.command[0], task_.command);
      const int error = errno;
      [[maybe_unused]] const ssize_t told = ::write(failed[1], &error, sizeof(error));
      ::_exit(127);
    }
    ::setpgid(command_, command_);
    ::close(failed[1]);
    int error = 0;
    const bool bad = ::read(failed[0], &error, sizeof(error)) == sizeof(error);
    ::close(failed[0]);
    if (bad) {
      ::waitpid(command_, nullptr, 0);
      return refuse(error);
    }
    report({.kind = Report::Kind::started, .number = command_});
    return true;
  }

  bool refuse(int error) {
    report({.kind = Report::Kind::refused, .number = error});
    return false;
  }

  /// The pipes must end when the command's own ends are closed.
  static void let_go_of_output() {
    const int null = ::open("/dev/null", O_RDWR | O_CLOEXEC);
    for (const int fd : {0, 1, 2}) ::dup2(null, fd);
    ::close(null);
  }

  void wait() {
    pollfd items[] = {{signals_, POLLIN, 0}, {orphaned_ ? -1 : control_fd, POLLIN, 0}};
    int timeout = -1;
    if (ending_)
      timeout = static_cast<int>(std::max<std::int64_t>(0, (next_us_ - now_us()) / 1000 + 1));
    if (::poll(items, 2, timeout) < 0 && errno != EINTR) std::abort();
    if (items[1].revents != 0) read_order();
    if (items[0].revents != 0) read_signals();
    reap();
    if (ending_ && !over_ && now_us() >= next_us_) {
      signal_all(descendants_of(::getpid()), SIGKILL);
      next_us_ = now_us() + kill_again_ms * 1000;
    }
  }

  void read_order() {
    Order order;
    const ssize_t got = ::recv(control_fd, &order, sizeof(order), MSG_DONTWAIT);
    if (got < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (got != sizeof(order)) {
      orphaned_ = true;
      end();
    } else if (order.kind == Order::Kind::signal) {
      if (!reported_) ::kill(-command_, order.number);
    } else {
      end();
    }
  }

  void read_signals() {
    signalfd_siginfo info;
    while (::read(signals_, &info, sizeof(info)) == sizeof(info)) {
      if (info.ssi_signo != SIGCHLD) end();
    }
  }

  void reap() {
    while (true) {
      int status = 0;
      const pid_t pid = ::waitpid(-1, &status, WNOHANG);
      if (pid < 0) {
        over_ = true;  // ECHILD: nobody is left
        return;
      }
      if (pid == 0) return;
      if (pid != command_ || reported_) continue;
      reported_ = true;
      const auto duration = static_cast<std::uint64_t>(now_us() - started_us_);
      if (WIFSIGNALED(status)) report({Report::Kind::killed, WTERMSIG(status), duration});
      else report({Report::Kind::exited, WEXITSTATUS(status), duration});
      if (task_.keep && !ending_) over_ = true;
      else end();
    }
  }

  /// A stopped process gets its TERM when it goes on.
  void end() {
    if (ending_) return;
    ending_ = true;
    next_us_ = now_us() + task_.grace_ms * 1000;
    const auto all = descendants_of(::getpid());
    signal_all(all, SIGTERM);
    signal_all(all, SIGCONT);
  }

  void report(const Report& report) {
    if (!orphaned_) ::send(control_fd, &report, sizeof(report), MSG_NOSIGNAL);
  }

  const Task& task_;
  int signals_ = -1;
  pid_t command_ = -1;
  std::int64_t started_us_ = 0;
  std::int64_t next_us_ = 0;  ///< while ending: when to kill
  bool reported_ = false;
  bool ending_ = false;
  bool orphaned_ = false;
  bool over_ = false;
};

std::optional<Task> parse(int argc, char** argv) {
  if (argc < 5) return std::nullopt;
  Task task{.grace_ms = std::atoll(argv[1]), .keep = std::string_view(argv[2]) == "keep"};
  const int count = std::atoi(argv[3]);
  if (task.grace_ms < 0 || count < 0 || 4 + count >= argc) return std::nullopt;
  if (count > 0) {
    task.then = new char*[static_cast<std::size_t>(count) + 1]();  // lives as long as the process
    for (int i = 0; i < count; ++i) task.then[i] = argv[4 + i];
  }
  task.command = argv + 4 + count;
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
