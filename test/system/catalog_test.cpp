// catalog_test: services, checks, maintenance and nodes through the tool, as Consul prints them.
#include <csignal>
#include <fstream>

#include <fmt/format.h>

#include "test/support/catch.hpp"
#include "test/support/cluster.hpp"

namespace muster::test {
namespace {

using Words = std::vector<std::string>;

/// What it says on both streams; checks that it ends with `code`.
std::string said(Cluster& cluster, int code, const Words& words) {
  const auto process = cluster.start(words);
  const int ended = process->wait();
  INFO(process->output());
  CHECK(ended == code);
  return process->output();
}

bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

void wait_for(Cluster& cluster, const Words& words, const std::string& part) {
  wait_until([&] { return has(cluster.run(words), part); }, part, seconds(20));
}

}  // namespace

TEST_CASE("catalog: a service is registered, checked, shown and deregistered", "[system]") {
  Cluster cluster;
  cluster.start_broker({"--cluster-name", "dc1"});
  cluster.start_node("client001");
  const auto on = [](Words words) {
    words.insert(words.begin() + 3, "-node=client001");
    return words;
  };
  CHECK(cluster.run(on({"muster", "services", "register", "-name=s1", "-id=a", "-port=99", "-tag=x",
                        "-tag=y", "-meta", "k=v", "-check-ttl=1h"})) == "Registered service: s1\n");
  CHECK(
      said(cluster, 64, {"muster", "service", "register"}) ==
      "Service registration requires at least one argument or flags.\nhelp: muster service register -help\n");
  said(cluster, 64, on({"muster", "service", "register", "-port=1"}));
  said(cluster, 64, on({"muster", "service", "register", "-name=x", "-meta=k"}));
  said(cluster, 64, on({"muster", "service", "register", "-name=x", "-port=70000"}));
  said(cluster, 5, {"muster", "service", "register", "-name=x", "-node=nope"});
  CHECK(has(cluster.run({"muster", "service", "list"}), "s1       a   client001  critical"));
  cluster.run(on({"muster", "check", "pass", "service:a", "-note=all <fine>"}));
  CHECK(has(cluster.run({"muster", "service", "list"}), "s1       a   client001  passing"));
  const std::string shown = cluster.run({"muster", "service", "show", "s1", "-format=jsonl"});
  CHECK(has(shown, R"("Datacenter":"dc1")"));
  CHECK(has(shown, R"("Service":"s1","Tags":["x","y"],"Meta":{"k":"v"},"Port":99)"));
  CHECK(has(shown, R"("CheckID":"service:a","Name":"Service 's1' check","Status":"passing")"));
  CHECK(has(shown, R"("Output":"all \u003cfine\u003e")"));
  cluster.run(on({"muster", "check", "warn", "service:a"}));
  CHECK(has(cluster.run({"muster", "check", "list", "-state=warning"}), "service:a"));
  cluster.run(on({"muster", "check", "fail", "service:a", "-note=broken"}));
  CHECK(has(cluster.run({"muster", "check", "list", "-service=s1"}), "critical"));
  CHECK_FALSE(has(cluster.run({"muster", "check", "list", "-state=passing"}), "service:a"));
  said(cluster, 5, on({"muster", "check", "pass", "nope"}));
  said(cluster, 5, {"muster", "service", "show", "nope"});
  CHECK(cluster.run(on({"muster", "services", "deregister", "a"})) == "Deregistered service: a\n");
  CHECK(cluster.run(on({"muster", "services", "deregister", "-id=nope"})) ==
        "Deregistered service: nope\n");
  CHECK(cluster.run({"muster", "service", "list"}) == "Service  ID  Node  Status  Address  Tags\n");
}

TEST_CASE(
    "catalog: services and checks come from files, too; a mistake is named before anything "
    "is sent",
    "[system]") {
  Cluster cluster;
  cluster.start_broker();
  cluster.start_node("n1");
  const std::string good = cluster.folder("good.json");
  const std::string bad = cluster.folder("bad.json");
  std::ofstream(good) << R"({"services": [{"name": "web", "checks": [{"ttl": "1h"}, {"ttl": "2h"}]},
                                          {"name": "db", "port": 5432}]})";
  std::ofstream(bad) << R"({"service": {"name": "x", "check": {"ttl": "1"}}})";
  CHECK(cluster.run({"muster", "validate", good}) == "Configuration is valid!\n");
  const std::string why =
      bad + ": line 1: service.check.ttl: invalid duration \"1\": write 5s, 500ms or 1h30m\n";
  CHECK(said(cluster, 1, {"muster", "validate", good, bad}) == "Config validation failed: " + why);
  CHECK(said(cluster, 1, {"muster", "service", "register", "-node=n1", good, bad}) ==
        "Error registering services: " + why);
  CHECK(cluster.run({"muster", "service", "register", "-node=n1", good}) ==
        "Registered service: web\nRegistered service: db\n");
  CHECK(has(cluster.run({"muster", "check", "list", "-service=web"}), "service:web:2"));
  said(cluster, 64, {"muster", "service", "register", "-name=y", good});
  said(cluster, 64, {"muster", "validate"});
}

TEST_CASE("catalog: a TTL check that nobody tells is critical, also over a restart of the broker",
          "[system]") {
  Cluster cluster;
  cluster.start_broker();
  cluster.start_node("n1");
  cluster.run({"muster", "service", "register", "-node=n1", "-name=job", "-check-ttl=2s"});
  cluster.run({"muster", "check", "pass", "-node=n1", "service:job"});
  cluster.kill_broker();
  cluster.start_broker();
  CHECK(has(cluster.run({"muster", "check", "list", "-service=job"}), "passing"));
  wait_for(cluster, {"muster", "check", "list", "-service=job"}, "TTL expired");
}

