// layer: one map a table; the last word on a key is the one that is kept.
#include "broker/state/layer.hpp"

#include <stdexcept>

#include <fmt/format.h>

#include "common/limits.hpp"

namespace muster::state {
namespace {

std::size_t size_of(const Layer::Value& value) { return value ? value->size() : 0; }

}  // namespace

void Layer::put(TableId table, std::string key, std::string value) {
  set(table, std::move(key), std::move(value));
}

void Layer::erase(TableId table, std::string key) { set(table, std::move(key), std::nullopt); }

const Layer::Value* Layer::find(TableId table, std::string_view key) const {
  const Rows& there = rows(table);
  if (there.empty()) return nullptr;
  const auto row = there.find(key);
  return row == there.end() ? nullptr : &row->second;
}

void Layer::set(TableId table, std::string key, Value value) {
  if (key.empty() || key.size() > limits::row_key_bytes_max) {
    throw std::length_error(fmt::format("a row's key has 1..{} bytes, this one {}",
                                        limits::row_key_bytes_max, key.size()));
  }
  const std::size_t key_bytes = key.size();
  bytes_ += size_of(value);
  const auto [row, added] =
      tables_[static_cast<std::size_t>(table)].try_emplace(std::move(key), std::move(value));
  if (added) {
    ++ops_;
    bytes_ += key_bytes;
  } else {
    bytes_ -= size_of(row->second);
    row->second = std::move(value);  // try_emplace left it alone
  }
}

void Layer::clear() {
  for (Rows& rows : tables_) rows.clear();
  ops_ = 0;
  bytes_ = 0;
}

void Layer::absorb(Layer& upper) {
  for (std::size_t i = 0; i < tables_max; ++i) {
    Rows& from = upper.tables_[i];
    Rows& to = tables_[i];
    while (!from.empty()) {
      auto placed = to.insert(from.extract(from.begin()));
      const auto& [key, value] = *placed.position;
      if (placed.inserted) {
        ++ops_;
        bytes_ += key.size() + size_of(value);
      } else {
        bytes_ += size_of(placed.node.mapped());
        bytes_ -= size_of(value);
        placed.position->second = std::move(placed.node.mapped());
      }
    }
  }
  upper.clear();
}

}  // namespace muster::state
