// admin: what the broker says about itself, what it proposes by itself, and that nobody else can.
#include "common/protocol/admin.hpp"

#include "common/protocol/catalog.hpp"
#include "common/protocol/exec.hpp"
#include "common/protocol/kv.hpp"
#include "common/protocol/lock.hpp"
#include "test/support/catch.hpp"
#include "test/support/world.hpp"

namespace muster::test {
namespace {

TEST_CASE("admin: the broker's own verbs are unknown to everybody else", "[core]") {
  World world;
  world.ask("ann", proto::session::Ping{});
  const Revision before = world.core().rev();
  for (const char* verb : {"broker.lead", "log.trim", "dedupe.forget", "catalog.presence",
                           "lock.give_up", "session.expire", "kv.expire", "kv.forget_past"}) {
    world.raw("ann",
              {proto::encode_header({verb, RequestNo{100}, {}}), codec::encode(proto::Empty{})});
    CHECK(
        proto::decode_error(world.answer_to("ann", RequestNo{100}, proto::verb_error).body).code ==
        Code::invalid);
  }
  CHECK(world.core().rev() == before);
}

TEST_CASE("admin.status: says how long it leads and who waits for what", "[core]") {
  World world;
  const std::string ann = world.ask("ann", proto::session::Open{}).id;
  const std::string bob = world.ask("bob", proto::session::Open{}).id;
  world.send("ann", proto::lock::Acquire{.name = "x", .session = ann});
  world.send("bob", proto::lock::Acquire{.name = "x", .session = bob});
  world.advance(seconds(3));
  const auto state = world.ask("cat", proto::admin::Status{});
  CHECK(state.uptime_ms == 3000);
  CHECK(state.writes == "ok");
  CHECK(state.rev == world.core().rev());
  REQUIRE(state.waiting.size() == 1);
  CHECK(state.waiting[0].who == "bob");
  CHECK(state.waiting[0].what == "lock x");
  CHECK(state.waiting[0].since_ms == 3000);
}

TEST_CASE("session.list: shows what each holds and waits for", "[core]") {
  World world;
  const std::string ann = world.ask("ann", proto::session::Open{.name = "deploy"}).id;
  const Revision token = world.ask("ann", proto::lock::Acquire{.name = "x", .session = ann}).token;
  const auto listing = world.ask("bob", proto::session::List{});
  REQUIRE(listing.sessions.size() == 1);
  CHECK(listing.sessions[0].name == "deploy");
  REQUIRE(listing.sessions[0].locks.size() == 1);
  CHECK(listing.sessions[0].locks[0].token == token);
  CHECK(world.refusal("bob", proto::session::List{.id = "nobody"}) == Code::not_found);
}

TEST_CASE("catalog.nodes: lists nodes with their services, by name and by target", "[core]") {
  World world;
  world.ask("n1",
            proto::catalog::Register{
                .node = {.name = "n1", .id = "1", .services = {{.id = "web", .name = "web"}}}});
  world.ask("n2", proto::catalog::Register{.node = {.name = "n2", .id = "2"}});
  CHECK(world.ask("ann", proto::catalog::Nodes{}).nodes.size() == 2);
  const auto found = world.ask("ann", proto::catalog::Nodes{.matching = {.service = "web"}}).nodes;
  REQUIRE(found.size() == 1);
  CHECK(found[0].services.at(0).name == "web");
  CHECK(world.refusal("ann", proto::catalog::Nodes{.name = "n3"}) == Code::not_found);
}

TEST_CASE("exec.started: reaches the caller and leaves no change", "[core]") {
  World world;
  world.ask("n1", proto::catalog::Register{.node = {.name = "n1", .id = "1"}});
  const RequestNo no = world.send("ann", proto::exec::Run{.command = {.line = "true"}});
  const std::string job =
      codec::decode<proto::exec::Progress>(world.answer_to("ann", no, proto::verb_more).body)->job;
  const Revision before = world.core().rev();
  world.ask("n1", proto::exec::Started{.job = job});
  CHECK(codec::decode<proto::exec::Progress>(world.answer_to("ann", no, proto::verb_more).body)
            ->kind == "started");
  CHECK(world.core().rev() == before);
}

TEST_CASE("dedupe: the answers of a client that was silent for an hour are forgotten", "[core]") {
  World world;
  const RequestNo no = world.send("ann", proto::kv::Put{.key = "a", .value = Bytes("1")});
  world.advance(std::chrono::hours(2));
  world.reconnect("ann");
  bool any = false;
  state::View(world.store(), {})
      .scan(state::TableId::dedupe, {}, {}, [&](std::string_view, std::string_view) {
        any = true;
        return false;
      });
  CHECK_FALSE(any);
  CHECK(no.value != 0);
}

}  // namespace
}  // namespace muster::test
