// apply_test: what follows from a change without an op of its own.
#include "broker/state/apply.hpp"

#include "broker/state/tables.hpp"
#include "test/support/catch.hpp"
#include "test/support/temporary.hpp"

using namespace muster;
using state::Record;
using state::RequestId;
using state::Store;
using state::TableId;

namespace {

/// Puts `key` as request `no` of one client, which has all answers up to `acked`.
Record put(std::uint64_t no, std::uint64_t acked) {
  const RequestId request{.principal = "ann", .client = "laptop", .no = RequestNo{no}};
  state::Change change{.rev = Revision{no}, .request = request, .acked = RequestNo{acked}};
  change.replies.push_back({.to = request, .body = Bytes("answer")});
  change.ops.push_back({TableId::kv, "key", "value"});
  return {.seq = Seq{no}, .epoch = Epoch{1}, .time = WallTime{no}, .changes = {change}};
}

}  // namespace

// Each put once stepped over the marks of all answers forgotten since the last checkpoint.
TEST_CASE("apply: answers that are acked leave the layer, the newest stays", "[state]") {
  test::TemporaryFolder folder;
  Store store(folder.path());
  for (std::uint64_t no = 1; no <= 100; ++no) state::apply(put(no, no - 1), store);
  CHECK(store.active().rows(TableId::dedupe).size() == 1);
  const RequestId last{.principal = "ann", .client = "laptop", .no = RequestNo{100}};
  CHECK(store.get(TableId::dedupe, state::dedupe_key(last)));
  const state::View view(store, {});
  CHECK(state::Read::Clients(view).get(state::client_key(last))->pruned == RequestNo{99});
}

TEST_CASE("apply: answers that are on disk are forgotten there too", "[state]") {
  test::TemporaryFolder folder;
  Store store(folder.path());
  for (std::uint64_t no = 1; no <= 10; ++no) state::apply(put(no, 0), store);
  store.seal(Seq{10});
  store.write_sealed();
  store.settle();
  state::apply(put(11, 7), store);
  store.seal(Seq{11});
  store.write_sealed();
  store.settle();
  std::string left;
  state::View(store, {}).scan(TableId::dedupe, "", "", [&](std::string_view key, std::string_view) {
    left += std::to_string(state::be64_at_end(key)) + " ";
    return true;
  });
  CHECK(left == "8 9 10 11 ");
}
