// keys: time to live, and the sessions that a key belongs to.
#include "common/protocol/kv.hpp"
#include "test/support/catch.hpp"
#include "test/support/world.hpp"

namespace muster::test {
namespace {

namespace kv = proto::kv;

kv::Put lasting(std::string key, std::uint64_t ttl_ms) {
  return {.key = std::move(key), .value = Bytes("v"), .ttl_ms = ttl_ms};
}

bool there(World& world, const std::string& key) {
  const RequestNo no = world.send("eve", kv::Get{.key = key});
  return world.answers().back().kind == proto::verb_reply && no.value != 0;
}

std::string open(World& world, const std::string& who, proto::session::Open how = {}) {
  how.ttl_ms = 60'000;
  return world.ask(who, how).id;
}

std::vector<proto::watch::Item> items(World& world) {
  std::vector<proto::watch::Item> all;
  for (const core::Publication& publication : world.notices()) {
    const auto notice = codec::decode<proto::watch::Notice>(publication.body);
    all.insert(all.end(), notice->items.begin(), notice->items.end());
  }
  return all;
}

TEST_CASE("keys: a key with a TTL expires when it is due, seen by watches as expire", "[core]") {
  World world;
  world.subscribe(proto::watch::topic("key:", "k"));
  const Revision rev = world.ask("ann", lasting("k", 5000)).rev;
  world.notices();
  CHECK(world.ask("bob", kv::Get{.key = "k"}).ttl_ms == 5000);
  world.advance(milliseconds(4'999));
  CHECK(there(world, "k"));
  world.advance(milliseconds(2));
  CHECK_FALSE(there(world, "k"));
  const auto seen = items(world);
  REQUIRE(seen.size() == 1);
  CHECK(seen[0].op == "expire");
  CHECK(seen[0].prev_rev == rev);
  CHECK(seen[0].author == "broker");
}

TEST_CASE("keys: the same put again renews the TTL without a revision or a notice", "[core]") {
  World world;
  world.subscribe(proto::watch::topic("key:", "k"));
  const Revision rev = world.ask("ann", lasting("k", 5000)).rev;
  world.notices();
  for (int i = 0; i < 3; ++i) {
    world.advance(milliseconds(4'000));
    const auto again = world.ask("ann", lasting("k", 5000));
    CHECK(again.unchanged);
    CHECK(again.rev == rev);
  }
  CHECK(items(world).empty());
  CHECK(there(world, "k"));
  world.advance(milliseconds(5'001));
  CHECK_FALSE(there(world, "k"));
}

TEST_CASE("keys: a put without TTL ends the TTL, another TTL replaces it", "[core]") {
  World world;
  world.ask("ann", lasting("forever", 1000));
  world.ask("ann", kv::Put{.key = "forever", .value = Bytes("v")});
  world.ask("ann", lasting("shorter", 100'000));
  world.ask("ann", lasting("shorter", 1000));
  world.ask("ann", lasting("deleted", 1000));
  world.ask("ann", kv::Delete{.key = "deleted"});
  world.ask("ann", kv::Put{.key = "deleted", .value = Bytes("v")});
  world.advance(seconds(2));
  CHECK(there(world, "forever"));
  CHECK_FALSE(there(world, "shorter"));
  CHECK(there(world, "deleted"));
}

TEST_CASE("keys: a TTL goes on over a restart, also while no broker runs", "[core]") {
  World world;
  world.ask("ann", lasting("k", 5000));
  world.advance(seconds(3));
  world.restart();
  world.advance(milliseconds(1'900));
  CHECK(there(world, "k"));
  world.advance(milliseconds(200));
  CHECK_FALSE(there(world, "k"));
}

TEST_CASE("keys: a TTL that is out of bounds is invalid", "[core]") {
  World world;
  CHECK(world.refusal("ann", lasting("k", 400ULL * 24 * 3600 * 1000 * 365)) == Code::invalid);
}

TEST_CASE("keys: an ephemeral key goes in the change that ends its session", "[core]") {
  World world;
  const std::string session = open(world, "ann");
  world.ask("ann", kv::Put{.key = "a", .ends_with = session});
  world.ask("ann", kv::Put{.key = "b", .ends_with = session});
  world.ask("ann", kv::Put{.key = "b"});  // a put says all of a key: it is not ephemeral any more
  const Revision before = world.core().rev();
  world.ask("ann", proto::session::End{.id = session});
  CHECK(world.core().rev() == before.next());
  CHECK_FALSE(there(world, "a"));
  CHECK(there(world, "b"));
  CHECK(world.refusal("ann", kv::Put{.key = "c", .ends_with = session}) == Code::invalid);
}

TEST_CASE("keys: acquire and release keep Consul's LockIndex and Session", "[core]") {
  World world;
  const std::string one = open(world, "ann");
  const std::string two = open(world, "bob");
  const auto entry = [&] { return world.ask("eve", kv::Get{.key = "k"}); };
  world.ask("ann", kv::Put{.key = "k", .value = Bytes("1"), .acquire = one});
  CHECK(entry().session == one);
  CHECK(entry().lock_index == 1);
  world.ask("ann", kv::Put{.key = "k", .value = Bytes("2"), .acquire = one});
  CHECK(entry().lock_index == 1);
  CHECK(world.refusal("bob", kv::Put{.key = "k", .acquire = two}) == Code::conflict);
  CHECK(world.refusal("bob", kv::Put{.key = "k", .release = two}) == Code::conflict);
  world.ask("eve", kv::Put{.key = "k", .value = Bytes("3")});  // advisory: anybody may write
  CHECK(entry().session == one);
  CHECK(entry().lock_index == 0);
  world.ask("ann", kv::Put{.key = "k", .value = Bytes("4"), .release = one});
  CHECK(entry().session.empty());
  CHECK(entry().value.data == "4");
  world.ask("bob", kv::Put{.key = "k", .acquire = two});
  CHECK(entry().lock_index == 1);
  CHECK(world.refusal("bob", kv::Put{.key = "k", .acquire = two, .release = two}) == Code::invalid);
}

TEST_CASE("keys: a session that ends releases what it has acquired, or deletes it", "[core]") {
  World world;
  const std::string gentle = open(world, "ann");
  const std::string strict = open(world, "ann", {.behavior = "delete"});
  const Revision put =
      world.ask("ann", kv::Put{.key = "a", .value = Bytes("v"), .acquire = gentle}).rev;
  world.ask("ann", kv::Put{.key = "b", .value = Bytes("v"), .acquire = strict});
  world.subscribe(proto::watch::topic("keyprefix:", ""));
  world.notices();
  world.ask("ann", proto::session::End{.id = gentle});
  world.ask("ann", proto::session::End{.id = strict});
  const auto seen = items(world);
  REQUIRE(seen.size() == 2);
  CHECK(seen[0].op == "put");
  CHECK(seen[0].prev_rev == put);
  CHECK(seen[1].op == "delete");
  const auto left = world.ask("eve", kv::Get{.key = "a"});
  CHECK(left.session.empty());
  CHECK(left.value.data == "v");
  CHECK(left.lock_index == 1);
}

TEST_CASE("keys: a lock delay keeps others from acquiring after the session has ended", "[core]") {
  World world;
  const std::string one = open(world, "ann", {.lock_delay_ms = 5000});
  const std::string two = open(world, "bob");
  world.ask("ann", kv::Put{.key = "k", .acquire = one});
  world.ask("ann", proto::session::End{.id = one});
  CHECK(world.refusal("bob", kv::Put{.key = "k", .acquire = two}) == Code::conflict);
  world.advance(milliseconds(5'001));
  CHECK_NOTHROW(world.ask("bob", kv::Put{.key = "k", .acquire = two}));
}

TEST_CASE("keys: a session has at most so many keys, and acquires at most a value's bytes",
          "[core]") {
  World world;
  const std::string session = open(world, "ann");
  for (std::size_t i = 0; i < limits::session_keys_max; ++i)
    world.ask("ann", kv::Put{.key = std::to_string(i), .ends_with = session});
  CHECK(world.refusal("ann", kv::Put{.key = "more", .ends_with = session}) == Code::busy);
  CHECK_NOTHROW(world.ask("ann", kv::Put{.key = "0", .value = Bytes("x"), .ends_with = session}));
  world.ask("ann", proto::session::End{.id = session});
  CHECK(world.ask("ann", kv::List{}).entries.empty());
  const std::string other = open(world, "ann");
  const std::string large(limits::value_bytes_default * 2 / 3, 'x');
  world.ask("ann", kv::Put{.key = "a", .value = Bytes(large), .acquire = other});
  CHECK(world.refusal("ann", kv::Put{.key = "b", .value = Bytes(large), .acquire = other}) ==
        Code::too_large);
}

}  // namespace
}  // namespace muster::test
