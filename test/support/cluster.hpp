// cluster: real processes: a broker on free ports with a folder of its own, nodes, and programs
// that are run against them. What is started here ends with its owner.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <sys/types.h>
#include <vector>

#include "common/types.hpp"
#include "test/support/temporary.hpp"

namespace muster::test {

/// The program's path in this build: MUSTER_BIN says where.
std::string program(const std::string& name);
/// A file of the repository: MUSTER_SOURCE says where that is.
std::string source(const std::string& path);

/// A child process in a group of its own; what it says on both streams goes to a file.
class Process {
 public:
  Process(std::vector<std::string> command, const std::map<std::string, std::string>& environment,
          std::string output);
  ~Process();  ///< kills the group
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;

  pid_t pid() const { return pid_; }
  bool running();
  void signal(int number) const;
  /// The exit code, or 128 + the signal. Fails the test when it takes longer.
  int wait(Duration most = seconds(30));
  std::string output() const;
  /// Fails the test when the text is not in the output in time.
  void wait_for_output(const std::string& text, Duration most = seconds(30));

 private:
  const std::string output_;
  pid_t pid_ = -1;
  int status_ = -1;
  bool ended_ = false;
};

class Cluster {
 public:
  /// All that it keeps is in a temporary folder in `parent` (empty: in memory).
  explicit Cluster(const std::string& parent = {});

  /// Ready when it returns; the same folder and ports each time.
  void start_broker(std::vector<std::string> options = {});
  void kill_broker();  ///< -9
  void start_node(const std::string& name);
  Process& broker() { return *broker_; }

  /// A command that finds the broker.
  std::unique_ptr<Process> start(std::vector<std::string> command);
  /// Runs one to its end, which must be 0; gives its output.
  std::string run(std::vector<std::string> command);

  const std::string& endpoint() const { return endpoint_; }
  const std::string& notices() const { return notices_; }
  Process& node(const std::string& name) { return *nodes_.at(name); }
  std::string folder(const std::string& name) const { return folder_.path() + "/" + name; }

 private:
  TemporaryFolder folder_;
  std::string endpoint_;
  std::string notices_;
  int outputs_ = 0;
  std::unique_ptr<Process> broker_;
  std::map<std::string, std::unique_ptr<Process>> nodes_;
};

/// Fails the test when it does not become true in time. Waits in `poll`, without a sleep's guess.
void wait_until(const std::function<bool()>& done, const std::string& what, Duration most);

}  // namespace muster::test
