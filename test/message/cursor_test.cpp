// cursor_test: cursors as real frames: two clients with one cursor, a restart between.
#include "common/protocol/cursor.hpp"

#include "common/protocol/kv.hpp"
#include "common/protocol/watch.hpp"
#include "test/message/serving.hpp"
#include "test/support/catch.hpp"

namespace muster::test {
namespace {

using proto::cursor::Advance;
using proto::cursor::List;
using proto::cursor::Open;

TEST_CASE("cursor: of two clients that acknowledge one revision, one is told conflict",
          "[message][M34]") {
  const Serving serving;
  Peer ann(serving, "ann");
  Peer bob(serving, "bob");
  const std::string topic = proto::watch::topic("key:", "k");
  const auto opened = ann.ask(Open{.name = "c", .topic = topic, .after = {}, .node = {}});
  CHECK(opened.fresh);
  CHECK_FALSE(bob.ask(Open{.name = "c", .topic = topic, .after = {}, .node = {}}).fresh);
  const Revision put = ann.ask(proto::kv::Put{.key = "k", .value = Bytes("v")}).rev;
  const Advance advance{
      .name = "c", .history = opened.history, .from = opened.rev, .rev = put, .exit_code = 0};
  ann.ask(advance);
  CHECK(bob.refusal(advance) == Code::conflict);
  const auto cursors = bob.ask(List{}).cursors;
  REQUIRE(cursors.size() == 1);
  CHECK(cursors[0].rev == put);
  CHECK(cursors[0].acknowledged == 1);
}

}  // namespace
}  // namespace muster::test
