// python_test: the example client of the protocol's README, run as a stranger would.
#include <signal.h>
#include <sstream>

#include <fmt/format.h>

#include "test/support/catch.hpp"
#include "test/support/cluster.hpp"

namespace muster::test {
namespace {

std::vector<std::string> python(std::vector<std::string> words) {
  words.insert(words.begin(), {"/usr/bin/python3", source("common/protocol/client.py")});
  return words;
}

/// The second word of each line.
std::vector<std::string> values(const std::string& output) {
  std::vector<std::string> all;
  std::istringstream lines(output);
  for (std::string rev, value; lines >> rev >> value;) all.push_back(value);
  return all;
}

std::vector<std::string> counted(int from, int to) {
  std::vector<std::string> all;
  for (int i = from; i <= to; ++i) all.push_back(std::to_string(i));
  return all;
}

TEST_CASE("python: what is put is got, by it and by muster", "[system]") {
  Cluster cluster;
  cluster.start_broker();
  cluster.run(python({"put", "a/b", "one"}));
  CHECK(cluster.run(python({"get", "a/b"})) == "one\n");
  CHECK(cluster.run({"muster", "kv", "get", "a/b"}) == "one\n");
  const auto missing = cluster.start(python({"get", "nothing"}));
  CHECK(missing->wait() == 1);
  CHECK(missing->output() == "no key exists at: nothing\n");
}

TEST_CASE("python: a watch misses nothing while the broker is killed and started twice",
          "[system][M18][M19]") {
  Cluster cluster;
  cluster.start_broker();
  cluster.run(python({"put", "k", "0"}));
  const auto watch = cluster.start(python({"watch", "k"}));
  watch->wait_for_output(" 0\n");
  int next = 1;
  for (int life = 0; life < 2; ++life) {
    for (int n = 0; n < 5; ++n) cluster.run({"muster", "kv", "put", "k", std::to_string(next++)});
    cluster.kill_broker();
    const auto waiting = cluster.start(python({"put", "k", std::to_string(next++)}));
    cluster.start_broker();
    CHECK(waiting->wait() == 0);
    for (int n = 0; n < 5; ++n) cluster.run({"muster", "kv", "put", "k", std::to_string(next++)});
  }
  watch->wait_for_output(fmt::format(" {}\n", next - 1));
  CHECK(values(watch->output()) == counted(0, next - 1));
}

TEST_CASE("python: a lock is held while its command runs, over a restart of the broker too",
          "[system][M21]") {
  Cluster cluster;
  cluster.start_broker();
  const std::string fifo = cluster.folder("fifo");
  const std::string done = cluster.folder("done");
  cluster.run({"mkfifo", fifo});
  const auto first = cluster.start(
      python({"lock", "l", "sh", "-c",
              fmt::format("echo first; read line <{}; touch {}; exit 3", fifo, done)}));
  first->wait_for_output("first");
  const auto second =
      cluster.start(python({"lock", "l", "sh", "-c", fmt::format("echo second; ls {}", done)}));
  cluster.kill_broker();
  cluster.start_broker();
  cluster.run(python({"put", "a", "1"}));
  CHECK(second->output().empty());
  cluster.run({"sh", "-c", fmt::format("echo >{}", fifo)});
  CHECK(first->wait() == 3);
  CHECK(second->wait() == 0);
  CHECK(second->output() == fmt::format("second\n{}\n", done));
}

TEST_CASE("python: the command ends when the lease is lost", "[system][M22]") {
  Cluster cluster;
  cluster.start_broker();
  const auto lock =
      cluster.start(python({"lock", "l", "sh", "-c", "echo $$; exec tail -f /dev/null"}));
  lock->wait_for_output("\n");
  const pid_t command = std::stoi(lock->output());
  CHECK(kill(command, 0) == 0);
  cluster.kill_broker();
  CHECK(lock->wait(seconds(15)) == 1);
  wait_until([&] { return kill(command, 0) != 0; }, "the end of the command", seconds(5));
}

}  // namespace
}  // namespace muster::test
