// child: a program of the user's, run for a watch or under a lock, as seen from a loop.
//
// It runs under muster-supervise: every process of it ends when we say so, or when we die.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "common/handle/outlet.hpp"
#include "common/os/supervised.hpp"

namespace muster {

/// Whether words are joined by blanks for `$SHELL -c`, or are a program and its arguments.
enum class Shell { yes, no };
std::vector<std::string> program_of(std::span<const std::string> words, Shell shell);

/// How it ended: one of the three is not 0, or the exit code was 0.
struct ChildEnd {
  int code = 0;
  int signal = 0;
  int refused = 0;  ///< errno: it never began
};

/// As Go words it: "exit status 3", "signal: killed", "no such file or directory".
std::string words_for(const ChildEnd& end);

class Child {
 public:
  /// `input` goes to its stdin where that is a pipe. `on_gone` is called once, from the loop, when
  /// no process of it is left (or those left are let be); it may destroy the child. Errors:
  /// unavailable.
  static Result<std::unique_ptr<Child>> start(net::Reactor& reactor, const os::Command& command,
                                              std::string input,
                                              std::function<void(const ChildEnd&)> on_gone);
  ~Child();
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;

  void signal(int number) { supervised_.signal(number); }
  /// TERM, the grace, KILL, for every descendant.
  void end() { supervised_.end(); }
  /// The same at that time, also if this process is stopped then; a later call moves it.
  void end_at(TimePoint when) { supervised_.end_at(when); }
  /// What `then` of the command does has been done.
  void dismiss() { supervised_.dismiss(); }
  /// Of the program; 0: not told yet.
  int pid() const { return pid_; }

 private:
  Child(net::Reactor& reactor, os::Supervised supervised,
        std::function<void(const ChildEnd&)> on_gone);
  void feed(std::string input);
  void read_reports();

  net::Reactor& reactor_;
  os::Supervised supervised_;
  std::function<void(const ChildEnd&)> on_gone_;
  net::SourceId control_;
  std::unique_ptr<Outlet> input_;
  int pid_ = 0;
  ChildEnd end_;
};

}  // namespace muster
