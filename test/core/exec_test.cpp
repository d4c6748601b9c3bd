// exec: who is asked, what comes back, and what happens when a node, the caller or the broker goes.
#include "common/protocol/exec.hpp"

#include "common/protocol/catalog.hpp"
#include "test/support/catch.hpp"
#include "test/support/world.hpp"

namespace muster::test {
namespace {

using proto::exec::Finished;
using proto::exec::Outcome;
using proto::exec::Run;

void enrol(World& world, const std::string& name,
           std::vector<proto::catalog::Service> services = {},
           std::vector<proto::catalog::KnownTask> tasks = {}) {
  world.ask(name,
            proto::catalog::Register{
                .node = {.name = name, .id = "id-of-" + name, .services = std::move(services)},
                .tasks = std::move(tasks)});
  world.presence(name, true);
}

Finished finished(World& world, const std::string& client, RequestNo no) {
  return *codec::decode<Finished>(world.answer_to(client, no, proto::verb_reply).body);
}

std::string job_of(World& world, const std::string& client, RequestNo no) {
  return codec::decode<proto::exec::Progress>(world.answer_to(client, no, proto::verb_more).body)
      ->job;
}

void exits(World& world, const std::string& node, const std::string& job, int code) {
  world.ask(node, proto::exec::Exited{.job = job,
                                      .outcome = {.node = node, .state = "exited", .code = code}});
}

TEST_CASE("exec: every node that matches is asked, the reply comes with the last of them",
          "[core][M27]") {
  World world;
  enrol(world, "n1");
  enrol(world, "n2");
  enrol(world, "other");
  const RequestNo no =
      world.send("ann", Run{.command = {.line = "true"}, .target = {.node = "^n"}});
  const std::string job = job_of(world, "ann", no);
  CHECK(world.orders("n1").size() == 1);
  CHECK(world.orders("n2").size() == 1);
  CHECK(world.orders("other").empty());
  exits(world, "n1", job, 0);
  CHECK_FALSE(world.answered("ann", no));
  exits(world, "n2", job, 3);
  const Finished done = finished(world, "ann", no);
  REQUIRE(done.outcomes.size() == 2);
  CHECK(done.outcomes[1].code == 3);
}

TEST_CASE("exec: a node in maintenance is asked, and named", "[core]") {
  World world;
  enrol(world, "n1");
  enrol(world, "n2");
  world.ask("ann", proto::health::Maintain{.node = "n2", .enable = true});
  const RequestNo no = world.send("ann", Run{.command = {.line = "true"}});
  CHECK(world.orders("n2").size() == 1);
  const auto progress =
      codec::decode<proto::exec::Progress>(world.answer_to("ann", no, proto::verb_more).body);
  CHECK(progress->nodes.size() == 2);
  CHECK(progress->maintenance == std::vector<std::string>{"n2"});
}

TEST_CASE("exec: service and tag match on the same service", "[core]") {
  World world;
  enrol(world, "n1",
        {{.id = "web", .name = "web", .tags = {"v1"}}, {.id = "db", .name = "db", .tags = {"v2"}}});
  enrol(world, "n2", {{.id = "web", .name = "web", .tags = {"v2"}}});
  world.send("ann", Run{.command = {.line = "true"}, .target = {.service = "web", .tag = "v2"}});
  CHECK(world.orders("n1").empty());
  CHECK(world.orders("n2").size() == 1);
}

TEST_CASE("exec: no match, two forms of command and a bad pattern are told at once", "[core]") {
  World world;
  CHECK(world.refusal("ann", Run{.command = {.line = "true"}}) == Code::not_found);
  enrol(world, "n1");
  CHECK(world.refusal("ann", Run{.command = {.line = "a", .args = {"b"}}}) == Code::invalid);
  CHECK(world.refusal("ann", Run{.command = {.line = "a"}, .target = {.node = "("}}) ==
        Code::invalid);
}

TEST_CASE("exec: a node that goes down is lost, and a late report is kept as such", "[core][M27]") {
  World world;
  enrol(world, "n1");
  const RequestNo no = world.send("ann", Run{.command = {.line = "true"}});
  const std::string job = job_of(world, "ann", no);
  world.presence("n1", false);
  world.advance(milliseconds(1'100));
  CHECK(finished(world, "ann", no).outcomes.at(0).state == "lost");
  enrol(world, "n1");
  exits(world, "n1", job, 0);
  const auto record = world.ask("ann", proto::exec::List{.id = job}).jobs.at(0);
  CHECK(record.tasks.at(0).state == "exited");
  CHECK(record.tasks.at(0).late);
}

TEST_CASE("exec: a down node is not_started and does not hold up the rest", "[core]") {
  World world;
  enrol(world, "n1");
  world.presence("n1", false);
  world.advance(seconds(2));
  const RequestNo no = world.send("ann", Run{.command = {.line = "true"}});
  CHECK(finished(world, "ann", no).outcomes.at(0).state == "not_started");
}

TEST_CASE("exec: after a restart the caller asks again and is answered once all have ended",
          "[core]") {
  World world;
  enrol(world, "n1");
  const Run run{.command = {.line = "true"}};
  const RequestNo no = world.send("ann", run);
  const std::string job = job_of(world, "ann", no);
  world.restart();
  enrol(world, "n1", {}, {{.job = job, .state = "running"}});
  CHECK(world.orders("n1").size() == 1);
  world.resend("ann", no, run);
  exits(world, "n1", job, 0);
  CHECK(finished(world, "ann", no).outcomes.at(0).state == "exited");
  CHECK(world.ask("ann", proto::exec::List{}).jobs.size() == 1);
}

TEST_CASE("exec: a launch that a node missed is sent again at its registration", "[core]") {
  World world;
  enrol(world, "n1");
  world.send("ann", Run{.command = {.line = "true"}});
  world.reconnect("n1");
  enrol(world, "n1");
  const auto orders = world.orders("n1");
  REQUIRE(orders.size() == 2);
  CHECK(orders[1].second == "exec.launch");
}

TEST_CASE("exec: cancel stops every node that runs it, a launch missed by then is never sent",
          "[core]") {
  World world;
  enrol(world, "n1");
  enrol(world, "n2");
  const RequestNo no = world.send("ann", Run{.command = {.line = "sleep 9"}});
  const std::string job = job_of(world, "ann", no);
  world.ask("ann", proto::exec::Cancel{.job = job});
  CHECK(world.orders("n1").back().second == "exec.stop");
  world.ask("n1", proto::exec::Exited{.job = job, .outcome = {.state = "cancelled"}});
  world.reconnect("n2");
  enrol(world, "n2");
  CHECK(world.orders("n2").back().second == "exec.stop");
  const Finished done = finished(world, "ann", no);
  CHECK(done.outcomes.at(0).state == "cancelled");
  CHECK(done.outcomes.at(1).state == "cancelled");
}

TEST_CASE("exec: a node's refusal is its outcome", "[core]") {
  World world;
  enrol(world, "n1");
  const RequestNo no = world.send("ann", Run{.command = {.line = "true"}});
  world.raw("n1", {proto::encode_answer(proto::verb_error, world.orders("n1").at(0).first),
                   proto::encode_error({Code::denied, "exec is switched off here"})});
  const Outcome outcome = finished(world, "ann", no).outcomes.at(0);
  CHECK(outcome.state == "refused");
  CHECK(outcome.message == "exec is switched off here");
}

TEST_CASE("catalog: a live name with another id is a conflict, the same id takes over", "[core]") {
  World world;
  enrol(world, "n1");
  CHECK(world.refusal("thief", proto::catalog::Register{.node = {.name = "n1", .id = "another"}}) ==
        Code::conflict);
  const auto again =
      world.ask("successor", proto::catalog::Register{.node = {.name = "n1", .id = "id-of-n1"}});
  CHECK(again.attach_gen == 2);
  CHECK(world.orders("n1").back().second == "node.gone");
}

TEST_CASE("catalog: output reports of a connection that is no node are denied", "[core]") {
  World world;
  CHECK(world.refusal("ann", proto::exec::Output{.job = "x"}) == Code::denied);
}

}  // namespace
}  // namespace muster::test
