// txn: several keys in one change, all or nothing.
#include "common/protocol/kv_txn.hpp"
#include "common/protocol/lock.hpp"
#include "test/support/catch.hpp"
#include "test/support/world.hpp"

namespace muster::test {
namespace {

namespace kv = proto::kv;

kv::Operation put(std::string key, std::string value) {
  return {.op = "put", .put = {.key = std::move(key), .value = Bytes(std::move(value))}};
}
kv::Operation get(std::string key) { return {.op = "get", .key = std::move(key)}; }

TEST_CASE("txn: all writes are one change, and later operations see earlier ones", "[core]") {
  World world;
  world.ask("ann", kv::Put{.key = "old/x", .value = Bytes("1")});
  const Revision before = world.core().rev();
  const auto done = world.ask("ann", kv::Txn{.then = {put("a", "1"),
                                                      get("a"),
                                                      put("b", "2"),
                                                      get("none"),
                                                      {.op = "delete_prefix", .key = "old/"},
                                                      {.op = "delete", .key = "b"}}});
  CHECK(done.succeeded);
  CHECK(done.rev == before.next());
  CHECK(world.core().rev() == before.next());
  REQUIRE(done.results.size() == 6);
  CHECK(done.results[1].entry->value.data == "1");
  CHECK_FALSE(done.results[3].entry);
  CHECK(done.results[4].count == 1);
  CHECK(done.results[5].count == 1);
  CHECK(world.ask("bob", kv::List{}).entries.size() == 1);
}

TEST_CASE("txn: an operation that fails leaves nothing behind, and is named", "[core]") {
  World world;
  const RequestNo no = world.send("ann", kv::Txn{.then = {put("a", "1"), put("/bad", "2")}});
  const Error error = proto::decode_error(world.answer_to("ann", no, proto::verb_error).body);
  CHECK(error.code == Code::invalid);
  CHECK(error.message.find("then[1]") == 0);
  CHECK(world.refusal("bob", kv::Get{.key = "a"}) == Code::not_found);
}

TEST_CASE("txn: revision, value, absence and a lock's token are compared, else the other list",
          "[core]") {
  World world;
  const Revision rev = world.ask("ann", kv::Put{.key = "a", .value = Bytes("1")}).rev;
  const auto session = world.ask("ann", proto::session::Open{.ttl_ms = 60'000}).id;
  const Revision token =
      world.ask("ann", proto::lock::Acquire{.name = "l", .session = session}).token;
  const auto holds = [&](kv::Compare compare) {
    return world.ask("bob", kv::Txn{.compare = {std::move(compare)}, .then = {get("a")}}).succeeded;
  };
  CHECK(holds({.key = "a", .rev = rev}));
  CHECK_FALSE(holds({.key = "a", .rev = rev.next()}));
  CHECK(holds({.key = "b", .rev = Revision{0}}));
  CHECK(holds({.key = "a", .value = Bytes("1")}));
  CHECK_FALSE(holds({.key = "a", .value = Bytes("2")}));
  CHECK(holds({.key = "b", .absent = true}));
  CHECK_FALSE(holds({.key = "a", .absent = true}));
  CHECK(holds({.lock = "l", .token = token}));
  CHECK_FALSE(holds({.lock = "l", .token = token.next()}));
  const auto other =
      world.ask("bob", kv::Txn{.compare = {{.key = "a", .rev = rev}, {.key = "a", .absent = true}},
                               .then = {put("then", "x")},
                               .otherwise = {put("else", "x")}});
  CHECK_FALSE(other.succeeded);
  CHECK(other.failed == 1);
  CHECK(world.refusal("bob", kv::Get{.key = "then"}) == Code::not_found);
  CHECK(world.ask("bob", kv::Get{.key = "else"}).value.data == "x");
}

TEST_CASE("txn: a compare says one thing, and an operation is one that there is", "[core]") {
  World world;
  CHECK(world.refusal("ann", kv::Txn{.compare = {{.key = "a"}}}) == Code::invalid);
  CHECK(world.refusal("ann",
                      kv::Txn{.compare = {{.key = "a", .rev = Revision{1}, .absent = true}}}) ==
        Code::invalid);
  CHECK(world.refusal("ann", kv::Txn{.compare = {{.absent = true}}}) == Code::invalid);
  CHECK(world.refusal("ann", kv::Txn{.then = {{.op = "frob", .key = "a"}}}) == Code::invalid);
  CHECK(world.refusal("ann", kv::Txn{.then = {{.op = "delete_prefix"}}}) == Code::invalid);
}

TEST_CASE("txn: many operations are taken, a change that is too large is refused whole", "[core]") {
  World world;
  kv::Txn many;
  for (int i = 0; i < 5000; ++i) many.then.push_back(put("k/" + std::to_string(i), "value"));
  CHECK(world.ask("ann", many).results.size() == 5000);
  kv::Txn large;
  for (int i = 0; i < 8; ++i)
    large.then.push_back(put("l/" + std::to_string(i), std::string(limits::MiB / 2, 'x')));
  CHECK(world.refusal("ann", large) == Code::too_large);
  CHECK(world.ask("bob", kv::List{.prefix = "l/"}).entries.empty());
}

}  // namespace
}  // namespace muster::test
