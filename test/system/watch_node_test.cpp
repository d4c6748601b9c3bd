// watch_node_test: watches of a node's definitions: over reloads, restarts and events for others.
#include <csignal>
#include <filesystem>
#include <fstream>

#include <fmt/format.h>

#include "test/support/catch.hpp"
#include "test/support/cluster.hpp"

namespace muster::test {
namespace {

/// A node whose definitions are one file.
class Defined {
 public:
  explicit Defined(const std::string& definitions) {
    cluster.start_broker();
    std::filesystem::create_directory(cluster.folder("definitions"));
    define(definitions);
    start();
  }
  void define(const std::string& definitions) {
    std::ofstream(cluster.folder("definitions/all.json")) << definitions;
  }
  void start() {
    node = cluster.start({"muster-node", "--name", "n1", "--data", cluster.folder("n1-data"),
                          "--definitions", cluster.folder("definitions")});
    node->wait_for_output("ready");
  }
  void restart() {
    node->signal(SIGTERM);
    node->wait();
    start();
  }
  std::string written() const {
    std::ifstream file(cluster.folder("written"));
    return {std::istreambuf_iterator<char>(file), {}};
  }
  void until_written(const std::string& text) {
    wait_until([&] { return written() == text; }, "what the handler writes: " + text, seconds(30));
  }

  Cluster cluster;
  std::unique_ptr<Process> node;
};

std::string writes(const Cluster& cluster, const std::string& watch, const std::string& what) {
  return fmt::format(R"({{"watches": [{{{}, "handler": "read line; echo \"{}\" >> {}"}}]}})", watch,
                     what, cluster.folder("written"));
}

TEST_CASE("node watch: neither a restart nor a reload runs a handler again", "[system]") {
  Defined defined("{}");
  Cluster& cluster = defined.cluster;
  cluster.run({"muster", "kv", "put", "k", "1"});
  defined.define(writes(cluster, R"("type": "key", "key": "k")", "op $MUSTER_OP"));
  defined.node->signal(SIGHUP);
  defined.until_written("op \n");  // the first state
  cluster.run({"muster", "kv", "put", "k", "2"});
  defined.until_written("op \nop put\n");
  defined.restart();
  defined.node->signal(SIGHUP);
  cluster.run({"muster", "kv", "delete", "k"});
  defined.until_written("op \nop put\nop delete\n");
  const std::string listed = cluster.run({"muster", "watch", "list", "-format=jsonl"});
  CHECK(listed.find(R"("Name":"n1/key:k","Node":"n1","Topic":"key:k")") != std::string::npos);
}

TEST_CASE("node watch: an event for other nodes runs nothing, one for this node does", "[system]") {
  Defined defined(R"({"service": {"name": "web", "tags": ["v1"]}})");
  Cluster& cluster = defined.cluster;
  defined.define(R"({"service": {"name": "web", "tags": ["v1"]}, )" +
                 writes(cluster, R"("type": "event", "name": "e")", "got $MUSTER_KEY").substr(1));
  defined.restart();
  wait_until(
      [&] {
        return cluster.run({"muster", "watch", "list"}).find("n1/event:e") != std::string::npos;
      },
      "the cursor", seconds(30));
  CHECK(cluster.run({"muster", "event", "-name=e", "-node=^other$"}).find("no node matches") !=
        std::string::npos);
  cluster.run({"muster", "event", "-name=e", "-service=web", "-tag=v2"});
  const std::string sent =
      cluster.run({"muster", "event", "-name=e", "-service=^we", "-tag=v1", "-wait=20s"});
  CHECK(sent.find("n1") != std::string::npos);
  defined.until_written("got e\n");
}

TEST_CASE("node watch: a POST that fails is tried again, and seen", "[system]") {
  Defined defined(R"({"watches": [{"type": "event", "name": "e", "handler_type": "http",
      "http_handler_config": {"path": "http://127.0.0.1:1/hook"}}]})");
  Cluster& cluster = defined.cluster;
  wait_until(
      [&] {
        return cluster.run({"muster", "watch", "list"}).find("n1/event:e") != std::string::npos;
      },
      "the cursor", seconds(30));
  cluster.run({"muster", "event", "-name=e"});
  const auto failed = [&] {
    return cluster.run({"muster", "watch", "list", "-format=jsonl"}).find(R"("ExitCode":2)") !=
           std::string::npos;
  };
  wait_until(failed, "the failed POST", seconds(30));
  CHECK(defined.node->output().find("the handler of revision") != std::string::npos);
}

TEST_CASE("event list: since a time, and going on with those that come", "[system]") {
  Cluster cluster;
  cluster.start_broker();
  cluster.run({"muster", "event", "-name=e", "first"});
  CHECK(cluster.run({"muster", "event", "list", "-since=2001-01-01"}).find("first") !=
        std::string::npos);
  CHECK(cluster.run({"muster", "event", "list", "-since=2100-01-01"}).find("first") ==
        std::string::npos);
  const auto follow = cluster.start({"muster", "event", "list", "-name=e", "-follow"});
  follow->wait_for_output("first");
  cluster.run({"muster", "event", "-name=other", "not this"});
  cluster.kill_broker();
  cluster.start_broker();
  cluster.run({"muster", "event", "-name=e", "second"});
  follow->wait_for_output("second");
  CHECK(follow->output().find("not this") == std::string::npos);
}

}  // namespace
}  // namespace muster::test
