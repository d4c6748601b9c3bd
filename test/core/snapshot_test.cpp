// snapshot_test: what takes a disk is an errand: parked, done once, answered.
#include "common/protocol/snapshot.hpp"

#include "common/protocol/kv.hpp"
#include "test/support/catch.hpp"
#include "test/support/world.hpp"

namespace muster::test {
namespace {

void done(World& world, const core::Errand& errand, Result<Bytes> answer) {
  world.core().done(errand.asker, std::move(answer));
  world.advance(Duration(0));
}

TEST_CASE("snapshot: a save waits until it is made, and the broker serves on", "[core]") {
  World world;
  const RequestNo save = world.send("ann", proto::snapshot::Save{});
  CHECK_FALSE(world.answered("ann", save));
  world.ask("bob", proto::kv::Put{.key = "k", .value = Bytes("v")});
  const auto errands = world.core().take_errands();
  REQUIRE(errands.size() == 1);
  CHECK(std::holds_alternative<proto::snapshot::Save>(errands[0].what));
  world.transcript();
  done(world, errands[0],
       Bytes(codec::encode(proto::snapshot::Saved{.id = "s", .head = Bytes("h")})));
  CHECK(world.transcript() == "  ann < snapshot.save {\"id\":\"s\",\"head\":\"BIN(size:1)\"}\n");
}

TEST_CASE("snapshot: saving and its pieces are no revisions", "[core]") {
  World world;
  const Revision before = world.core().rev();
  world.send("ann", proto::snapshot::Save{});
  world.send("ann", proto::snapshot::Read{.id = "s"});
  for (const core::Errand& errand : world.core().take_errands())
    done(world, errand, Error{Code::not_found, "no snapshot"});
  CHECK(world.core().rev() == before);
}

TEST_CASE("snapshot: who lost his connection asks again, and it is made once", "[core]") {
  World world;
  const RequestNo save = world.send("ann", proto::snapshot::Save{});
  const auto errands = world.core().take_errands();
  world.reconnect("ann");
  world.resend("ann", save, proto::snapshot::Save{});
  CHECK(world.core().take_errands().empty());
  done(world, errands[0],
       Bytes(codec::encode(proto::snapshot::Saved{.id = "s", .head = Bytes("h")})));
  CHECK(world.answer_to("ann", save, proto::verb_reply).body ==
        codec::encode(proto::snapshot::Saved{.id = "s", .head = Bytes("h")}));
}

TEST_CASE("snapshot: an errand that fails is told as it failed", "[core]") {
  World world;
  const RequestNo restore = world.send("ann", proto::snapshot::Restore{.id = "s"});
  const auto errands = world.core().take_errands();
  done(world, errands.at(0), Error{Code::invalid, "the snapshot is damaged"});
  const Error error = proto::decode_error(world.answer_to("ann", restore, proto::verb_error).body);
  CHECK(error.code == Code::invalid);
  CHECK(error.message == "the snapshot is damaged");
}

TEST_CASE("snapshot: more errands than are done are refused", "[core]") {
  World world;
  for (std::size_t n = 0; n < limits::errands_max; ++n)
    world.send("ann", proto::snapshot::Read{.id = "s"});
  CHECK(world.refusal("ann", proto::snapshot::Read{.id = "s"}) == Code::busy);
  const auto errands = world.core().take_errands();
  REQUIRE(errands.size() == limits::errands_max);
  done(world, errands[0], Error{Code::not_found, "no snapshot"});
  const RequestNo again = world.send("ann", proto::snapshot::Read{.id = "s"});
  CHECK_FALSE(world.answered("ann", again));
}

TEST_CASE("snapshot: a piece over its bound and a restore of nothing are refused at once",
          "[core]") {
  World world;
  const std::string large(limits::snapshot_file_piece + 1, 'x');
  CHECK(world.refusal("ann", proto::snapshot::Write{.id = "s", .bytes = Bytes(large)}) ==
        Code::too_large);
  CHECK(world.refusal("ann", proto::snapshot::Restore{}) == Code::invalid);
  CHECK(world.core().take_errands().empty());
}

}  // namespace
}  // namespace muster::test
