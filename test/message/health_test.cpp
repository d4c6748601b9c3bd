// health_test: a node and its checks as real frames, from a peer that is no muster-node.
#include "common/protocol/catalog.hpp"
#include "test/message/serving.hpp"
#include "test/support/catch.hpp"

namespace muster::test {
namespace {

using proto::catalog::Define;
using proto::catalog::Nodes;
using proto::catalog::Register;
using proto::health::Check;
using proto::health::List;
using proto::health::Report;
using proto::health::Update;

proto::catalog::Node edge() {
  Check beat{.id = "beat", .name = "beat"};
  beat.definition.ttl_ms = 60'000;
  return {.name = "edge", .id = "f4c7", .services = {}, .checks = {beat}};
}

TEST_CASE("health: a node without an address has the one that its connection comes from",
          "[message]") {
  const Serving serving;
  Peer node(serving, "node");
  Peer ann(serving, "ann");
  node.ask(Register{.node = edge(), .tasks = {}});
  CHECK(ann.ask(Nodes{.name = "edge", .matching = {}, .from = {}}).nodes.at(0).address ==
        "127.0.0.1");
  proto::catalog::Node said = edge();
  said.address = "192.0.2.7";
  node.ask(Register{.node = said, .tasks = {}});
  CHECK(ann.ask(Nodes{.name = "edge", .matching = {}, .from = {}}).nodes.at(0).address ==
        "192.0.2.7");
}

TEST_CASE("health: a TTL check is told by anybody, a report is its node's own", "[message]") {
  const Serving serving;
  Peer node(serving, "node");
  Peer ann(serving, "ann");
  node.ask(Register{.node = edge(), .tasks = {}});
  ann.ask(Update{.node = "edge", .check = "beat", .status = "warning", .output = Bytes("slow")});
  const auto listed = ann.ask(List{.node = "edge", .service = {}, .state = "warning", .from = {}});
  REQUIRE(listed.checks.size() == 1);
  CHECK(listed.checks[0].id == "beat");
  CHECK(listed.checks[0].output.data == "slow");
  const Report report{.findings = {{.id = "beat", .status = "passing", .output = {}}}};
  CHECK(ann.refusal(report) == Code::denied);
  CHECK(ann.refusal(Update{.node = "edge", .check = "beat", .status = "fine", .output = {}}) ==
        Code::invalid);
  CHECK(ann.refusal(Update{.node = "edge", .check = "no", .status = "passing", .output = {}}) ==
        Code::not_found);
}

TEST_CASE("health: a check that is defined over the API is given to its node", "[message]") {
  const Serving serving;
  Peer node(serving, "node");
  Peer ann(serving, "ann");
  node.ask(Register{.node = edge(), .tasks = {}});
  Check port{.id = "port", .name = "port"};
  port.definition.tcp = "127.0.0.1:9";
  port.definition.interval_ms = 1000;
  ann.ask(Define{.node = "edge", .services = {}, .checks = {port}});
  const Heard given = node.hear();
  CHECK(given.kind == proto::catalog::Take::verb);
  const auto take = codec::decode<proto::catalog::Take>(given.body);
  REQUIRE(take->checks.size() == 1);
  CHECK(take->checks[0].definition.tcp == "127.0.0.1:9");
  // It comes again with each registration: a node keeps no list of its own.
  CHECK(node.ask(Register{.node = edge(), .tasks = {}}).checks.size() == 1);
}

}  // namespace
}  // namespace muster::test
