// front_door_test: what comes in at the requests port, well-formed or not, and what is said to it.
#include <random>

#include "broker/core/routes.hpp"
#include "common/protocol/kv.hpp"
#include "test/message/serving.hpp"
#include "test/support/catch.hpp"

namespace muster::test {
namespace {

using proto::kv::Get;
using proto::kv::Put;

std::string header(std::string_view verb, std::uint64_t no) {
  return proto::encode_header({std::string(verb), RequestNo{no}, {}});
}

std::string get(const std::string& key) { return codec::encode(Get{.key = key}); }

/// Whether the broker still does what it is for, for somebody else.
bool serves(const Serving& serving) {
  Peer other(serving, "other");
  other.ask(Put{.key = "served", .value = Bytes("yes")});
  return other.ask(Get{.key = "served"}).value.data == "yes";
}

Code invalid_answer(Peer& peer, std::uint64_t no) { return peer.refusal(RequestNo{no}); }

TEST_CASE("front door: one frame and three are invalid, where a number can be read",
          "[message][M1][M31]") {
  const Serving serving;
  Peer peer(serving, "ann");
  const auto before = peer.counter("invalid");
  peer.say({header("kv.get", 50)});
  CHECK(invalid_answer(peer, 50) == Code::invalid);
  peer.say({header("kv.get", 51), get("a"), "more"});
  CHECK(invalid_answer(peer, 51) == Code::invalid);
  std::vector<std::string> many(1000, "x");
  many[0] = header("kv.get", 52);
  peer.say(many);
  CHECK(invalid_answer(peer, 52) == Code::invalid);
  CHECK(peer.counter("invalid") == before + 3);
  CHECK(serves(serving));
}

TEST_CASE("front door: empty frames, an empty delimiter and no header at all are counted",
          "[message][M1]") {
  const Serving serving;
  Peer peer(serving, "ann");
  const auto before = peer.counter("invalid");
  peer.say({""});
  peer.say({"", ""});
  peer.say({"", header("kv.get", 50), get("a")});
  peer.say({"\xc0", "\x80"});
  CHECK(peer.counter("invalid") == before + 4);
}

TEST_CASE("front door: a header that cannot be used is answered under its number",
          "[message][M3][M4]") {
  const Serving serving;
  Peer peer(serving, "ann");
  peer.say({std::string("\x93\x02\xa6kv.get\x32"), get("a")});
  CHECK(invalid_answer(peer, 50) == Code::version);
  peer.say({std::string("\x93\x01\x05\x33"), get("a")});
  CHECK(invalid_answer(peer, 51) == Code::invalid);
  const auto before = peer.counter("invalid");
  peer.say({std::string("\x93\x01\xa6kv.get\xff"), get("a")});  // a number of -1
  peer.say({header(std::string(5000, 'v'), 53), get("a")});     // over 4,096 bytes
  peer.say({header("kv.get", 54).substr(0, 6), get("a")});
  CHECK(peer.counter("invalid") == before + 3);
}

TEST_CASE("front door: a body that is cut, wrongly typed, too deep or not all used is invalid",
          "[message][M2][M5]") {
  const Serving serving;
  Peer peer(serving, "ann");
  const std::string good = codec::encode(Put{.key = "a", .value = Bytes("1")});
  for (std::size_t cut = 0; cut < good.size(); ++cut)
    CHECK(peer.refusal(peer.send(Put::verb, good.substr(0, cut))) == Code::invalid);
  for (const std::string& body :
       {good + '\x80', std::string("\x81\xa3key\x07"), std::string("\x91\xa3key"),
        std::string(100'000, '\x91'), std::string("\xdd\x7f\xff\xff\xff"), std::string("\x80")}) {
    CHECK(peer.refusal(peer.send(Put::verb, body)) == Code::invalid);
  }
  CHECK(peer.refusal(Get{.key = "a"}) == Code::not_found);
  CHECK(peer.ask(Put{.key = "a", .value = Bytes("1")}).rev.value > 0);
}

TEST_CASE("front door: unknown keys in a body are ignored", "[message][M5]") {
  const Serving serving;
  Peer peer(serving, "ann");
  const RequestNo no =
      peer.send(Put::verb, "\x83\xa3key\xa1k\xa5value\xc4\x01v\xa3new\x93\x01\x02\x03");
  CHECK(peer.hear().no == no);
  CHECK(peer.ask(Get{.key = "k"}).value.data == "v");
}

TEST_CASE("front door: no verb, and none of the broker's own words", "[message]") {
  const Serving serving;
  Peer peer(serving, "ann");
  const auto before = peer.counter("unknown_verbs");
  for (const std::string_view verb :
       {"", "kv", "kv.put ", "KV.PUT", "session.expire", "lock.give_up", "catalog.presence",
        "broker.lead", "log.trim", "dedupe.forget"}) {
    CHECK(peer.refusal(peer.send(verb, "\x80")) == Code::invalid);
  }
  CHECK(peer.counter("unknown_verbs") == before + 10);
}

TEST_CASE("front door: every verb with an empty map is answered, and nothing goes wrong inside",
          "[message][M5][M6]") {
  const Serving serving;
  Peer peer(serving, "ann");
  for (const core::RouteEntry& route : core::all_routes()) {
    if (route.verb == proto::session::Hello::verb) continue;
    CAPTURE(route.verb);
    const RequestNo no = peer.send(route.verb, "\x80");
    const Heard heard = peer.hear();
    CHECK(heard.no == no);
    CHECK(heard.kind != proto::verb_more);
  }
  CHECK(peer.counter("internal_errors") == 0);
}

TEST_CASE("front door: an answer that nobody asked for is counted", "[message][M6]") {
  const Serving serving;
  Peer peer(serving, "ann");
  for (const auto kind : {proto::verb_reply, proto::verb_more, proto::verb_error})
    peer.say({proto::encode_answer(kind, RequestNo{7}), "\x80"});
  CHECK(peer.counter("stray_answers") == 3);
}

TEST_CASE("front door: without hello every verb is answered `hello`", "[message][M8]") {
  const Serving serving;
  Peer peer(serving);
  for (const core::RouteEntry& route : core::all_routes()) {
    if (route.right == core::Right::broker || route.verb == proto::session::Hello::verb) continue;
    CAPTURE(route.verb);
    CHECK(peer.refusal(peer.send(route.verb, "\x80")) == Code::hello);
  }
}

TEST_CASE("front door: a hello is refused for a bad client_id and for another version",
          "[message][M9]") {
  const Serving serving;
  Peer peer(serving);
  for (const std::string& id : {std::string(), std::string(65, 'i'), std::string("a\0b", 3)})
    CHECK(peer.refusal(proto::session::Hello{.client_id = id}) == Code::invalid);
  CHECK(peer.refusal(proto::session::Hello{.client_id = "ann", .versions = {2, 3}}) ==
        Code::version);
  CHECK(peer.refusal(Get{.key = "a"}) == Code::hello);
}

TEST_CASE("front door: a welcome says the cluster's name", "[message]") {
  const Serving serving;
  Peer peer(serving);
  CHECK(peer.ask(proto::session::Hello{.client_id = "ann"}).cluster == "muster");
}

TEST_CASE("front door: a second hello of a client_id cuts off the connection of the first",
          "[message][M9]") {
  const Serving serving;
  Peer old(serving, "ann");
  Peer young(serving, "ann");
  old.send(Put{.key = "a", .value = Bytes("old")});
  Peer other(serving, "bob");
  REQUIRE(eventually([&] { return other.counter("superseded") == 1; }));
  CHECK(young.refusal(Get{.key = "a"}) == Code::not_found);
  old.hello();  // and the other way round
  CHECK(old.refusal(Get{.key = "a"}) == Code::not_found);
}

TEST_CASE("front door: what is repeated over a new connection is done once", "[message][M13]") {
  const Serving serving;
  const Put put{.key = "a", .value = Bytes("1")};
  Peer first(serving, "ann");
  const RequestNo no = first.send(put);
  const auto written = *codec::decode<proto::kv::Written>(first.hear().body);
  Peer other(serving, "bob");
  other.ask(Put{.key = "a", .value = Bytes("2")});
  Peer again(serving, "ann");
  again.say({header(Put::verb, no.value), codec::encode(put)});
  const Heard heard = again.hear();
  CHECK(heard.no == no);
  CHECK(codec::decode<proto::kv::Written>(heard.body)->rev == written.rev);
  CHECK(other.ask(Get{.key = "a"}).value.data == "2");
}

TEST_CASE(
    "front door: a value over the limit is too_large, a message over its bound ends the connection only",
    "[message][M15][M31]") {
  const Serving serving;
  Peer peer(serving, "ann");
  CHECK(peer.refusal(
            Put{.key = "a", .value = Bytes(std::string(limits::value_bytes_default + 1, 'x'))}) ==
        Code::too_large);
  peer.send(Put::verb, std::string(4 * limits::MiB, '\xc0'));
  CHECK(serves(serving));
}

TEST_CASE("front door: twenty thousand random messages end nothing", "[message][M31]") {
  const Serving serving;
  Peer wild(serving, "wild");
  std::mt19937 random(20'261'104);
  const auto upto = [&](std::size_t most) { return random() % (most + 1); };
  const auto noise = [&](std::size_t most) {
    std::string bytes(upto(most), '\0');
    for (char& byte : bytes) byte = static_cast<char>(random());
    return bytes;
  };
  for (int n = 0; n < 20'000; ++n) {
    const auto& route = core::all_routes()[upto(core::all_routes().size() - 1)];
    std::string first = upto(1) == 0 ? header(route.verb, 1 + upto(1000)) : noise(60);
    std::string second = noise(80);
    if (upto(3) == 0 && !first.empty())
      first[upto(first.size() - 1)] ^= static_cast<char>(1 << upto(7));
    if (upto(2) == 0) wild.say({first, second});
    else if (upto(1) == 0) wild.say({first});
    else wild.say({first, second, noise(10)});
  }
  CHECK(serves(serving));
  Peer other(serving, "bob");
  CHECK(other.counter("invalid") > 1000);
  CHECK(other.counter("internal_errors") == 0);
}

}  // namespace
}  // namespace muster::test
