// handler: a program that a watch runs for a change: in its own process group, bytes on its stdin.
//
// Its stdin is a file in memory, so a handler that does not read it holds nobody up, whatever the
// size. Stdout, stderr and the working directory are ours.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <sys/types.h>
#include <vector>

#include "common/error.hpp"

namespace muster::cli {

enum class Shell { yes, no };

/// What to run: with a shell the words joined by blanks for `$SHELL -c` (/bin/sh), else as they
/// are.
std::vector<std::string> command_of(std::span<const std::string> words, Shell shell);

/// How a process ended.
struct Ending {
  int code = 0;    ///< its exit code, or
  int signal = 0;  ///< the signal that ended it
};

class Handler {
 public:
  struct Order {
    std::vector<std::string> argv;
    std::string input;
    std::vector<std::string> settings;  ///< NAME=value, before what the environment says
  };

  /// Errors: not_found (it cannot be started, with the reason).
  static Result<Handler> start(const Order& order);

  Handler(Handler&& other) noexcept;
  Handler& operator=(Handler&& other) noexcept;
  ~Handler();

  /// Readable once it has ended.
  int fd() const { return pidfd_; }
  pid_t pid() const { return pid_; }
  /// How it ended; none: it runs.
  std::optional<Ending> ended();
  /// To every process of its group.
  void signal(int number) const;
  /// Whether any process of its group is left.
  bool group_lives() const;

 private:
  Handler(pid_t pid, int pidfd) : pid_(pid), pidfd_(pidfd) {}

  pid_t pid_ = -1;
  int pidfd_ = -1;
};

}  // namespace muster::cli
