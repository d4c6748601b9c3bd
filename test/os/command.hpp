// command: what the tests of this room say to a supervised command and to the processes below it.
#pragma once

#include <string>
#include <sys/types.h>
#include <vector>

#include "common/os/supervised.hpp"

namespace muster::test {

/// A line for /bin/sh, with its output piped to us and a short grace.
os::Command shell(const std::string& line);

/// Fails the test after a deadline, as all of these.
void wait_readable(int fd);
os::Report next_report(os::Supervised& command);
/// What comes until the stream ends.
std::string text_of(int fd);
std::string line_of(int fd);
os::Report until_gone(os::Supervised& command);

/// A process that need not be our child.
class Watched {
 public:
  explicit Watched(pid_t pid);
  bool alive() const;
  void wait_gone() const;
  /// Until /proc says so: T is stopped, Z has exited and waits to be reaped.
  void wait_state(char state) const;

 private:
  const pid_t pid_;
  os::Fd fd_;
};

/// Those of the pids that the command prints, one a line.
std::vector<Watched> watched_from(int fd, int count);

}  // namespace muster::test
