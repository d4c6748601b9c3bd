// merge_test: a view over layers and snapshot against one std::map, from seeds.
#include <array>
#include <map>
#include <random>
#include <vector>

#include "broker/state/store.hpp"
#include "test/support/catch.hpp"
#include "test/support/temporary.hpp"

using namespace muster;
using state::Layer;
using state::Store;
using state::TableId;
using state::View;

namespace {

using Model = std::map<std::string, std::string>;

/// Few keys, so that every layer has something to say about most of them.
std::vector<std::string> make_keys() {
  const std::array<std::string, 6> parts = {"", "a", "b", "\xff", std::string(1, '\0'), "z"};
  std::vector<std::string> keys;
  for (const std::string& first : parts) {
    for (const std::string& second : parts) {
      for (const std::string& third : parts) keys.push_back("a" + first + second + third);
      keys.push_back("b" + first + second);
      keys.push_back("\xff" + first + second);
    }
  }
  return keys;
}

/// A store with two layers of a turn on top, and what it should look like through them.
class Rig {
 public:
  explicit Rig(std::uint64_t seed) : random_(seed), store_(folder_.path()) {}

  void step() {
    switch (below(12)) {
      case 0: return checkpoint_step();
      case 1: return keep(request_, turn_);
      case 2: return turn_over();
      default: return change(topmost());
    }
  }

  void check() const {
    const View view(store_, {&request_, &turn_});
    check_scan(view, "", "");
    check_last(view, "");
    for (const std::string prefix : {"a", "ab", "b\xff", "\xff", "\xff\xff", "zz"}) {
      check_scan(view, prefix, prefix);
      check_scan(view, prefix, prefix + "b");
      check_scan(view, prefix, "ab");
      check_last(view, prefix);
    }
    for (const std::string& key : keys_) {
      const auto row = model_.find(key);
      CHECK(view.get(TableId::kv, key) ==
            (row == model_.end() ? std::nullopt : std::optional(row->second)));
    }
  }

 private:
  std::size_t below(std::size_t bound) { return random_() % bound; }

  /// A layer below one that has rows does not change: the model knows only what is seen from above.
  Layer& topmost() {
    if (!request_.empty() || below(3) == 0) return request_;
    if (!turn_.empty() || below(3) == 0) return turn_;
    return store_.active();
  }

  void change(Layer& layer) {
    const std::string& key = keys_[below(keys_.size())];
    if (below(3) == 0) {
      if (&layer == &store_.active() && below(2) == 0) store_.erase(TableId::kv, key);
      else layer.erase(TableId::kv, key);
      model_.erase(key);
      return;
    }
    const std::string value(below(8), static_cast<char>('a' + below(26)));
    layer.put(TableId::kv, key, value);
    layer.put(TableId::locks, key, "another table");
    model_[key] = value;
  }

  static void keep(Layer& upper, Layer& lower) {
    const std::size_t most = upper.ops() + lower.ops();
    lower.absorb(upper);
    CHECK(upper.empty());
    CHECK(lower.ops() <= most);
  }

  void turn_over() {
    keep(request_, turn_);
    keep(turn_, store_.active());
  }

  void checkpoint_step() {
    if (!store_.sealed()) {
      store_.seal(store_.checkpointed().next());
    } else {
      store_.write_sealed();
      store_.settle();
    }
  }

  void check_scan(const View& view, const std::string& prefix, const std::string& from) const {
    Model seen;
    std::string previous;
    view.scan(TableId::kv, prefix, from, [&](std::string_view key, std::string_view value) {
      CHECK((seen.empty() || previous < key));
      previous = key;
      seen.emplace(key, value);
      return true;
    });
    Model wanted;
    for (const auto& [key, value] : model_) {
      if (key.starts_with(prefix) && key >= from) wanted.emplace(key, value);
    }
    CHECK(seen == wanted);
  }

  void check_last(const View& view, const std::string& prefix) const {
    std::optional<std::pair<std::string, std::string>> wanted;
    for (const auto& [key, value] : model_) {
      if (key.starts_with(prefix)) wanted.emplace(key, value);
    }
    CHECK(view.last(TableId::kv, prefix) == wanted);
  }

  const std::vector<std::string> keys_ = make_keys();
  std::mt19937_64 random_;
  test::TemporaryFolder folder_;
  Store store_;
  Layer request_;
  Layer turn_;
  Model model_;
};

}  // namespace

TEST_CASE(
    "view: layers over a snapshot look like one map, whatever was put, deleted, sealed and settled",
    "[state]") {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    INFO("seed " << seed);
    Rig rig(seed);
    for (int round = 0; round < 20; ++round) {
      for (int i = 0; i < 20; ++i) rig.step();
      rig.check();
    }
  }
}

TEST_CASE("view: a delete hides the row at every level below it", "[state]") {
  test::TemporaryFolder folder;
  Store store(folder.path());
  Layer request;
  Layer turn;
  const View view(store, {&request, &turn});
  const auto rows = [&] {
    std::string text;
    view.scan(TableId::kv, "", "", [&](std::string_view key, std::string_view value) {
      text.append(key).append("=").append(value).append(" ");
      return true;
    });
    return text;
  };
  for (const char* key : {"a", "b", "c"}) store.active().put(TableId::kv, key, "disk");
  store.seal(Seq{1});
  store.write_sealed();
  store.settle();
  CHECK(rows() == "a=disk b=disk c=disk ");

  store.active().erase(TableId::kv, "c");
  CHECK(view.last(TableId::kv, "")->first == "b");
  store.seal(Seq{2});
  CHECK(rows() == "a=disk b=disk ");
  store.active().put(TableId::kv, "c", "active");
  CHECK(rows() == "a=disk b=disk c=active ");
  turn.erase(TableId::kv, "a");
  request.erase(TableId::kv, "c");
  CHECK(rows() == "b=disk ");
  CHECK(view.last(TableId::kv, "c") == std::nullopt);
  CHECK(view.get(TableId::kv, "a") == std::nullopt);
  request.put(TableId::kv, "a", "request");
  CHECK(rows() == "a=request b=disk ");
}

TEST_CASE("view: a scan ends when its visitor says so, and the visitor may look up and scan",
          "[state]") {
  test::TemporaryFolder folder;
  Store store(folder.path());
  for (const char* key : {"a", "b", "c"}) store.active().put(TableId::kv, key, key);
  store.seal(Seq{1});
  store.write_sealed();
  store.settle();
  store.active().put(TableId::kv, "bb", "bb");
  const View view(store, {});
  std::string seen;
  view.scan(TableId::kv, "", "", [&](std::string_view key, std::string_view value) {
    CHECK(view.get(TableId::kv, key) == std::string(value));
    view.scan(TableId::kv, "b", "b", [&](std::string_view inner, std::string_view) {
      seen.append(inner).append(" ");
      return true;
    });
    return key != "b";
  });
  CHECK(seen == "b bb b bb ");
}
