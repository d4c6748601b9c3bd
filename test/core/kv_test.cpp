// kv: what puts, deletes and lists do, on real state.
#include "common/protocol/kv.hpp"

#include "test/support/catch.hpp"
#include "test/support/world.hpp"

namespace muster::test {
namespace {

namespace kv = proto::kv;

kv::Put put(std::string key, std::string value) {
  return {.key = std::move(key), .value = Bytes(std::move(value))};
}

TEST_CASE("kv: a put is read back with its revision, author and version", "[core]") {
  World world;
  const auto first = world.ask("ann", put("a", "1"));
  const auto second = world.ask("ann", put("a", "2"));
  CHECK(second.rev == first.rev.next());
  const auto entry = world.ask("bob", kv::Get{.key = "a"});
  CHECK(entry.value.data == "2");
  CHECK(entry.create_rev == first.rev);
  CHECK(entry.mod_rev == second.rev);
  CHECK(entry.version == 2);
  CHECK(entry.author == "ann?");
}

TEST_CASE("kv: a put of the same value and flags is no change", "[core]") {
  World world;
  const auto first = world.ask("ann", put("a", "1"));
  const auto again = world.ask("ann", put("a", "1"));
  CHECK(again.unchanged);
  CHECK(again.rev == first.rev);
  CHECK(world.core().rev() == first.rev);
}

TEST_CASE("kv: a key is 1..400 bytes of UTF-8 without leading slash or NUL", "[core]") {
  World world;
  for (const std::string& bad : {std::string(), std::string(401, 'k'), std::string("/a"),
                                 std::string("a\0b", 3), std::string("\xff")}) {
    CHECK(world.refusal("ann", put(bad, "1")) == Code::invalid);
  }
  CHECK_NOTHROW(world.ask("ann", put(std::string(400, 'k'), "1")));
}

TEST_CASE("kv: a value over the limit is too_large and names both numbers", "[core]") {
  World world;
  const RequestNo no =
      world.send("ann", put("a", std::string(limits::value_bytes_default + 1, 'x')));
  const Error error = proto::decode_error(world.answer_to("ann", no, proto::verb_error).body);
  CHECK(error.code == Code::too_large);
  CHECK(error.message.find("1048577") != std::string::npos);
  CHECK(error.message.find("1048576") != std::string::npos);
  CHECK(world.refusal("ann", kv::Get{.key = "a"}) == Code::not_found);
}

TEST_CASE("kv: compare_rev 0 creates only, another must be the key's", "[core]") {
  World world;
  kv::Put create = put("a", "1");
  create.compare_rev = Revision{0};
  const auto made = world.ask("ann", create);
  create.value = Bytes("2");
  CHECK(world.refusal("ann", create) == Code::conflict);
  create.compare_rev = made.rev;
  CHECK(world.ask("ann", create).rev > made.rev);
  CHECK(world.refusal("ann", kv::Delete{.key = "a", .compare_rev = made.rev}) == Code::conflict);
}

TEST_CASE("kv: a deleted key is gone, deleting nothing is no change", "[core]") {
  World world;
  world.ask("ann", put("a", "1"));
  CHECK(world.ask("ann", kv::Delete{.key = "a"}).count == 1);
  const Revision rev = world.core().rev();
  CHECK(world.ask("ann", kv::Delete{.key = "a"}).count == 0);
  CHECK(world.core().rev() == rev);
}

TEST_CASE("kv: a prefix is listed in order and deleted in one change, the empty one only when told",
          "[core]") {
  World world;
  for (const char* key : {"b/2", "a", "b/1", "c"}) world.ask("ann", put(key, key));
  world.checkpoint();
  world.ask("ann", put("b/3", "new"));
  const auto listing = world.ask("ann", kv::List{.prefix = "b/"});
  REQUIRE(listing.entries.size() == 3);
  CHECK(listing.entries[0].key == "b/1");
  CHECK(listing.entries[2].key == "b/3");
  const Revision before = world.core().rev();
  CHECK(world.ask("ann", kv::DeletePrefix{.prefix = "b/"}).count == 3);
  CHECK(world.core().rev() == before.next());
  CHECK(world.refusal("ann", kv::DeletePrefix{.prefix = ""}) == Code::invalid);
  CHECK(world.ask("ann", kv::DeletePrefix{.prefix = "", .all = true}).count == 2);
}

TEST_CASE("kv: what was put survives a restart, with and without a checkpoint", "[core]") {
  World world;
  world.ask("ann", put("a", "1"));
  world.checkpoint();
  world.ask("ann", put("b", "2"));
  world.restart();
  CHECK(world.ask("ann", kv::Get{.key = "a"}).value.data == "1");
  CHECK(world.ask("ann", kv::Get{.key = "b"}).value.data == "2");
}

TEST_CASE("dedupe: a repeated put is answered as before and done once", "[core][M13]") {
  World world;
  const RequestNo no = world.send("ann", put("a", "1"));
  world.ask("bob", put("a", "2"));
  world.resend("ann", no, put("a", "1"));
  CHECK(world.ask("bob", kv::Get{.key = "a"}).value.data == "2");
  world.restart();
  world.resend("ann", no, put("a", "1"));
  CHECK(world.ask("bob", kv::Get{.key = "a"}).value.data == "2");
}

TEST_CASE("dedupe: a repeated request that was acknowledged is gone, never executed",
          "[core][M14]") {
  World world;
  const RequestNo no = world.send("ann", put("a", "1"));
  world.ask("ann", put("b", "1"), {.acked = no});
  world.ask("bob", put("a", "2"));
  world.resend("ann", no, put("a", "1"));
  CHECK(proto::decode_error(world.answer_to("ann", no, proto::verb_error).body).code == Code::gone);
  CHECK(world.ask("bob", kv::Get{.key = "a"}).value.data == "2");
}

TEST_CASE("kv: disk full refuses puts with unavailable, deletes go on", "[core]") {
  World world;
  world.ask("ann", put("a", "1"));
  world.log().set_room(log::Room::urgent);
  CHECK(world.refusal("ann", put("a", "2")) == Code::unavailable);
  CHECK(world.ask("ann", kv::Get{.key = "a"}).value.data == "1");
  CHECK(world.ask("ann", kv::Delete{.key = "a"}).count == 1);
  world.log().set_room(log::Room::all);
  CHECK_NOTHROW(world.ask("ann", put("a", "2")));
}

}  // namespace
}  // namespace muster::test
