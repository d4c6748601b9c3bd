// cursor_test: how far handlers have come: moved by comparison, kept over restarts.
#include "common/protocol/cursor.hpp"

#include "common/protocol/kv.hpp"
#include "common/protocol/watch.hpp"
#include "test/support/catch.hpp"
#include "test/support/world.hpp"

namespace muster::test {
namespace {

using proto::cursor::Advance;
using proto::cursor::Cursor;
using proto::cursor::Forget;
using proto::cursor::List;
using proto::cursor::Open;

const std::string of_k = proto::watch::topic("key:", "k");

Revision put(World& world, const std::string& key) {
  return world
      .ask("ann",
           proto::kv::Put{.key = key, .value = Bytes(std::to_string(world.core().rev().value))})
      .rev;
}

Open open_at(std::optional<Revision> after) {
  return {.name = "c", .topic = of_k, .after = after, .node = {}};
}

std::string history(World& world) { return world.ask("ann", proto::session::Ping{}).history; }

Cursor listed(World& world) {
  const auto listing = world.ask("ann", List{});
  REQUIRE(listing.cursors.size() == 1);
  return listing.cursors[0];
}

TEST_CASE("watch.cursor_open: made where it is asked to be; there already, it says where it stands",
          "[core]") {
  World world;
  const Revision first = put(world, "k");
  const auto made = world.ask("ann", open_at(std::nullopt));
  CHECK(made.fresh);
  CHECK(made.rev == first);
  put(world, "k");
  const auto again = world.ask("bob", open_at(Revision{0}));
  CHECK_FALSE(again.fresh);
  CHECK(again.rev == first);
  CHECK(again.history == history(world));
  CHECK(world.refusal("bob", Open{.name = "c",
                                  .topic = proto::watch::topic("key:", "other"),
                                  .after = {},
                                  .node = {}}) == Code::conflict);
  CHECK(world.refusal("bob", Open{.name = "", .topic = of_k, .after = {}, .node = {}}) ==
        Code::invalid);
  CHECK(world.refusal("bob", Open{.name = "d", .topic = "key:k", .after = {}, .node = {}}) ==
        Code::invalid);
  CHECK(world.refusal("bob",
                      Open{.name = "d", .topic = of_k, .after = Revision{1'000}, .node = {}}) ==
        Code::invalid);
}

TEST_CASE("watch.cursor_advance: two watchers, each revision is acknowledged by one of them",
          "[core][M34]") {
  World world;
  const std::string here = history(world);
  const Revision start = world.ask("ann", open_at(std::nullopt)).rev;
  const Revision first = put(world, "k");
  const Revision second = put(world, "k");
  world.ask("ann",
            Advance{.name = "c", .history = here, .from = start, .rev = first, .exit_code = 0});
  CHECK(world.refusal(
            "bob",
            Advance{.name = "c", .history = here, .from = start, .rev = first, .exit_code = 0}) ==
        Code::conflict);
  world.ask("bob",
            Advance{.name = "c", .history = here, .from = first, .rev = second, .exit_code = 0});
  CHECK(listed(world).rev == second);
  CHECK(listed(world).acknowledged == 2);
  CHECK(world.refusal(
            "ann",
            Advance{.name = "c", .history = here, .from = second, .rev = first, .exit_code = 0}) ==
        Code::invalid);
  CHECK(world.refusal("ann", Advance{.name = "c",
                                     .history = here,
                                     .from = second,
                                     .rev = Revision{1'000},
                                     .exit_code = 0}) == Code::invalid);
  CHECK(world.refusal(
            "ann",
            Advance{
                .name = "none", .history = here, .from = second, .rev = second, .exit_code = 0}) ==
        Code::not_found);
}

TEST_CASE("watch.cursor_advance: repeated after a lost answer it is done once", "[core][M34]") {
  World world;
  const std::string here = history(world);
  const Revision start = world.ask("ann", open_at(std::nullopt)).rev;
  const Advance request{
      .name = "c", .history = here, .from = start, .rev = put(world, "k"), .exit_code = 0};
  const RequestNo no = world.send("ann", request);
  world.restart();
  world.reconnect("ann");
  world.ask("ann", proto::session::Ping{});
  world.resend("ann", no, request);
  CHECK(listed(world).acknowledged == 1);
  CHECK(listed(world).rev == request.rev);
}

TEST_CASE("watch.cursor_advance: a handler that failed is noted and moves nothing", "[core]") {
  World world;
  const Revision start = world.ask("ann", open_at(std::nullopt)).rev;
  put(world, "k");
  world.ask(
      "ann",
      Advance{.name = "c", .history = history(world), .from = start, .rev = start, .exit_code = 3});
  CHECK(listed(world).rev == start);
  CHECK(listed(world).exit_code == 3);
  CHECK(listed(world).acknowledged == 0);
  CHECK(listed(world).ran_ms > 0);
}

TEST_CASE("watch.cursor_advance: a topic where nothing happens; nobody has run a handler",
          "[core]") {
  World world;
  const Revision start = world.ask("ann", open_at(std::nullopt)).rev;
  const Revision elsewhere = put(world, "other");
  world.ask("ann", Advance{.name = "c",
                           .history = history(world),
                           .from = start,
                           .rev = elsewhere,
                           .exit_code = {}});
  CHECK(listed(world).rev == elsewhere);
  CHECK_FALSE(listed(world).exit_code);
  CHECK(listed(world).acknowledged == 0);
}

TEST_CASE("watch.cursor_advance: of another history it moves nothing", "[core]") {
  World world;
  const Revision start = world.ask("ann", open_at(std::nullopt)).rev;
  CHECK(
      world.refusal(
          "ann",
          Advance{.name = "c", .history = "other", .from = start, .rev = start, .exit_code = 0}) ==
      Code::conflict);
}

TEST_CASE("watch.cursor_list: says how far each topic has come; by prefix", "[core]") {
  World world;
  const Revision start = world.ask("ann", open_at(std::nullopt)).rev;
  const Revision last = put(world, "k");
  world.ask("ann",
            Open{.name = "d", .topic = proto::watch::topic("nodes"), .after = {}, .node = "n1"});
  const auto found = world.ask("ann", List{.prefix = "c", .from = {}}).cursors;
  REQUIRE(found.size() == 1);
  CHECK(found[0].rev == start);
  CHECK(found[0].newest == last);
  CHECK(found[0].owner == "ann?");
  CHECK(world.ask("ann", List{}).cursors.size() == 2);
}

TEST_CASE("watch.cursor_forget: it is gone, and its name is free for another topic", "[core]") {
  World world;
  world.ask("ann", open_at(std::nullopt));
  world.ask("ann", Forget{.name = "c"});
  CHECK(world.refusal("ann", Forget{.name = "c"}) == Code::not_found);
  CHECK(world
            .ask("ann",
                 Open{.name = "c", .topic = proto::watch::topic("nodes"), .after = {}, .node = {}})
            .fresh);
}

TEST_CASE("cursor: stands where it stood after a checkpoint and a restart", "[core]") {
  World world;
  world.ask("ann", open_at(Revision{0}));
  world.checkpoint();
  world.restart();
  const auto again = world.ask("ann", open_at(std::nullopt));
  CHECK_FALSE(again.fresh);
  CHECK(again.rev == Revision{0});
}

// A restarted broker knew of a prefix only that nothing is newer than now: all watches seemed
// behind.
TEST_CASE("cursor: one of a prefix that has all is not behind after a restart", "[core]") {
  World world;
  const Revision last = put(world, "q/a");
  world.ask(
      "ann",
      Open{.name = "c", .topic = proto::watch::topic("keyprefix:", "q/"), .after = {}, .node = {}});
  put(world, "elsewhere");
  world.restart();
  put(world, "elsewhere");
  CHECK(listed(world).newest == listed(world).rev);
  CHECK(listed(world).rev == last);
  const Revision next = put(world, "q/b");
  CHECK(listed(world).newest == next);
}

TEST_CASE("cursor: so many are kept, no more, and one that is forgotten makes room", "[core]") {
  World world;
  const auto open = [](std::size_t n) {
    return Open{.name = std::to_string(n), .topic = of_k, .after = {}, .node = {}};
  };
  for (std::size_t n = 0; n < limits::cursors_max; ++n) world.ask("ann", open(n));
  CHECK(world.refusal("ann", open(limits::cursors_max)) == Code::busy);
  CHECK_FALSE(world.ask("ann", open(0)).fresh);
  world.ask("ann", Forget{.name = "7"});
  CHECK(world.ask("ann", open(limits::cursors_max)).fresh);
}

}  // namespace
}  // namespace muster::test
