// lock: order, hand-over, fence, expiry, retries, restarts.
#include "common/protocol/lock.hpp"

#include "common/protocol/kv.hpp"
#include "test/support/catch.hpp"
#include "test/support/world.hpp"

namespace muster::test {
namespace {

using proto::lock::Acquire;
using proto::lock::Granted;
using proto::lock::Release;

std::string session(World& world, const std::string& client, std::uint64_t ttl_ms = 15000) {
  return world.ask(client, proto::session::Open{.ttl_ms = ttl_ms}).id;
}

Revision token(World& world, const std::string& client, RequestNo no) {
  return codec::decode<Granted>(world.answer_to(client, no, proto::verb_reply).body)->token;
}

TEST_CASE("lock: the holder's session ends, the longest waiter gets the lock", "[core][M24]") {
  World world;
  const std::string ann = session(world, "ann"), bob = session(world, "bob"),
                    cat = session(world, "cat");
  world.send("ann", Acquire{.name = "deploy", .session = ann});
  const RequestNo bobs = world.send("bob", Acquire{.name = "deploy", .session = bob});
  const RequestNo cats = world.send("cat", Acquire{.name = "deploy", .session = cat});
  CHECK_FALSE(world.answered("bob", bobs));
  world.transcript();
  world.ask("ann", proto::session::End{.id = ann});
  CHECK(world.transcript() ==
        "ann > session.end\n"
        "  ann < session.end {}\n"
        "  bob < lock.acquire {\"token\":8}\n");
  CHECK_FALSE(world.answered("cat", cats));
}

TEST_CASE("lock: a limit of two holds two, never three, and tokens differ and rise",
          "[core][M24]") {
  World world;
  std::vector<RequestNo> asked;
  std::vector<std::string> sessions;
  for (const char* who : {"a", "b", "c", "d"}) {
    sessions.push_back(session(world, who));
    asked.push_back(
        world.send(who, Acquire{.name = "pool", .limit = 2, .session = sessions.back()}));
  }
  CHECK(world.answered("a", asked[0]));
  CHECK(world.answered("b", asked[1]));
  CHECK_FALSE(world.answered("c", asked[2]));
  world.ask("b", Release{.name = "pool", .session = sessions[1]});
  REQUIRE(world.answered("c", asked[2]));
  CHECK_FALSE(world.answered("d", asked[3]));
  CHECK(token(world, "a", asked[0]) < token(world, "b", asked[1]));
  CHECK(token(world, "b", asked[1]) < token(world, "c", asked[2]));
}

TEST_CASE("lock: another limit than the lock's is a conflict that names both", "[core][M24]") {
  World world;
  world.send("ann", Acquire{.name = "x", .limit = 2, .session = session(world, "ann")});
  const RequestNo no =
      world.send("bob", Acquire{.name = "x", .limit = 3, .session = session(world, "bob")});
  const Error error = proto::decode_error(world.answer_to("bob", no, proto::verb_error).body);
  CHECK(error.code == Code::conflict);
  CHECK(error.message == "lock x has limit 2, asked with 3");
}

TEST_CASE("lock: an expired session hands over within its TTL and 0.2 s, keepalives put that off",
          "[core][M23]") {
  World world;
  const std::string ann = session(world, "ann", 10'000), bob = session(world, "bob", 60'000);
  world.send("ann", Acquire{.name = "x", .session = ann});
  const RequestNo no = world.send("bob", Acquire{.name = "x", .session = bob});
  world.advance(seconds(9));
  world.ask("ann", proto::session::Keepalive{.id = ann});
  world.advance(milliseconds(9'999));
  CHECK_FALSE(world.answered("bob", no));
  world.advance(milliseconds(200));
  CHECK(world.answered("bob", no));
}

TEST_CASE("lock: a wait that is over leaves the queue, a grant that came first stays", "[core]") {
  World world;
  const std::string ann = session(world, "ann"), bob = session(world, "bob", 60'000),
                    cat = session(world, "cat", 60'000);
  world.send("ann", Acquire{.name = "x", .session = ann});
  const RequestNo bobs = world.send("bob", Acquire{.name = "x", .session = bob, .wait_ms = 1000});
  const RequestNo cats = world.send("cat", Acquire{.name = "x", .session = cat, .wait_ms = 5000});
  world.advance(milliseconds(1100));
  CHECK(proto::decode_error(world.answer_to("bob", bobs, proto::verb_error).body).code ==
        Code::timeout);
  world.ask("ann", Release{.name = "x", .session = ann});
  const Revision granted = token(world, "cat", cats);
  world.advance(seconds(6));
  CHECK(world.ask("cat", proto::lock::List{.name = "x"}).locks.at(0).holders.at(0).token ==
        granted);
  CHECK(
      world.refusal("dan", Acquire{.name = "x", .session = session(world, "dan"), .wait_ms = 0}) ==
      Code::timeout);
}

TEST_CASE("lock: a fenced put passes for a present holder only", "[core][M26]") {
  World world;
  const std::string ann = session(world, "ann"), bob = session(world, "bob");
  const Revision anns = world.ask("ann", Acquire{.name = "x", .session = ann}).token;
  const proto::kv::Put put{.key = "k", .value = Bytes("v")};
  CHECK_NOTHROW(world.ask("ann", put, {.fence = proto::Fence{"x", anns}}));
  const RequestNo no = world.send("bob", Acquire{.name = "x", .session = bob});
  world.ask("ann", proto::session::End{.id = ann});
  CHECK(world.refusal("ann", proto::kv::Put{.key = "k", .value = Bytes("late")},
                      {.fence = proto::Fence{"x", anns}}) == Code::fenced);
  CHECK_NOTHROW(world.ask("bob", proto::kv::Put{.key = "k", .value = Bytes("new")},
                          {.fence = proto::Fence{"x", token(world, "bob", no)}}));
}

TEST_CASE("lock: a waiter who asks again after a restart keeps its place and its answer",
          "[core][M25]") {
  World world;
  const std::string ann = session(world, "ann"), bob = session(world, "bob");
  const Acquire wanted{.name = "x", .session = bob};
  world.send("ann", Acquire{.name = "x", .session = ann});
  const RequestNo no = world.send("bob", wanted);
  world.restart();
  world.ask("ann", proto::session::Attach{.id = ann});
  world.ask("bob", proto::session::Attach{.id = bob});
  world.resend("bob", no, wanted);
  CHECK_FALSE(world.answered("bob", no));
  world.ask("ann", Release{.name = "x", .session = ann});
  REQUIRE(world.answered("bob", no));
  const Revision first = token(world, "bob", no);
  world.resend("bob", no, wanted);
  CHECK(token(world, "bob", no) == first);
}

TEST_CASE("lock: a ticket not asked for again after a restart is removed within its session's TTL",
          "[core]") {
  World world;
  const std::string ann = session(world, "ann", 60'000), bob = session(world, "bob", 10'000);
  world.send("ann", Acquire{.name = "x", .session = ann});
  world.send("bob", Acquire{.name = "x", .session = bob});
  world.restart();
  world.ask("ann", proto::session::Attach{.id = ann});
  world.ask("bob", proto::session::Attach{.id = bob});
  world.advance(seconds(6));
  world.ask("bob", proto::session::Keepalive{.id = bob});
  world.advance(seconds(5));
  CHECK(world.ask("ann", proto::lock::List{.name = "x"}).locks.at(0).waiters.empty());
}

TEST_CASE("session: only messages on its own connection keep it alive", "[core][M21]") {
  World world;
  const std::string ann = session(world, "ann", 5'000);
  world.reconnect("ann");
  CHECK(world.refusal("ann", proto::session::Keepalive{.id = ann}) == Code::conflict);
  world.advance(milliseconds(4'900));
  world.send("ann", proto::session::Ping{});
  world.advance(milliseconds(300));
  CHECK(world.refusal("ann", proto::session::Attach{.id = ann}) == Code::not_found);
}

TEST_CASE("session: a stall of the broker ends nobody's lease", "[core][M23]") {
  World world;
  const std::string ann = session(world, "ann", 5'000);
  world.advance(seconds(4));
  world.core().stalled(seconds(3));
  world.advance(seconds(3));
  CHECK_NOTHROW(world.ask("ann", proto::session::Keepalive{.id = ann}));
}

}  // namespace
}  // namespace muster::test
