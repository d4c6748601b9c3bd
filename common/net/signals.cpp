// signals: signalfd.
#include "common/net/signals.hpp"

#include <cstring>
#include <sys/signalfd.h>
#include <unistd.h>

#include <fmt/format.h>

#include "common/error.hpp"

namespace muster::net {

Signals::Signals(std::initializer_list<int> signals) {
  sigset_t set;
  sigemptyset(&set);
  for (const int signal : signals) sigaddset(&set, signal);
  std::signal(SIGPIPE, SIG_IGN);
  ENSURE(pthread_sigmask(SIG_BLOCK, &set, &before_) == 0);
  fd_ = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
  if (fd_ < 0) throw Failure(fmt::format("signalfd: {}", std::strerror(errno)));
}

Signals::~Signals() {
  close(fd_);
  pthread_sigmask(SIG_SETMASK, &before_, nullptr);
}

std::optional<int> Signals::next() {
  signalfd_siginfo info{};
  ssize_t got = 0;
  do got = read(fd_, &info, sizeof info);
  while (got < 0 && errno == EINTR);
  if (got != sizeof info) return std::nullopt;
  return static_cast<int>(info.ssi_signo);
}

}  // namespace muster::net
