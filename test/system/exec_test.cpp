// exec_test: all output and no more memory, and no process left on any node.
#include <algorithm>
#include <csignal>
#include <fstream>

#include <fmt/format.h>

#include "test/support/catch.hpp"
#include "test/support/cluster.hpp"

namespace muster::test {
namespace {

constexpr std::size_t output_bytes = 300'000'000;  // of each node
constexpr std::size_t growth_max = 32UL * 1024 * 1024;
constexpr std::size_t nodes = 3;

std::string node_name(std::size_t n) { return fmt::format("n{}", n); }

/// The most that a process has had in memory so far.
std::size_t peak_bytes(int pid) {
  std::ifstream file(fmt::format("/proc/{}/status", pid));
  std::string word;
  std::size_t kb = 0;
  while (file >> word) {
    if (word == "VmHWM:") file >> kb;
  }
  return kb * 1024;
}

class Fleet {
 public:
  Fleet() {
    cluster.start_broker();
    for (std::size_t n = 0; n < nodes; ++n) cluster.start_node(node_name(n));
    daemons_.push_back(cluster.broker().pid());
    for (std::size_t n = 0; n < nodes; ++n) daemons_.push_back(cluster.node(node_name(n)).pid());
    for (const int pid : daemons_) before_.push_back(peak_bytes(pid));
  }

  void check_memory() const {
    for (std::size_t n = 0; n < daemons_.size(); ++n)
      CHECK(peak_bytes(daemons_[n]) - before_[n] < growth_max);
  }

  /// Waits until each node's process has written its pid here.
  std::vector<int> pids(const std::string& file, std::size_t count) const {
    std::vector<int> all;
    wait_until(
        [&] {
          std::ifstream stream(file);
          all.clear();
          for (int pid = 0; stream >> pid;) all.push_back(pid);
          return all.size() == count;
        },
        "the commands to begin", seconds(30));
    return all;
  }

  Cluster cluster;

 private:
  std::vector<int> daemons_;
  std::vector<std::size_t> before_;
};

bool any_alive(const std::vector<int>& pids) {
  return std::any_of(pids.begin(), pids.end(), [](int pid) { return kill(pid, 0) == 0; });
}

std::string flood() { return fmt::format("head -c {} /dev/zero | tr '\\0' x", output_bytes); }

TEST_CASE("exec: much output comes whole, in little memory", "[system]") {
  Fleet fleet;
  const std::string raw = fleet.cluster.run(
      {"sh", "-c", fmt::format("muster exec --raw n1 \"{}\" 2>/dev/null | wc -c", flood())});
  CHECK(raw == fmt::format("{}\n", output_bytes));
  const std::string all = fleet.cluster.run(
      {"sh", "-c", fmt::format("muster exec \"{}\" 2>/dev/null | tr -dc x | wc -c", flood())});
  CHECK(std::stoull(all) >= nodes * output_bytes);
  CHECK(std::stoull(all) < nodes * output_bytes + 1000);  // the words of the tool have an x, too
  fleet.check_memory();
}

TEST_CASE("exec: a reader that stands still stops the commands, not the fleet", "[system]") {
  Fleet fleet;
  const std::string file = fleet.cluster.folder("pid");
  const auto run = fleet.cluster.start(
      {"sh", "-c",
       fmt::format("muster exec --raw n1 \"echo \\$\\$ > {0}; {1}\" 2>/dev/null | "
                   "{{ until [ -e {0}.go ]; do sleep 0.05; done; wc -c; }}",
                   file, flood())});
  const int command = fleet.pids(file, 1).front();
  fleet.cluster.run({"muster", "kv", "put", "k", "v"});
  CHECK(kill(command, 0) == 0);
  fleet.check_memory();
  std::ofstream(file + ".go") << "go\n";
  CHECK(run->wait(seconds(60)) == 0);
  CHECK(run->output() == fmt::format("{}\n", output_bytes));
  fleet.check_memory();
}

TEST_CASE("exec: Ctrl-C leaves no process on any node, double-forked ones neither", "[system]") {
  Fleet fleet;
  const std::string file = fleet.cluster.folder("pids");
  const auto run = fleet.cluster.start(
      {"muster", "exec",
       fmt::format("trap '' TERM; (setsid sleep 1000 & echo $! >> {0}); echo $$ >> {0}; sleep 1000",
                   file)});
  const std::vector<int> pids = fleet.pids(file, 2 * nodes);
  run->signal(SIGINT);
  CHECK(run->wait() == 130);
  CHECK_FALSE(any_alive(pids));
}

TEST_CASE("exec: a node that is killed: its task is lost, its command gone", "[system]") {
  Fleet fleet;
  const std::string file = fleet.cluster.folder("pids");
  const auto run = fleet.cluster.start(
      {"muster", "exec",
       fmt::format("echo $$ >> {0}; [ $MUSTER_NODE != n1 ] || sleep 1000", file)});
  const std::vector<int> pids = fleet.pids(file, nodes);
  fleet.cluster.node("n1").signal(SIGKILL);
  CHECK(run->wait(seconds(60)) == 125);
  CHECK(run->output().find("n1: lost") != std::string::npos);
  wait_until([&] { return !any_alive(pids); }, "the commands to be gone", seconds(10));
}

TEST_CASE("exec: the broker is killed meanwhile: nothing is lost, nothing runs twice", "[system]") {
  Fleet fleet;
  const std::string file = fleet.cluster.folder("pids");
  const auto run = fleet.cluster.start(
      {"muster", "exec",
       fmt::format("echo $$ >> {0}; for i in 1 2 3 4 5 6 7 8; do echo $MUSTER_NODE $i; sleep 0.2; "
                   "done; exit 3",
                   file)});
  fleet.pids(file, nodes);
  fleet.cluster.kill_broker();
  fleet.cluster.start_broker();
  CHECK(run->wait(seconds(60)) == 2);
  CHECK(fleet.pids(file, nodes).size() == nodes);
  const std::string output = run->output();
  for (std::size_t n = 0; n < nodes; ++n) {
    const std::string name = node_name(n);
    std::size_t at = 0;
    for (int i = 1; i <= 8; ++i) {
      const std::string line = fmt::format("    {0}: {0} {1}\n", name, i);
      const std::size_t found = output.find(line, at);
      REQUIRE(found != std::string::npos);
      CHECK(output.find(line, found + 1) == std::string::npos);
      at = found;
    }
    CHECK(output.find(fmt::format("==> {}: finished with exit code 3\n", name)) !=
          std::string::npos);
  }
}

}  // namespace
}  // namespace muster::test
