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
/// What becomes of descriptors other than 0, 1, 2 that our own parent gave us: a daemon keeps them
/// to itself; for a program that stands before another (`muster lock`) they are the user's.
enum class Descriptors { close, pass };

struct Command {
  std::vector<std::string> argv;
  std::vector<std::string> environment;  ///< NAME=value; all of it
  std::string folder;                    ///< to run in; empty: ours
  Stream input = Stream::null;           ///< pipe: `input()` writes to it
  Stream output = Stream::inherit;
  Stream errors = Stream::inherit;
  Duration grace = limits::kill_grace_default;  ///< between TERM and KILL
  Leftovers leftovers = Leftovers::kill;
  Descriptors others = Descriptors::close;
  /// Run by the supervisor when all have gone, if we die before we dismiss it.
  std::vector<std::string> then;
};

class Supervised {
 public:
  /// Errors: unavailable (muster-supervise or the folder not found, arguments too long, no more
  /// processes or descriptors). That the command itself cannot be run comes as a report.
  static Result<Supervised> start(const Command& command);

  /// Readable when there are reports; for a loop.
  int control() const { return control_.get(); }
  /// The next report: started, exited or killed, gone; or refused, gone. None: nothing yet.
  std::optional<Report> next();
  /// The supervisor was killed, and its command with it; what that had started may go on. Known
  /// when `gone` is reported.
  bool lost() const { return lost_; }

  /// To the command's process group.
  void signal(int number);
  /// TERM, the grace, KILL, for every descendant; `gone` is reported when none is left.
  void end();
  /// What `then` does has been done, or is not wanted.
  void dismiss();
  /// The supervisor does the same by itself at that time, unless told another one before: for a
  /// lease, which also runs out while this process is stopped.
  void end_at(TimePoint when);

  Fd& input() { return input_; }  ///< non-blocking, as the other two; only where piped
  Fd& output() { return output_; }
  Fd& errors() { return errors_; }

  pid_t supervisor() const { return supervisor_; }

  Supervised(Supervised&&) noexcept = default;
  Supervised& operator=(Supervised&&) noexcept = default;
  ~Supervised() = default;

 private:
  Supervised() = default;
  Report bury();

  Fd control_;
  Fd input_;
  Fd output_;
  Fd errors_;
  pid_t supervisor_ = -1;
  bool awaits_dismissal_ = false;
  bool concluded_ = false;  ///< exited, killed or refused was told
  bool over_ = false;
  bool lost_ = false;
};

/// This process' environment, with some names set anew.
std::vector<std::string> environment_with(
    const std::vector<std::pair<std::string, std::string>>& names);
/// Words joined by blanks for $SHELL -c (/bin/sh where it is not set), as Consul does.
std::vector<std::string> shell_command(const std::string& line);
/// The folder of this process' own program.
std::string program_folder();

}  // namespace muster::os
