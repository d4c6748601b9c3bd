// supervised: a command under muster-supervise, seen from its parent.
//
// Passive: it exposes file descriptors for a loop and decodes what comes. When this object goes, or
// its process dies in whatever way, the supervisor ends every process of the command.
#pragma once

#include <optional>
#include <string>
#include <sys/types.h>
#include <utility>
#include <vector>

#include "common/error.hpp"
#include "common/limits.hpp"
#include "common/os/control.hpp"

namespace muster::os {

/// A file descriptor that closes itself.
class Fd {
 public:
  Fd() = default;
  explicit Fd(int fd) : fd_(fd) {}
  Fd(Fd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Fd& operator=(Fd&& other) noexcept;
  ~Fd() { reset(); }
  int get() const { return fd_; }
  explicit operator bool() const { return fd_ >= 0; }
  void reset();

 private:
  int fd_ = -1;
};

/// What becomes of processes that the command has left when it exits by itself.
enum class Leftovers { keep, kill };
enum class Stream { inherit, null, pipe };

struct Command {
  std::vector<std::string> argv;
  std::vector<std::string> environment;  ///< NAME=value; all of it
  std::string folder;                    ///< to run in; empty: ours
  Stream input = Stream::null;           ///< pipe: `input()` writes to it
  Stream output = Stream::inherit;
  Stream errors = Stream::inherit;
  Duration grace = limits::kill_grace_default;  ///< between TERM and KILL
  Leftovers leftovers = Leftovers::kill;
  std::vector<std::string> then;  ///< run by the supervisor if we die, after all have gone
};

class Supervised {
 public:
  /// Errors: unavailable (muster-supervise not found, no more processes or descriptors). That the
  /// command itself cannot be run comes as a report.
  static Result<Supervised> start(const Command& command);

  /// Readable when there are reports; for a loop.
  int control() const { return control_.get(); }
  /// The next report. None: nothing yet. The supervisor's own death reads as `gone`.
  std::optional<Report> next();

  /// To the command's process group.
  void signal(int number);
  /// TERM, the grace, KILL, for every descendant; `gone` is reported when none is left.
  void end();

  Fd& input() { return input_; }  ///< non-blocking, as the other two; only where piped
  Fd& output() { return output_; }
  Fd& errors() { return errors_; }

  pid_t supervisor() const { return supervisor_; }

  Supervised(Supervised&&) noexcept = default;
  Supervised& operator=(Supervised&&) noexcept = default;
  ~Supervised() = default;

 private:
  Supervised() = default;
  void order(const Order& order);

  Fd control_;
  Fd input_;
  Fd output_;
  Fd errors_;
  pid_t supervisor_ = -1;
  bool over_ = false;
};

/// This process' environment, with some names set anew.
std::vector<std::string> environment_with(
    const std::vector<std::pair<std::string, std::string>>& names);
/// Words joined by blanks for $SHELL -c (/bin/sh where it is not set), as Consul does.
std::vector<std::string> shell_command(const std::string& line);
/// The folder of this process' own program.
std::string program_folder();

}  // namespace muster::os
