// health: statuses, TTLs, maintenance, and what is news on which topic.
#include "common/protocol/health.hpp"

#include <algorithm>

#include "common/protocol/catalog.hpp"
#include "common/protocol/watch.hpp"
#include "test/support/catch.hpp"
#include "test/support/world.hpp"

namespace muster::test {
namespace {

using proto::catalog::Define;
using proto::catalog::Node;
using proto::catalog::Nodes;
using proto::catalog::Register;
using proto::catalog::Service;
using proto::catalog::Undefine;
using proto::health::Check;
using proto::health::List;
using proto::health::Maintain;
using proto::health::Report;
using proto::health::Update;

Check script(const std::string& id, const std::string& service = {}) {
  return {.id = id,
          .name = "looks at " + id,
          .service_id = service,
          .definition = {.args = {"/bin/true"}, .interval_ms = 1000}};
}

Check ttl(const std::string& id, std::uint64_t ms, const std::string& service = {}) {
  return {.id = id, .name = id, .service_id = service, .definition = {.ttl_ms = ms}};
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

std::vector<Check> list(World& world, List request = {}) {
  return world.ask("ann", request).checks;
}

Check one(World& world, const std::string& id) {
  for (Check& check : list(world)) {
    if (check.id == id) return check;
  }
  FAIL("no check " + id);
  return {};
}

void report(World& world, const std::string& node, const std::string& id, const std::string& status,
            const std::string& output = {}) {
  world.ask(node, Report{.findings = {{.id = id, .status = status, .output = Bytes(output)}}});
}

/// The topics that the requests in `act` were news on, of those that are asked about.
std::vector<std::string> news(World& world, const std::vector<std::string>& topics,
                              const std::function<void()>& act) {
  const Revision before = world.core().rev();
  act();
  std::vector<std::string> found;
  for (const std::string& name : topics) {
    const auto answer = world.ask(
        "reader", proto::watch::Read{.topic = name + '\0', .history = {}, .after = before});
    if (!answer.items.empty()) found.push_back(name);
  }
  return found;
}

const std::vector<std::string> all_topics = {"checks", "service:web", "service:db", "services",
                                             "nodes"};
using Topics = std::vector<std::string>;

}  // namespace

TEST_CASE("health: a node reports a status; the list says it with output and since when",
          "[core]") {
  World world;
  enrol(world, "n1", {{.id = "web", .name = "web", .tags = {"v1"}}}, {script("c", "web")});
  CHECK(one(world, "c").status == "critical");
  world.advance(seconds(5));
  report(world, "n1", "c", "passing", "fine");
  const Check check = one(world, "c");
  CHECK(check.status == "passing");
  CHECK(check.output.view() == "fine");
  CHECK(check.type == "script");
  CHECK(check.owner == "file");
  CHECK(check.service_name == "web");
  CHECK(check.service_tags == std::vector<std::string>{"v1"});
  CHECK(check.create_rev < check.mod_rev);
}

TEST_CASE("health: only a node that has registered may report, and only of itself", "[core]") {
  World world;
  enrol(world, "n1", {}, {script("c")});
  enrol(world, "n2");
  CHECK(world.refusal("ann", Report{.findings = {{.id = "c", .status = "passing"}}}) ==
        Code::denied);
  report(world, "n2", "c", "passing");  // n2 has no such check: passed over
  CHECK(one(world, "c").status == "critical");
  CHECK(world.refusal("n1", Report{.findings = {{.id = "c", .status = "fine"}}}) == Code::invalid);
}

TEST_CASE("health: a new output is a change, but news on no topic; the same one is no change",
          "[core]") {
  World world;
  enrol(world, "n1", {{.id = "web", .name = "web"}}, {script("c", "web")});
  report(world, "n1", "c", "passing", "a");
  const Check before = one(world, "c");
  CHECK(news(world, all_topics, [&] { report(world, "n1", "c", "passing", "b"); }).empty());
  const Check after = one(world, "c");
  CHECK(after.output.view() == "b");
  CHECK(after.mod_rev == before.mod_rev);
  CHECK(after.output_rev > before.output_rev);
  const Revision rev = world.core().rev();
  report(world, "n1", "c", "passing", "b");
  CHECK(world.core().rev() == rev);
  report(world, "n1", "c", "passing", std::string(5000, 'x') + "end");
  CHECK(one(world, "c").output.size() == limits::check_told_bytes);
  CHECK(one(world, "c").output.view().ends_with("xend"));
}

TEST_CASE("health: a status is news on checks and its service; a node's own on all its services",
          "[core]") {
  World world;
  enrol(world, "n1", {{.id = "web", .name = "web"}, {.id = "db", .name = "db"}},
        {script("c", "web"), script("disk")});
  CHECK(news(world, all_topics, [&] { report(world, "n1", "c", "passing"); }) ==
        Topics{"checks", "service:web"});
  CHECK(news(world, all_topics, [&] { report(world, "n1", "disk", "warning"); }) ==
        Topics{"checks", "service:web", "service:db"});
}

TEST_CASE("health: a node goes down and comes back: liveness, services and nodes have news",
          "[core]") {
  World world;
  enrol(world, "n1", {{.id = "web", .name = "web"}});
  CHECK(one(world, "serfHealth").output.view() == "Agent alive and reachable");
  const Topics topics = news(world, all_topics, [&] {
    world.presence("n1", false);
    world.advance(seconds(2));
  });
  CHECK(topics == Topics{"checks", "service:web", "nodes"});
  CHECK(one(world, "serfHealth").status == "critical");
  CHECK(one(world, "serfHealth").output.view() == "Agent not live or unreachable");
  CHECK(news(world, all_topics, [&] { world.presence("n1", true); }) ==
        Topics{"checks", "service:web", "nodes"});
}

TEST_CASE("health: a daemon that registers again as it was is no news, and statuses stay",
          "[core]") {
  World world;
  const auto again = [&] {
    enrol(world, "n1", {{.id = "web", .name = "web"}}, {script("c", "web")});
  };
  again();
  report(world, "n1", "c", "passing", "fine");
  CHECK(news(world, all_topics, again).empty());
  CHECK(one(world, "c").status == "passing");
  CHECK(one(world, "c").output.view() == "fine");
  Check other = script("c", "web");
  other.definition.args = {"/bin/false"};
  CHECK(news(world, all_topics, [&] {
          enrol(world, "n1", {{.id = "web", .name = "web"}}, {other});
        }) == Topics{"checks", "service:web"});
  CHECK(one(world, "c").status == "critical");
  enrol(world, "n1");
  CHECK(list(world).size() == 1);
}

TEST_CASE("health: definitions that cannot be: named, with the rule", "[core]") {
  World world;
  enrol(world, "n1");
  const auto refused = [&](const Check& check) {
    return world.refusal("ann", Define{.node = "n1", .services = {}, .checks = {check}});
  };
  CHECK(refused(script("")) == Code::invalid);
  CHECK(refused(script("c", "nope")) == Code::invalid);
  CHECK(refused(script("serfHealth")) == Code::invalid);
  CHECK(refused(script("_node_maintenance")) == Code::invalid);
  Check check = script("c");
  check.definition.interval_ms = 0;
  CHECK(refused(check) == Code::invalid);
  check = script("c");
  check.definition.ttl_ms = 5;
  CHECK(refused(check) == Code::invalid);
  check = script("c");
  check.status = "fine";
  CHECK(refused(check) == Code::invalid);
  check = script("c");
  check.definition.timeout_ms = std::uint64_t{1} << 63U;  // it was negative as a duration
  CHECK(refused(check) == Code::invalid);
  check = script("c");
  check.definition.failures_before_critical = std::uint64_t{1} << 63U;
  CHECK(refused(check) == Code::invalid);
  check = script("c");
  check.definition.interval_ms = 1;
  CHECK(refused(check) == Code::invalid);
  check = script("c");
  check.notes = std::string(600 * limits::KiB, 'x');
  CHECK(refused(check) == Code::too_large);
  CHECK(world.refusal("ann", Define{.node = "n2"}) == Code::not_found);
}

TEST_CASE("health: a TTL check that is not told goes critical in its time", "[core]") {
  World world;
  enrol(world, "n1", {{.id = "web", .name = "web"}}, {ttl("beat", 10'000, "web")});
  const auto tell = [&](const std::string& status) {
    world.ask("ann",
              Update{.node = "n1", .check = "beat", .status = status, .output = Bytes("ok")});
  };
  tell("passing");
  world.advance(seconds(9));
  const Revision rev = world.core().rev();
  tell("passing");
  CHECK(world.core().rev() == rev);  // the same is no change, but the time begins anew
  world.advance(seconds(9));
  CHECK(one(world, "beat").status == "passing");
  world.advance(seconds(1));
  CHECK(one(world, "beat").status == "critical");
  CHECK(one(world, "beat").output.view() == "TTL expired");
  tell("warning");
  CHECK(one(world, "beat").status == "warning");
  world.advance(seconds(10));
  CHECK(one(world, "beat").status == "critical");
}

TEST_CASE("health: after a restart of the broker a TTL check has its whole time again", "[core]") {
  World world;
  enrol(world, "n1", {}, {ttl("beat", 10'000)});
  world.ask("ann", Update{.node = "n1", .check = "beat", .status = "passing"});
  world.advance(seconds(9));
  world.restart();
  world.advance(seconds(9));
  CHECK(one(world, "beat").status == "passing");
  world.advance(seconds(1));
  CHECK(one(world, "beat").status == "critical");
}

TEST_CASE("health: a shorter TTL holds at once, and a check that is gone has none", "[core]") {
  World world;
  enrol(world, "n1", {}, {ttl("beat", 600'000)});
  world.ask("ann", Update{.node = "n1", .check = "beat", .status = "passing"});
  Check shorter = ttl("beat", 5'000);
  shorter.status = "passing";
  enrol(world, "n1", {}, {shorter});
  world.advance(seconds(5));
  CHECK(one(world, "beat").status == "critical");
  enrol(world, "n1");
  const Revision rev = world.core().rev();
  world.advance(seconds(700));
  CHECK(world.core().memory().check_clocks.empty());
  CHECK(world.core().rev() <= rev.next());  // its presence, at most
}

TEST_CASE("health: only a TTL check is told, and only what is a status", "[core]") {
  World world;
  enrol(world, "n1", {}, {script("c"), ttl("beat", 5'000)});
  const auto refusal = [&](const std::string& check, const std::string& status) {
    return world.refusal("ann", Update{.node = "n1", .check = check, .status = status});
  };
  CHECK(refusal("nope", "passing") == Code::not_found);
  CHECK(refusal("c", "passing") == Code::invalid);
  CHECK(refusal("beat", "fine") == Code::invalid);
  report(world, "n1", "beat", "passing");  // a TTL check is nothing that a node finds out
  CHECK(one(world, "beat").status == "critical");
}

TEST_CASE("health: a service that is critical for too long is taken away", "[core]") {
  World world;
  Check check = ttl("beat", 10'000, "web");
  check.definition.deregister_after_ms = 60'000;
  check.status = "passing";
  enrol(world, "n1", {{.id = "web", .name = "web"}}, {check});
  world.advance(seconds(69));
  REQUIRE(world.ask("ann", Nodes{.name = "n1"}).nodes[0].services.size() == 1);
  SECTION("when it stays critical") {
    CHECK(news(world, all_topics, [&] { world.advance(seconds(1)); }) ==
          Topics{"checks", "service:web", "services"});
    CHECK(world.ask("ann", Nodes{.name = "n1"}).nodes[0].services.empty());
    CHECK(list(world).size() == 1);
  }
  SECTION("not when it recovers, and then its time begins anew") {
    world.ask("ann", Update{.node = "n1", .check = "beat", .status = "passing"});
    world.advance(seconds(69));
    CHECK(world.ask("ann", Nodes{.name = "n1"}).nodes[0].services.size() == 1);
    world.advance(seconds(1));
    CHECK(world.ask("ann", Nodes{.name = "n1"}).nodes[0].services.empty());
  }
}

TEST_CASE("health: maintenance is a critical check with the reason in its notes", "[core]") {
  World world;
  enrol(world, "n1", {{.id = "web", .name = "web"}, {.id = "db", .name = "db"}});
  const auto maintain = [&](const std::string& service, const std::string& reason) {
    return news(world, all_topics, [&] {
      world.ask("ann",
                Maintain{.node = "n1", .service = service, .enable = true, .reason = reason});
    });
  };
  CHECK(maintain("", "new disk") == Topics{"checks", "service:web", "service:db"});
  CHECK(one(world, "_node_maintenance").notes == "new disk");
  CHECK(one(world, "_node_maintenance").status == "critical");
  CHECK(maintain("", "new disk").empty());
  CHECK(maintain("db", "") == Topics{"checks", "service:db"});
  CHECK(one(world, "_service_maintenance:db").service_name == "db");
  CHECK(one(world, "_service_maintenance:db").notes.starts_with("Maintenance mode is enabled"));
  enrol(world, "n1", {{.id = "web", .name = "web"}, {.id = "db", .name = "db"}});
  CHECK(list(world).size() == 3);  // registration leaves it
  world.ask("ann", Maintain{.node = "n1", .service = {}, .enable = false, .reason = {}});
  world.ask("ann", Maintain{.node = "n1", .service = {}, .enable = false, .reason = {}});
  CHECK(list(world).size() == 2);
  CHECK(world.refusal("ann", Maintain{.node = "n1", .service = "x", .enable = true}) ==
        Code::not_found);
  CHECK(world.refusal("ann", Maintain{.node = "n2", .enable = true}) == Code::not_found);
}

TEST_CASE("health: the list is chosen by node, service and state, and comes in parts", "[core]") {
  World world;
  std::vector<Check> many;
  for (int n = 100; n < 400; ++n) many.push_back(script("c" + std::to_string(n)));
  enrol(world, "n1", {}, many);
  enrol(world, "n2", {{.id = "web", .name = "web"}}, {script("w", "web")});
  report(world, "n2", "w", "passing");
  CHECK(list(world, {.node = "n2"}).size() == 2);
  CHECK(list(world, {.node = "n"}).empty());
  CHECK(list(world, {.service = "web"}).size() == 1);
  CHECK(list(world, {.state = "passing"}).size() == 3);
  CHECK(list(world, {.state = "any"}).size() == 303);
  CHECK(world.refusal("ann", List{.state = "fine"}) == Code::invalid);
  for (const Check& check : many) report(world, "n1", check.id, "warning", std::string(4096, 'x'));
  List request;
  std::vector<std::string> ids;
  int parts = 0;
  do {
    const auto listing = world.ask("ann", request);
    for (const Check& check : listing.checks) ids.push_back(check.node + "/" + check.id);
    request.from = listing.next;
    ++parts;
  } while (!request.from.empty());
  CHECK(parts == 2);
  CHECK(ids.size() == 303);
  CHECK(std::is_sorted(ids.begin(), ids.end()));
}

}  // namespace muster::test
