// layer_test: what a layer says and how it counts.
#include "broker/state/layer.hpp"

#include <stdexcept>

#include "common/limits.hpp"
#include "test/support/catch.hpp"

using namespace muster;
using state::Layer;
using state::TableId;

TEST_CASE("layer: the last word on a key is kept, counted once", "[state]") {
  Layer layer;
  CHECK(layer.empty());
  CHECK(layer.find(TableId::kv, "key") == nullptr);
  layer.put(TableId::kv, "key", "value");
  layer.put(TableId::kv, "key", "longer value");
  CHECK(layer.ops() == 1);
  CHECK(**layer.find(TableId::kv, "key") == "longer value");
  layer.put(TableId::kv, "key", "short");
  CHECK(**layer.find(TableId::kv, "key") == "short");
  layer.put(TableId::kv, "key", "");
  CHECK((**layer.find(TableId::kv, "key")).empty());
  layer.erase(TableId::kv, "key");
  CHECK(layer.ops() == 1);
  REQUIRE(layer.find(TableId::kv, "key") != nullptr);
  CHECK_FALSE(*layer.find(TableId::kv, "key"));
  CHECK(layer.find(TableId::locks, "key") == nullptr);
  layer.forget(TableId::kv, "key");
  layer.forget(TableId::kv, "never there");
  layer.forget(TableId::nodes, "never there");
  CHECK(layer.empty());
  CHECK(layer.find(TableId::kv, "key") == nullptr);
  layer.clear();
  CHECK(layer.bytes() == 0);
}

TEST_CASE("layer: bytes are memory: a value in place of one that fits takes none, else both count",
          "[state]") {
  Layer layer;
  layer.put(TableId::kv, "key", std::string(1000, 'a'));
  const std::size_t once = layer.bytes();
  CHECK(once >= 1003);
  for (int i = 0; i < 100; ++i) layer.put(TableId::kv, "key", std::string(1000, 'b'));
  CHECK(layer.bytes() == once);
  layer.put(TableId::kv, "key", std::string(1001, 'c'));
  CHECK(layer.bytes() == once + 1001);
  layer.forget(TableId::kv, "key");
  CHECK(layer.bytes() == once + 1001);
}

TEST_CASE("layer: what the upper one says wins, deletes too", "[state]") {
  Layer lower;
  Layer upper;
  lower.put(TableId::kv, "both", "low");
  lower.put(TableId::kv, "deleted", "low");
  lower.put(TableId::kv, "kept", "low");
  upper.put(TableId::kv, "both", "higher");
  upper.erase(TableId::kv, "deleted");
  upper.put(TableId::locks, "new", "high");
  lower.absorb(upper);
  CHECK(upper.empty());
  CHECK(upper.bytes() == 0);
  CHECK(**lower.find(TableId::kv, "both") == "higher");
  CHECK_FALSE(*lower.find(TableId::kv, "deleted"));
  CHECK(**lower.find(TableId::kv, "kept") == "low");
  CHECK(**lower.find(TableId::locks, "new") == "high");
  CHECK(lower.ops() == 4);

  Layer empty;
  empty.absorb(lower);
  CHECK(lower.empty());
  CHECK(empty.ops() == 4);
  CHECK(**empty.find(TableId::kv, "both") == "higher");
}

TEST_CASE("layer: a key that LMDB cannot take is refused before it is said", "[state]") {
  Layer layer;
  CHECK_THROWS_AS(layer.put(TableId::kv, "", "value"), std::length_error);
  CHECK_THROWS_AS(layer.erase(TableId::kv, std::string(limits::row_key_bytes_max + 1, 'k')),
                  std::length_error);
  CHECK(layer.empty());
  layer.put(TableId::kv, std::string(limits::row_key_bytes_max, 'k'), "value");
  CHECK(layer.ops() == 1);
}
