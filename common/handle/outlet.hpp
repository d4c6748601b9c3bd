// outlet: bytes on their way to stdout or stderr, which may be a pipe that nobody reads.
//
// The loop never blocks on it, and it holds one buffer: whoever fills it waits until it is empty.
// A pipe is opened anew for this (O_NONBLOCK on the inherited one would hold for every process that
// shares it); where that fails, no more is written at once than a ready pipe takes.
#pragma once

#include <functional>
#include <string>

#include "common/error.hpp"
#include "common/net/reactor.hpp"

namespace muster {

class Outlet {
 public:
  /// `reactor` must outlive it. `on_empty` is called from the loop when the buffer has been
  /// written, or when nobody can read any more.
  Outlet(net::Reactor& reactor, int fd, std::function<void()> on_empty);
  ~Outlet();
  Outlet(const Outlet&) = delete;
  Outlet& operator=(const Outlet&) = delete;

  /// Only when empty.
  void fill(std::string bytes);
  bool empty() const { return sent_ == buffer_.size(); }
  /// 0, or the errno of a write that failed: what is filled in from then on is dropped.
  int broken() const { return broken_; }

 private:
  void write_some();

  net::Reactor& reactor_;
  const std::function<void()> on_empty_;
  int fd_;
  bool own_ = false;         ///< fd_ is ours and does not block
  std::size_t at_once_ = 0;  ///< what a write may take without blocking
  net::SourceId source_;
  std::string buffer_;
  std::size_t sent_ = 0;
  int broken_ = 0;
};

}  // namespace muster
