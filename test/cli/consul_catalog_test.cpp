// consul_catalog: Consul's JSON of nodes, services and checks, field by field.
#include "common/consul/consul_catalog.hpp"

#include "test/support/catch.hpp"

using namespace muster;

namespace {

proto::catalog::Node client003() {
  proto::catalog::Node node;
  node.name = "client003";
  node.id = "u-3";
  node.address = "127.0.0.113";
  node.meta = {{"rack", "7"}};
  node.create_rev = Revision{8};
  node.mod_rev = Revision{17};
  node.services = {{.id = "db",
                    .name = "db",
                    .tags = {"master"},
                    .port = 5432,
                    .create_rev = Revision{14},
                    .mod_rev = Revision{14}}};
  node.checks = {
      {.node = "client003",
       .id = "serfHealth",
       .name = "Serf Health Status",
       .status = "passing",
       .output = Bytes("Agent alive and reachable"),
       .create_rev = Revision{10},
       .mod_rev = Revision{3655}},
      {.node = "client003",
       .id = "service:db",
       .name = "db is there",
       .status = "warning",
       .type = "tcp",
       .service_id = "db",
       .service_name = "db",
       .service_tags = {"master"},
       .definition = {.tcp = "127.0.0.1:5432",
                      .interval_ms = 10'000,
                      .timeout_ms = 500,
                      .deregister_after_ms = 90'000}},
      {.node = "client003", .id = "service:web", .status = "critical", .service_id = "web"}};
  return node;
}

}  // namespace

TEST_CASE("consul_catalog: a node") {
  CHECK(
      compact(consul_node(client003(), "dc1")) ==
      R"({"ID":"u-3","Node":"client003","Address":"127.0.0.113","Datacenter":"dc1","TaggedAddresses":{"lan":"127.0.0.113","lan_ipv4":"127.0.0.113","wan":"127.0.0.113","wan_ipv4":"127.0.0.113"},"Meta":{"rack":"7"},"CreateIndex":8,"ModifyIndex":17})");
}

TEST_CASE("consul_catalog: addresses by their family, and of a name none") {
  proto::catalog::Node node;
  node.address = "fd00::1";
  CHECK(consul_node(node, "dc1")["TaggedAddresses"].dump() ==
        R"({"lan":"fd00::1","lan_ipv6":"fd00::1","wan":"fd00::1","wan_ipv6":"fd00::1"})");
  node.address = "web1.lan";
  CHECK(consul_node(node, "dc1")["TaggedAddresses"].dump() ==
        R"({"lan":"web1.lan","wan":"web1.lan"})");
  node.address = "";
  CHECK(consul_node(node, "dc1")["TaggedAddresses"].dump() == "{}");
}

TEST_CASE("consul_catalog: a service") {
  CHECK(
      compact(consul_service(client003().services[0])) ==
      R"({"ID":"db","Service":"db","Tags":["master"],"Meta":null,"Port":5432,"Address":"","Weights":{"Passing":1,"Warning":1},"EnableTagOverride":false,"CreateIndex":14,"ModifyIndex":14,"Proxy":{"MeshGateway":{},"Expose":{}},"Connect":{}})");
}

TEST_CASE("consul_catalog: a check") {
  CHECK(
      compact(consul_check(client003().checks[0])) ==
      R"({"Node":"client003","CheckID":"serfHealth","Name":"Serf Health Status","Status":"passing","Notes":"","Output":"Agent alive and reachable","ServiceID":"","ServiceName":"","ServiceTags":[],"Type":"","Definition":{"Interval":"0s","Timeout":"0s","DeregisterCriticalServiceAfter":"0s","HTTP":"","Header":null,"Method":"","Body":"","TLSSkipVerify":false,"TCP":""},"CreateIndex":10,"ModifyIndex":3655})");
  CHECK(
      consul_check(client003().checks[1])["Definition"].dump() ==
      R"({"Interval":"10s","Timeout":"500ms","DeregisterCriticalServiceAfter":"1m30s","HTTP":"","Header":null,"Method":"","Body":"","TLSSkipVerify":false,"TCP":"127.0.0.1:5432"})");
}

TEST_CASE("consul_catalog: an instance has the node's checks and its own, no other service's") {
  const proto::catalog::Node node = client003();
  const Json instance = consul_instance(node, node.services[0], "dc1");
  REQUIRE(instance["Checks"].size() == 2);
  CHECK(instance["Checks"][0]["CheckID"] == "serfHealth");
  CHECK(instance["Checks"][1]["CheckID"] == "service:db");
  CHECK(instance["Node"]["Datacenter"] == "dc1");
  CHECK(worst_status(checks_of(node, node.services[0])) == "warning");
}

TEST_CASE("consul_catalog: services have the tags of all their instances, each once") {
  proto::catalog::Node a;
  proto::catalog::Node b;
  a.services = {{.id = "web", .name = "web", .tags = {"v2", "primary"}},
                {.id = "db", .name = "db"}};
  b.services = {{.id = "web", .name = "web", .tags = {"v1", "primary"}}};
  CHECK(compact(consul_services({a, b})) == R"({"db":[],"web":["v2","primary","v1"]})");
  CHECK(compact(consul_services({})) == "{}");
}

TEST_CASE("consul_catalog: durations as Go writes them") {
  CHECK(go_duration(0) == "0s");
  CHECK(go_duration(1500) == "1.5s");
  CHECK(go_duration(60'000) == "1m0s");
  CHECK(go_duration(3'661'020) == "1h1m1.02s");
}
