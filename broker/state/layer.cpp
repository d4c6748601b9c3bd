// layer: one map a table, all in one arena; the last word on a key is the one that is kept.
#include "broker/state/layer.hpp"

#include <cstring>
#include <stdexcept>
#include <type_traits>

#include <fmt/format.h>

#include "common/limits.hpp"

namespace muster::state {
namespace {

/// What a row takes beside its bytes: a map's node.
constexpr std::size_t row_bytes = 32 + sizeof(Layer::Rows::value_type);
static_assert(std::is_trivially_destructible_v<Layer::Rows::value_type>);

}  // namespace

void Layer::put(TableId table, std::string_view key, std::string_view value) {
  set(table, key, value);
}

void Layer::erase(TableId table, std::string_view key) { set(table, key, std::nullopt); }

void Layer::forget(TableId table, std::string_view key) {
  if (!held_) return;
  Rows* const rows = held_->tables[static_cast<std::size_t>(table)];
  if (!rows) return;
  const auto row = rows->find(key);
  if (row == rows->end()) return;
  rows->erase(row);
  --held_->ops;
}

const Layer::Value* Layer::find(TableId table, std::string_view key) const {
  if (!held_) return nullptr;
  const Rows* const rows = held_->tables[static_cast<std::size_t>(table)];
  if (!rows) return nullptr;
  const auto row = rows->find(key);
  return row == rows->end() ? nullptr : &row->second;
}

const Layer::Rows& Layer::rows(TableId table) const {
  static const Rows none;
  const Rows* const rows = held_ ? held_->tables[static_cast<std::size_t>(table)] : nullptr;
  return rows ? *rows : none;
}

void Layer::set(TableId table, std::string_view key, Value value) {
  if (key.empty() || key.size() > limits::row_key_bytes_max) {
    throw std::length_error(fmt::format("a row's key has 1..{} bytes, this one {}",
                                        limits::row_key_bytes_max, key.size()));
  }
  if (!held_) held_ = std::make_unique<Held>();
  Rows*& rows = held_->tables[static_cast<std::size_t>(table)];
  if (!rows) rows = new (held_->arena.allocate(sizeof(Rows), alignof(Rows))) Rows(&held_->arena);
  const auto place = rows->lower_bound(key);
  if (place == rows->end() || place->first != key) {
    const std::string_view kept = keep(key);
    rows->emplace_hint(place, kept, value ? Value(keep(*value)) : std::nullopt);
    ++held_->ops;
    held_->bytes += row_bytes;
    return;
  }
  Value& row = place->second;
  if (value && row && value->size() <= row->size()) {
    char* const bytes = const_cast<char*>(row->data());  // ours, in the arena
    if (!value->empty()) std::memmove(bytes, value->data(), value->size());
    row = std::string_view(bytes, value->size());
  } else {
    row = value ? Value(keep(*value)) : std::nullopt;
  }
}

std::string_view Layer::keep(std::string_view bytes) {
  if (bytes.empty()) return {};
  char* const kept = static_cast<char*>(held_->arena.allocate(bytes.size(), 1));
  std::memcpy(kept, bytes.data(), bytes.size());
  held_->bytes += bytes.size();
  return {kept, bytes.size()};
}

void Layer::absorb(Layer& upper) {
  if (empty()) {
    std::swap(held_, upper.held_);
  } else {
    for (std::size_t table = 0; table < tables_max; ++table) {
      const auto id = static_cast<TableId>(table);
      for (const auto& [key, value] : upper.rows(id)) set(id, key, value);
    }
  }
  upper.clear();
}

}  // namespace muster::state
