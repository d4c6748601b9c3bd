// signals: signals as something to poll.
#pragma once

#include <csignal>
#include <initializer_list>
#include <optional>

namespace muster::net {

/// Blocks the signals in this thread for its lifetime and reads them from a signalfd. Make it
/// before other threads start, so that they inherit the mask. A child keeps the mask over exec: who
/// forks sets it back. SIGPIPE is ignored from then on: a broken pipe is an error of the write.
class Signals {
 public:
  explicit Signals(std::initializer_list<int> signals);
  ~Signals();
  Signals(const Signals&) = delete;
  Signals& operator=(const Signals&) = delete;

  int fd() const { return fd_; }
  /// The next signal that came, if any.
  std::optional<int> next();
  /// The mask as it was before: for a child that is about to exec.
  const sigset_t& before() const { return before_; }

 private:
  sigset_t before_{};
  int fd_ = -1;
};

}  // namespace muster::net
