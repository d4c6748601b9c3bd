// view: layers and snapshot merged into one table in order.
//
// Each source has a place in its own rows. The next row is the one with the least key (or the
// greatest, going down); where several sources have that key the topmost says what it is, and all
// of them step past it. Sources are few, so finding the least is a walk over them.
#include <algorithm>
#include <array>
#include <iterator>

#include "broker/state/lmdb.hpp"
#include "broker/state/store.hpp"

namespace muster::state {
namespace {

enum class Way { up, down };

/// The least key above all keys that begin with `prefix`; empty: there is none.
std::string end_of(std::string_view prefix) {
  std::string end(prefix);
  while (!end.empty() && end.back() == '\xff') end.pop_back();
  if (!end.empty()) end.back() = static_cast<char>(static_cast<unsigned char>(end.back()) + 1);
  return end;
}

/// A place among a layer's rows that begin with a prefix.
template <Way way>
class LayerWalk {
 public:
  LayerWalk() = default;
  /// Going up: from the first key >= `edge`; going down: from the last < `edge`, of all when empty.
  LayerWalk(const Layer::Rows& rows, std::string_view prefix, std::string_view edge)
      : rows_(&rows), prefix_(prefix) {
    at_ = edge.empty() && way == Way::down ? rows.end() : rows.lower_bound(edge);
    if (way == Way::down) step_down();
  }

  bool at_row() const { return at_ != rows_->end() && at_->first.starts_with(prefix_); }
  std::string_view key() const { return at_->first; }
  const Layer::Value& value() const { return at_->second; }
  void next() {
    if (way == Way::up) ++at_;
    else step_down();
  }

 private:
  void step_down() { at_ = at_ == rows_->begin() ? rows_->end() : std::prev(at_); }

  const Layer::Rows* rows_ = nullptr;
  std::string_view prefix_;
  Layer::Rows::const_iterator at_;
};

/// The same in the snapshot.
template <Way way>
class SnapshotWalk {
 public:
  SnapshotWalk(const Snapshot& snapshot, TableId table, std::string_view prefix,
               std::string_view edge)
      : cursor_(snapshot, table), prefix_(prefix) {
    if (way == Way::up) cursor_.seek(edge);
    else cursor_.seek_before(edge);
  }

  bool at_row() const { return cursor_.at_row() && cursor_.key().starts_with(prefix_); }
  std::string_view key() const { return cursor_.key(); }
  std::string_view value() const { return cursor_.value(); }
  void next() {
    if (way == Way::up) cursor_.next();
    else cursor_.previous();
  }

 private:
  Cursor cursor_;
  std::string_view prefix_;
};

template <Way way>
bool comes_before(std::string_view a, std::string_view b) {
  return way == Way::up ? a < b : b < a;
}

/// The layers' part of a merge: those that still have rows, topmost first.
template <Way way>
class LayersWalk {
 public:
  void add(const Layer* layer, TableId table, std::string_view prefix, std::string_view edge) {
    if (!layer || layer->rows(table).empty()) return;
    walks_[count_] = LayerWalk<way>(layer->rows(table), prefix, edge);
    if (walks_[count_].at_row()) ++count_;
    find_first();
  }

  bool at_row() const { return count_ != 0; }
  std::string_view key() const { return walks_[first_].key(); }
  const Layer::Value& value() const { return walks_[first_].value(); }

  void next() {
    const std::string_view passed = key();
    std::size_t kept = 0;
    for (std::size_t i = 0; i < count_; ++i) {
      if (walks_[i].key() == passed) walks_[i].next();
      if (walks_[i].at_row()) walks_[kept++] = walks_[i];
    }
    count_ = kept;
    find_first();
  }

 private:
  void find_first() {
    first_ = 0;
    for (std::size_t i = 1; i < count_; ++i) {
      if (comes_before<way>(walks_[i].key(), walks_[first_].key()))
        first_ = i;  // a tie stays with the upper
    }
  }

  std::array<LayerWalk<way>, View::layers_max + 2> walks_;
  std::size_t count_ = 0;
  std::size_t first_ = 0;
};

template <Way way, class Visit>
void merge(LayersWalk<way>& layers, SnapshotWalk<way>& snapshot, const Visit& visit) {
  for (;;) {
    while (snapshot.at_row() &&
           (!layers.at_row() || comes_before<way>(snapshot.key(), layers.key()))) {
      if (!visit(snapshot.key(), snapshot.value())) return;
      snapshot.next();
    }
    if (!layers.at_row()) return;
    if (snapshot.at_row() && snapshot.key() == layers.key()) snapshot.next();
    if (const Layer::Value& value = layers.value(); value && !visit(layers.key(), *value)) return;
    layers.next();
  }
}

}  // namespace

View::View(const Store& store, std::initializer_list<const Layer*> layers) : store_(store) {
  ENSURE(layers.size() <= layers_max);
  for (const Layer* layer : layers) layers_[count_++] = layer;
}

std::optional<std::string> View::get(TableId table, std::string_view key) const {
  for (std::size_t i = 0; i < count_; ++i) {
    if (const Layer::Value* row = layers_[i]->find(table, key))
      return std::optional<std::string>(*row);
  }
  return store_.get(table, key);
}

template <class Walk>
void View::add_layers(Walk& walk, TableId table, std::string_view prefix,
                      std::string_view edge) const {
  for (std::size_t i = 0; i < count_; ++i) walk.add(layers_[i], table, prefix, edge);
  walk.add(&store_.active_, table, prefix, edge);
  walk.add(store_.sealed_.get(), table, prefix, edge);
}

void View::scan(
    TableId table, std::string_view prefix, std::string_view from,
    const std::function<bool(std::string_view key, std::string_view value)>& visit) const {
  const std::string_view edge = std::max(prefix, from);
  LayersWalk<Way::up> layers;
  add_layers(layers, table, prefix, edge);
  SnapshotWalk<Way::up> snapshot(*store_.snapshot_, table, prefix, edge);
  merge(layers, snapshot, visit);
}

std::optional<std::pair<std::string, std::string>> View::last(TableId table,
                                                              std::string_view prefix,
                                                              std::string_view below) const {
  const std::string edge = below.empty() ? end_of(prefix) : std::string(below);
  LayersWalk<Way::down> layers;
  add_layers(layers, table, prefix, edge);
  SnapshotWalk<Way::down> snapshot(*store_.snapshot_, table, prefix, edge);
  std::optional<std::pair<std::string, std::string>> found;
  merge(layers, snapshot, [&](std::string_view key, std::string_view value) {
    found.emplace(key, value);
    return false;
  });
  return found;
}

std::optional<std::string> View::first(TableId table, std::string_view prefix,
                                       std::string_view from) const {
  std::optional<std::string> found;
  scan(table, prefix, from, [&](std::string_view key, std::string_view) {
    found.emplace(key);
    return false;
  });
  return found;
}

}  // namespace muster::state
