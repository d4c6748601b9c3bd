// snapshot_test: a snapshot in frames: fetched in pieces, brought in pieces, refused.
#include "common/protocol/snapshot.hpp"

#include "common/protocol/kv.hpp"
#include "common/snapshot/file.hpp"
#include "test/message/serving.hpp"
#include "test/support/catch.hpp"

namespace muster::test {
namespace {

namespace wire = proto::snapshot;

std::string content_of(Peer& peer, const std::string& id) {
  std::string content;
  for (;;) {
    const auto piece = peer.ask(wire::Read{.id = id, .offset = content.size()});
    if (piece.bytes.empty()) return content;
    content += piece.bytes.view();
  }
}

std::string bring(Peer& peer, const Bytes& head, std::string_view content) {
  const std::string id = peer.ask(wire::Upload{.head = head}).id;
  const auto have = peer.ask(wire::Write{.id = id, .bytes = Bytes(std::string(content))});
  CHECK(have.bytes == content.size());
  return id;
}

TEST_CASE("[M40] snapshot: what is fetched has the size and hash that its head says", "[message]") {
  const Serving serving;
  Peer peer(serving, "ann");
  const auto written =
      peer.ask(proto::kv::Put{.key = "k", .value = Bytes(std::string(70'000, 'v'))});
  const auto saved = peer.ask(wire::Save{});
  const auto head = snapshot::decode_head(saved.head.view());
  REQUIRE(head);
  CHECK(head->rev >= written.rev);
  CHECK(head->rows.at("kv") == 1);
  const std::string content = content_of(peer, saved.id);
  snapshot::Hasher hasher;
  hasher.add(content);
  CHECK(content.size() == head->bytes);
  CHECK(hasher.finish() == head->hash);
}

TEST_CASE("snapshot: so many are kept at once, each until it is dropped", "[message]") {
  const Serving serving;
  Peer peer(serving, "ann");
  std::vector<wire::Saved> saved;
  while (saved.size() < limits::snapshots_max) saved.push_back(peer.ask(wire::Save{}));
  CHECK(peer.refusal(wire::Save{}) == Code::busy);
  CHECK(peer.refusal(wire::Upload{.head = saved[1].head}) == Code::busy);
  peer.ask(wire::Drop{.id = saved[0].id});
  CHECK(peer.refusal(wire::Read{.id = saved[0].id}) == Code::not_found);
  CHECK(peer.refusal(wire::Read{.id = saved[1].id, .offset = 1'000'000'000}) == Code::invalid);
  peer.ask(wire::Save{});
}

TEST_CASE("snapshot: pieces may be repeated, but leave no gap and do not go too far", "[message]") {
  const Serving serving;
  Peer peer(serving, "ann");
  const auto saved = peer.ask(wire::Save{});
  const std::string content = content_of(peer, saved.id);
  const std::string id = peer.ask(wire::Upload{.head = saved.head}).id;
  const Bytes piece(content.substr(0, 1000));
  CHECK(peer.ask(wire::Write{.id = id, .bytes = piece}).bytes == 1000);
  CHECK(peer.ask(wire::Write{.id = id, .bytes = piece}).bytes == 1000);
  CHECK(peer.refusal(wire::Write{.id = id, .offset = 1001, .bytes = piece}) == Code::invalid);
  CHECK(peer.refusal(wire::Write{.id = id, .offset = 1000, .bytes = Bytes(content)}) ==
        Code::invalid);
  CHECK(peer.refusal(wire::Write{.id = saved.id, .bytes = piece}) == Code::not_found);
}

TEST_CASE("[M41] snapshot: what is not whole is refused, and nothing has changed", "[message]") {
  const Serving serving;
  Peer peer(serving, "ann");
  peer.ask(proto::kv::Put{.key = "k", .value = Bytes("v")});
  const auto saved = peer.ask(wire::Save{});
  std::string content = content_of(peer, saved.id);
  peer.ask(wire::Drop{.id = saved.id});
  CHECK(peer.refusal(wire::Upload{.head = Bytes("rubbish")}) == Code::invalid);
  CHECK(peer.refusal(wire::Restore{.id = "nothing"}) == Code::not_found);
  const std::string cut = bring(peer, saved.head, content.substr(0, content.size() / 2));
  CHECK(peer.refusal(wire::Restore{.id = cut}) == Code::invalid);
  content[content.size() / 2] = static_cast<char>(content[content.size() / 2] ^ 1);
  const std::string flipped = bring(peer, saved.head, content);
  CHECK(peer.refusal(wire::Restore{.id = flipped}) == Code::invalid);
  CHECK(peer.ask(proto::kv::Get{.key = "k"}).value == Bytes("v"));
}

/// Cut off or filled with rubbish, under a head that says so and a hash that is right.
std::string forged(Peer& peer, const wire::Saved& saved, const std::string& content) {
  auto head = snapshot::decode_head(saved.head.view());
  REQUIRE(head);
  snapshot::Hasher hasher;
  hasher.add(content);
  head->bytes = content.size();
  head->hash = hasher.finish();
  return bring(peer, Bytes(snapshot::encode_head(*head)), content);
}

// LMDB ended the broker with SIGBUS where its file was cut off.
TEST_CASE("[M41] snapshot: a forged one is refused, and ends nobody", "[message]") {
  const Serving serving;
  Peer peer(serving, "ann");
  for (int i = 0; i < 200; ++i)
    peer.ask(proto::kv::Put{.key = fmt::format("k{}", i), .value = Bytes(std::string(500, 'v'))});
  const auto saved = peer.ask(wire::Save{});
  const std::string content = content_of(peer, saved.id);
  REQUIRE(content.size() > 20 * 4096);
  std::vector<std::string> forgeries{content.substr(0, content.size() / 2),
                                     content.substr(0, 12288),
                                     content.substr(0, content.size() - 4096)};
  std::minstd_rand random(4);  // of a fixed seed
  for (const std::size_t from : {std::size_t{2} * 4096, content.size() / 2}) {
    std::string rubbish = content;
    for (std::size_t at = from; at < rubbish.size(); at += 7)
      rubbish[at] = static_cast<char>(random());
    forgeries.push_back(std::move(rubbish));
  }
  for (const std::string& forgery : forgeries) {
    const std::string id = forged(peer, saved, forgery);
    CHECK(peer.refusal(wire::Restore{.id = id}) == Code::invalid);
    peer.ask(wire::Drop{.id = id});
  }
  CHECK(peer.ask(proto::kv::Get{.key = "k7"}).value == Bytes(std::string(500, 'v')));
}

TEST_CASE("snapshot: a head that does not fit its content is refused", "[message]") {
  const Serving serving;
  Peer peer(serving, "ann");
  const auto saved = peer.ask(wire::Save{});
  const std::string content = content_of(peer, saved.id);
  auto head = snapshot::decode_head(saved.head.view());
  REQUIRE(head);
  peer.ask(wire::Drop{.id = saved.id});

  head->rev = Revision{head->rev.value + 1};
  const std::string other = bring(peer, Bytes(snapshot::encode_head(*head)), content);
  CHECK(peer.refusal(wire::Restore{.id = other}) == Code::invalid);
  head->layout = "lmdb-16";
  CHECK(peer.refusal(wire::Upload{.head = Bytes(snapshot::encode_head(*head))}) == Code::invalid);
  head->layout = snapshot::layout;
  head->schema = 99;
  CHECK(peer.refusal(wire::Upload{.head = Bytes(snapshot::encode_head(*head))}) == Code::invalid);
}

}  // namespace
}  // namespace muster::test
