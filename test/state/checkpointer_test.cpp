// checkpointer_test: what is handed over comes back, once, with its end.
#include "broker/state/checkpointer.hpp"

#include <poll.h>
#include <stdexcept>

#include "broker/state/store.hpp"
#include "common/limits.hpp"
#include "test/support/catch.hpp"
#include "test/support/temporary.hpp"

using namespace muster;
using state::Checkpointer;
using state::JobEnd;
using state::Layer;
using state::TableId;

namespace {

bool is_readable(const Checkpointer& checkpointer, milliseconds within) {
  pollfd bell{.fd = checkpointer.fd(), .events = POLLIN, .revents = 0};
  return ::poll(&bell, 1, static_cast<int>(within.count())) == 1;
}

JobEnd run(Checkpointer& checkpointer, Checkpointer::Job job) {
  checkpointer.start(std::move(job));
  REQUIRE(is_readable(checkpointer, seconds(30)));
  std::optional<JobEnd> end = checkpointer.take_end();
  REQUIRE(end);
  return *end;
}

}  // namespace

TEST_CASE("checkpointer: a job's end is told once, through the fd and take_end", "[state]") {
  Checkpointer checkpointer;
  CHECK(checkpointer.idle());
  CHECK_FALSE(checkpointer.take_end());
  int done = 0;  // the thread's, then ours again
  for (int i = 1; i <= 100; ++i) {
    CHECK(run(checkpointer, [&] { ++done; }).kind == JobEnd::Kind::done);
    CHECK(done == i);
    CHECK(checkpointer.idle());
    CHECK_FALSE(checkpointer.take_end());
    CHECK_FALSE(is_readable(checkpointer, milliseconds(0)));
  }
}

TEST_CASE("checkpointer: a full disk and a failure come back as what they are", "[state]") {
  Checkpointer checkpointer;
  CHECK(run(checkpointer, [] { throw DiskFull("no room"); }).kind == JobEnd::Kind::disk_full);
  const JobEnd end = run(checkpointer, [] { throw std::runtime_error("bad"); });
  CHECK(end.kind == JobEnd::Kind::failed);
  CHECK_THROWS_WITH(std::rethrow_exception(end.error), "bad");
  CHECK(run(checkpointer, [] {}).kind == JobEnd::Kind::done);
}

TEST_CASE("checkpointer: destruction waits for the job that was started", "[state]") {
  for (int i = 0; i < 100; ++i) {
    bool done = false;
    {
      Checkpointer checkpointer;
      checkpointer.start([&] { done = true; });
    }
    CHECK(done);
  }
  const Checkpointer never_used;
}

TEST_CASE("checkpointer: the store is read and written on while its sealed layer goes to disk",
          "[state]") {
  test::TemporaryFolder folder;
  state::Store store(folder.path());
  Checkpointer checkpointer;
  std::uint64_t seq = 0;
  std::uint64_t checkpoints = 0;
  while (checkpoints < 20) {
    ++seq;
    const std::string key = "key" + std::to_string(seq % 500);
    store.active().put(TableId::kv, key, std::to_string(seq));
    CHECK(store.get(TableId::kv, key) == std::to_string(seq));
    if (seq > 400)
      CHECK(store.get(TableId::kv, "key" + std::to_string((seq - 400) % 500)) ==
            std::to_string(seq - 400));
    if (store.sealed()) {
      if (const auto end = checkpointer.take_end()) {
        CHECK(end->kind == JobEnd::Kind::done);
        store.settle();
        ++checkpoints;
      }
    } else if (store.active().ops() >= 50) {
      store.seal(Seq{seq});
      checkpointer.start([&store] { store.write_sealed(); });
    }
  }
}

TEST_CASE("checkpointer: a layer is written when it has grown or aged, never when empty",
          "[state]") {
  Layer layer;
  CHECK_FALSE(state::wants_checkpoint(layer, std::chrono::hours(1)));
  layer.put(TableId::kv, "key", "value");
  CHECK_FALSE(state::wants_checkpoint(layer, Duration(0)));
  CHECK(state::wants_checkpoint(layer, limits::layer_age_seal));
  layer.put(TableId::kv, "large", std::string(limits::layer_bytes_seal, 'v'));
  CHECK(state::wants_checkpoint(layer, Duration(0)));
  CHECK_FALSE(state::is_over_bound(layer));
  layer.put(TableId::kv, "larger", std::string(limits::layer_bytes_max, 'v'));
  CHECK(state::is_over_bound(layer));
  layer.clear();
  for (std::size_t i = 0; i < limits::layer_ops_seal; ++i)
    layer.put(TableId::kv, std::to_string(i), "");
  CHECK(state::wants_checkpoint(layer, Duration(0)));
}
