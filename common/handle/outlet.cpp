// outlet: see outlet.hpp.
#include "common/handle/outlet.hpp"

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fmt/format.h>

namespace muster {
namespace {

mode_t kind_of(int fd) {
  struct stat about {};
  return fstat(fd, &about) == 0 ? about.st_mode & S_IFMT : 0;
}

/// A description of our own, or -1.
int reopened(int fd) {
  if (kind_of(fd) != S_IFIFO) return -1;
  return open(fmt::format("/proc/self/fd/{}", fd).c_str(), O_WRONLY | O_NONBLOCK | O_CLOEXEC);
}

}  // namespace

Outlet::Outlet(net::Reactor& reactor, int fd, std::function<void()> on_empty)
    : reactor_(reactor), on_empty_(std::move(on_empty)), fd_(reopened(fd)) {
  own_ = fd_ >= 0;
  if (!own_) fd_ = fd;
  at_once_ = own_ || kind_of(fd_) == S_IFREG ? SIZE_MAX : PIPE_BUF;
  source_ = reactor_.watch(fd_, net::Interest::none, [this] { write_some(); });
}

Outlet::~Outlet() {
  reactor_.forget(source_);
  if (own_) close(fd_);
}

void Outlet::fill(std::string bytes) {
  ENSURE(empty());
  buffer_ = broken_ == 0 ? std::move(bytes) : std::string();
  sent_ = 0;
  if (!empty()) reactor_.set_interest(source_, net::Interest::writable);
}

void Outlet::write_some() {
  while (!empty() && broken_ == 0) {
    const std::size_t rest = buffer_.size() - sent_;
    const ssize_t wrote = write(fd_, buffer_.data() + sent_, std::min(rest, at_once_));
    if (wrote > 0) {
      sent_ += static_cast<std::size_t>(wrote);
      if (at_once_ != SIZE_MAX) break;  // ready once is ready for so much only
    } else if (errno == EAGAIN || errno == EWOULDBLOCK) {
      return;
    } else if (errno != EINTR) {
      broken_ = errno;
    }
  }
  if (broken_ != 0) sent_ = buffer_.size();
  if (!empty()) return;
  reactor_.set_interest(source_, net::Interest::none);
  const auto on_empty = on_empty_;  // it may destroy us
  on_empty();
}

}  // namespace muster
