// catalog: nodes with services and checks, what is defined over the API, what is forgotten.
#include "common/protocol/catalog.hpp"

#include "test/support/catch.hpp"
#include "test/support/world.hpp"

namespace muster::test {
namespace {

using proto::catalog::Define;
using proto::catalog::Forget;
using proto::catalog::Node;
using proto::catalog::Nodes;
using proto::catalog::Register;
using proto::catalog::Reload;
using proto::catalog::Reloaded;
using proto::catalog::Service;
using proto::catalog::Undefine;
using proto::health::Check;

Check tcp(const std::string& id, const std::string& service = {}) {
  return {.id = id,
          .name = id,
          .service_id = service,
          .definition = {.tcp = "127.0.0.1:1", .interval_ms = 1000}};
}

proto::catalog::Registered enrol(World& world, const std::string& name,
                                 std::vector<Service> services = {},
                                 std::vector<Check> checks = {}) {
  const auto registered = world.ask(name, Register{.node = {.name = name,
                                                            .id = "id-of-" + name,
                                                            .services = std::move(services),
                                                            .checks = std::move(checks)},
                                                   .tasks = {}});
  world.presence(name, true);
  return registered;
}

Node node(World& world, const std::string& name) {
  return world.ask("ann", Nodes{.name = name}).nodes.at(0);
}

}  // namespace

TEST_CASE("catalog: what is defined over the API stays when the node registers again", "[core]") {
  World world;
  enrol(world, "n1", {{.id = "web", .name = "web"}});
  const auto defined = world.ask(
      "ann",
      Define{.node = "n1", .services = {{.id = "db", .name = "db"}}, .checks = {tcp("c", "db")}});
  CHECK_FALSE(defined.unchanged);
  REQUIRE(world.orders("n1").size() == 1);
  CHECK(world.orders("n1")[0].second == "node.checks");
  CHECK(world
            .ask("ann", Define{.node = "n1",
                               .services = {{.id = "db", .name = "db"}},
                               .checks = {tcp("c", "db")}})
            .unchanged);
  CHECK(world.orders("n1").size() == 1);
  const auto registered = enrol(world, "n1", {{.id = "other", .name = "other"}});
  REQUIRE(registered.checks.size() == 1);
  CHECK(registered.checks[0].id == "c");
  const Node now = node(world, "n1");
  REQUIRE(now.services.size() == 2);
  CHECK(now.services[0].owner == "api");
  CHECK(now.services[1].owner == "file");
  REQUIRE(now.checks.size() == 2);
  CHECK(now.checks[0].id == "c");
  CHECK(now.checks[1].id == "serfHealth");
}

TEST_CASE("catalog: a file's service and check are not changed over the API", "[core]") {
  World world;
  enrol(world, "n1", {{.id = "web", .name = "web"}}, {tcp("c", "web")});
  CHECK(world.refusal("ann", Define{.node = "n1", .services = {{.id = "web", .name = "w"}}}) ==
        Code::conflict);
  CHECK(world.refusal("ann", Define{.node = "n1", .services = {}, .checks = {tcp("c")}}) ==
        Code::conflict);
  CHECK(world.refusal("ann", Undefine{.node = "n1", .service = "web"}) == Code::conflict);
  CHECK(world.refusal("ann", Undefine{.node = "n1", .service = {}, .check = "c"}) ==
        Code::conflict);
}

TEST_CASE("catalog: undefine takes a service with its checks, or one check, or nothing", "[core]") {
  World world;
  enrol(world, "n1");
  world.ask("ann", Define{.node = "n1",
                          .services = {{.id = "db", .name = "db"}},
                          .checks = {tcp("a", "db"), tcp("b", "db"), tcp("c")}});
  CHECK(world.ask("ann", Undefine{.node = "n1", .service = {}, .check = "a"}).count == 1);
  CHECK(world.ask("ann", Undefine{.node = "n1", .service = "db"}).count == 2);
  CHECK(world.ask("ann", Undefine{.node = "n1", .service = "db"}).count == 0);
  CHECK(world.refusal("ann", Undefine{.node = "n2", .service = "db"}) == Code::not_found);
  CHECK(node(world, "n1").checks.size() == 2);
  CHECK(world.orders("n1").size() == 3);
}

TEST_CASE("catalog: a check has the name and tags that its service has now", "[core]") {
  World world;
  enrol(world, "n1", {{.id = "web", .name = "web", .tags = {"v1"}}}, {tcp("c", "web")});
  enrol(world, "n1", {{.id = "web", .name = "www", .tags = {"v2"}}}, {tcp("c", "web")});
  const Node now = node(world, "n1");
  CHECK(now.checks[0].service_name == "www");
  CHECK(now.checks[0].service_tags == std::vector<std::string>{"v2"});
}

TEST_CASE("catalog: a node is forgotten only when it is down", "[core]") {
  World world;
  enrol(world, "n1", {{.id = "web", .name = "web"}}, {tcp("c", "web")});
  CHECK(world.refusal("ann", Forget{.node = "n1"}) == Code::conflict);
  CHECK(world.refusal("ann", Forget{.node = "n2"}) == Code::not_found);
  world.presence("n1", false);
  world.advance(seconds(2));
  world.ask("ann", Forget{.node = "n1"});
  CHECK(world.ask("ann", Nodes{}).nodes.empty());
  enrol(world, "n1");
  CHECK(node(world, "n1").services.empty());
}

TEST_CASE("catalog: a reload is answered when the node has read its files again", "[core]") {
  World world;
  enrol(world, "n1");
  const RequestNo no = world.send("ann", Reload{.node = "n1"});
  REQUIRE(world.orders("n1").size() == 1);
  CHECK(world.orders("n1")[0].second == "node.reload");
  enrol(world, "n1", {{.id = "web", .name = "web"}});  // what it has read comes first
  CHECK_FALSE(world.answered("ann", no));
  const auto answer = [&](std::string_view kind, const std::string& body) {
    world.raw("n1", {proto::encode_answer(kind, world.orders("n1").back().first), body});
  };
  SECTION("with what it found") {
    answer(proto::verb_reply, codec::encode(Reloaded{.services = 1, .problem = "line 3"}));
    const auto said = codec::decode<Reloaded>(world.answer_to("ann", no, proto::verb_reply).body);
    CHECK(said->services == 1);
    CHECK(said->problem == "line 3");
    CHECK(world.core().memory().parked.empty());
    CHECK(world.core().memory().dispatches.empty());
  }
  SECTION("with its error") {
    answer(proto::verb_error, proto::encode_error({Code::invalid, "no definitions"}));
    CHECK(proto::decode_error(world.answer_to("ann", no, proto::verb_error).body).message ==
          "no definitions");
  }
  SECTION("with an error when what it says is no answer") {
    answer(proto::verb_reply, "\xc1");
    CHECK(proto::decode_error(world.answer_to("ann", no, proto::verb_error).body).code ==
          Code::internal);
  }
}

TEST_CASE("catalog: a reload ends when its node is silent, goes down or connects anew", "[core]") {
  World world;
  enrol(world, "n1");
  const RequestNo no = world.send("ann", Reload{.node = "n1"});
  const auto code = [&] {
    return proto::decode_error(world.answer_to("ann", no, proto::verb_error).body).code;
  };
  SECTION("silent") {
    world.advance(seconds(9));
    CHECK_FALSE(world.answered("ann", no));
    world.advance(seconds(1));
    CHECK(code() == Code::timeout);
  }
  SECTION("down") {
    world.presence("n1", false);
    world.advance(seconds(2));
    CHECK(code() == Code::unavailable);
    CHECK(world.refusal("ann", Reload{.node = "n1"}) == Code::unavailable);
    CHECK(world.refusal("ann", Reload{.node = "n2"}) == Code::not_found);
  }
  SECTION("anew") {
    world.reconnect("n1");
    enrol(world, "n1");
    CHECK(code() == Code::unavailable);
  }
  CHECK(world.core().memory().parked.empty());
}

TEST_CASE("catalog: nodes come in parts, by name", "[core]") {
  World world;
  std::vector<Service> services;
  for (int n = 0; n < 900; ++n) {
    const std::string id = "service-" + std::to_string(n);
    services.push_back({.id = id, .name = id, .meta = {{"note", std::string(200, 'x')}}});
  }
  for (int n = 0; n < 6; ++n) enrol(world, "n" + std::to_string(n), services);
  Nodes request;
  std::vector<std::string> names;
  int parts = 0;
  do {
    const auto listing = world.ask("ann", request);
    for (const Node& found : listing.nodes) names.push_back(found.name);
    request.from = listing.next;
    ++parts;
  } while (!request.from.empty());
  CHECK(names == std::vector<std::string>{"n0", "n1", "n2", "n3", "n4", "n5"});
  CHECK(parts == 3);
  services.resize(1025, {.id = "x", .name = "x"});
  for (std::size_t n = 0; n < services.size(); ++n) services[n].id = "s" + std::to_string(n);
  CHECK(world.refusal("n9", Register{.node = {.name = "n9", .id = "i", .services = services},
                                     .tasks = {}}) == Code::too_large);
}

}  // namespace muster::test
