// program: one of this build's programs, run in a test: what it says, how it ends.
#pragma once

#include <string>
#include <vector>

#include "common/net/reactor.hpp"
#include "common/os/supervised.hpp"

namespace muster::node {

class Program {
 public:
  /// Of the test's own folder. `reactor` must outlive it.
  Program(net::Reactor& reactor, std::vector<std::string> argv);
  ~Program();  ///< when no process of it is left
  Program(const Program&) = delete;
  Program& operator=(const Program&) = delete;

  void signal(int number) { command_.signal(number); }
  /// Its exit code, or minus the signal; waits for that. Fails the test when it takes longer.
  int code();
  /// Waits until it has said this on stderr.
  void wait_for(const std::string& text);

  std::string out;
  std::string err;

 private:
  void wait(const std::function<bool()>& done);
  void watch(os::Fd& fd, std::string& text);

  net::Reactor& reactor_;
  os::Supervised command_;
  std::vector<net::SourceId> sources_;
  int open_ = 0;
  bool gone_ = false;
  std::optional<int> code_;
};

}  // namespace muster::node