TEST_CASE("catalog: maintenance is said as Consul says it, and to who runs a command there",
          "[system]") {
  Cluster cluster;
  cluster.start_broker();
  cluster.start_node("client001");
  cluster.run({"muster", "service", "register", "-node=client001", "-name=web"});
  const auto maint = [&](Words words) {
    words.insert(words.begin(), {"muster", "maint", "-node=client001"});
    return words;
  };
  CHECK(cluster.run(maint({})).empty());
  CHECK(cluster.run(maint({"-enable", "-reason=new disk"})) == "Node maintenance is now enabled\n");
  CHECK(cluster.run(maint({})) == "Node:\n  Name:   client001\n  Reason: new disk\n\n");
  CHECK(has(cluster.run({"muster", "node", "list"}), "client001  maintenance"));
  CHECK(has(said(cluster, 0, {"muster", "exec", "true"}),
            "muster exec: in maintenance: client001\n"));
  CHECK(cluster.run(maint({"-disable"})) == "Node maintenance is now disabled\n");
  CHECK(cluster.run(maint({"-enable", "-service=web", "-reason=x"})) ==
        "Service maintenance is now enabled for \"web\"\n");
  CHECK(cluster.run(maint({})) == "Service:\n  ID:     web\n  Reason: x\n\n");
  CHECK(has(cluster.run({"muster", "maint", "-all"}), "  Node:   client001\n"));
  CHECK(has(cluster.run({"muster", "service", "list"}), "maintenance"));
  CHECK(said(cluster, 5, maint({"-enable", "-service=nope"})) ==
        "Error enabling service maintenance: No service registered with ID \"nope\"\n");
  said(cluster, 64, maint({"-enable", "-disable"}));
  said(cluster, 64, maint({"-reason=x"}));
  said(cluster, 64, maint({"-service=web"}));
  said(cluster, 5, {"muster", "maint", "-node=nope"});
}

TEST_CASE("catalog: members and nodes have Consul's columns; a dead node is failed until forgotten",
          "[system]") {
  Cluster cluster;
  cluster.start_broker({"--cluster-name", "dc1"});
  CHECK(said(cluster, 2, {"muster", "members"}).empty());
  CHECK(said(cluster, 0, {"muster", "catalog", "nodes"}) ==
        "No nodes match the given query - try expanding your search.\n");
  CHECK(said(cluster, 0, {"muster", "catalog", "services"}) ==
        "No services match the given query - try expanding your search.\n");
  CHECK(cluster.run({"muster", "catalog", "datacenters"}) == "dc1\n");
  cluster.start_node("client001");
  cluster.start_node("client002");
  for (const std::string node : {"client001", "client002"}) {
    cluster.run(
        {"muster", "service", "register", "-node=" + node, "-name=web", "-tag=v2", "-tag=" + node});
  }
  cluster.run({"muster", "service", "register", "-node=client002", "-name=db"});
  const std::string members = cluster.run({"muster", "members"});
  CHECK(
      members.starts_with("Node       Address    Status  Type    Build  Protocol  DC   Segment\n"));
  CHECK(has(members, "client001  127.0.0.1  alive   client  0.1.0  1         dc1  <default>\n"));
  CHECK(has(cluster.run({"muster", "members", "-detailed"}), "build=0.1.0,dc=dc1,id="));
  CHECK(said(cluster, 2, {"muster", "members", "-status=^failed$"}).empty());
  said(cluster, 64, {"muster", "members", "-status=("});
  CHECK(cluster.run({"muster", "catalog", "services", "-tags"}) ==
        "db\nweb      client001,client002,v2\n");
  CHECK(cluster.run({"muster", "catalog", "services", "-node=client001"}) == "web\n");
  CHECK_FALSE(has(cluster.run({"muster", "catalog", "nodes", "-service=db"}), "client001"));
  CHECK(cluster.run({"muster", "catalog", "nodes"})
            .starts_with("Node       ID        Address    DC"));
  CHECK(has(cluster.run({"muster", "catalog", "nodes", "-detailed"}), "TaggedAddresses"));

  said(cluster, 7, {"muster", "node", "forget", "client002"});
  cluster.node("client002").signal(SIGKILL);
  wait_for(cluster, {"muster", "members"}, "failed");
  CHECK(has(cluster.run({"muster", "check", "list", "-state=critical"}),
            "Agent not live or unreachable"));
  CHECK(has(cluster.run({"muster", "service", "list", "db"}), "down"));
  CHECK(cluster.run({"muster", "node", "forget", "client002"}) == "Forgot node: client002\n");
  CHECK_FALSE(has(cluster.run({"muster", "members"}), "client002"));
  CHECK(cluster.run({"muster", "catalog", "services"}) == "web\n");
}

TEST_CASE("catalog: a reload of a node that is not there is said at once", "[system]") {
  Cluster cluster;
  cluster.start_broker();
  CHECK(said(cluster, 5, {"muster", "reload", "-node=nope"}) == "Error reloading: no node nope\n");
  cluster.start_node("n1");
  cluster.node("n1").signal(SIGKILL);
  wait_for(cluster, {"muster", "node", "list"}, "down");
  CHECK(said(cluster, 1, {"muster", "reload", "-node=n1"}) == "Error reloading: node n1 is down\n");
}

}  // namespace muster::test
