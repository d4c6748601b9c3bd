// layer: changes in memory, by table and key, on top of what is below.
//
// A lookup asks request layer, turn layer, active layer, sealed layer and then LMDB; the first that
// has said something about the key wins, be it a value or "deleted".
//
// A layer grows and is dropped as a whole: its rows live in an arena.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <memory_resource>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "common/types.hpp"

namespace muster::state {

/// The tables of DESIGN section 6. The number is part of the format on disk: never reuse one.
enum class TableId : std::uint8_t {
  meta = 1,
  kv = 2,
  kv_revs = 3,
  topic_revs = 4,
  sessions = 5,
  locks = 6,
  tickets = 7,
  nodes = 8,
  services = 9,
  checks = 10,
  events = 11,
  jobs = 12,
  tasks = 13,
  dedupe = 14,
  clients = 15,
  principals = 16,
  session_keys = 17,
  job_requests = 18,
  cursors = 19,
  kv_past = 20,
  check_outputs = 21,
  kv_due = 22,
  session_kv = 23,
};
inline constexpr std::size_t tables_count = 23;  ///< so many are there
inline constexpr std::size_t tables_max = 32;

/// An effect: a put (value) or a delete (none) of one row.
struct Op {
  TableId table = TableId::meta;
  std::string key;
  std::optional<std::string> value;
  Revision prev;  ///< of a key's delete: the revision that it ends

  template <class Packer>
  void msgpack_pack(Packer& packer) const {
    packer.pack_array(prev.value == 0 ? 3 : 4);
    packer.pack(static_cast<std::uint8_t>(table));
    pack_bin(packer, key);
    if (value) pack_bin(packer, *value);
    else packer.pack_nil();
    if (prev.value != 0) packer.pack(prev);
  }
  void msgpack_unpack(const msgpack::object& object) {
    if (object.type != msgpack::type::ARRAY || object.via.array.size < 3)
      throw msgpack::type_error();
    if (object.via.array.size > 3) prev = object.via.array.ptr[3].as<Revision>();
    table = static_cast<TableId>(object.via.array.ptr[0].as<std::uint8_t>());
    key = object.via.array.ptr[1].as<std::string>();
    const auto& third = object.via.array.ptr[2];
    if (third.is_nil()) value = std::nullopt;
    else value = third.as<std::string>();
  }

 private:
  template <class Packer>
  static void pack_bin(Packer& packer, const std::string& bytes) {
    packer.pack_bin(static_cast<std::uint32_t>(bytes.size()));
    packer.pack_bin_body(bytes.data(), static_cast<std::uint32_t>(bytes.size()));
  }
};

/// Not to be copied; moved from, it is empty. What find and rows give lives until the next change.
class Layer {
 public:
  using Value = std::optional<std::string_view>;  ///< none: deleted here
  using Rows = std::pmr::map<std::string_view, Value, std::less<>>;

  /// Throws std::length_error: a key that LMDB could not take.
  void put(TableId table, std::string_view key, std::string_view value);
  void erase(TableId table, std::string_view key);
  /// Says nothing about the key any more.
  void forget(TableId table, std::string_view key);

  /// Null: this layer says nothing about the key.
  const Value* find(TableId table, std::string_view key) const;
  const Rows& rows(TableId table) const;

  std::size_t ops() const { return held_ ? held_->ops : 0; }  ///< rows in all tables
  /// Memory taken: rows, and what was replaced or forgotten since the layer was empty.
  std::size_t bytes() const { return held_ ? held_->bytes : 0; }
  bool empty() const { return ops() == 0; }
  void clear() { held_.reset(); }
  /// What `upper` says wins; it is left empty.
  void absorb(Layer& upper);

 private:
  /// Everything lives in the arena and is dropped with it, tables without their destructors: to
  /// free 32k rows one by one would stop the loop for milliseconds.
  struct Held {  // NOLINT(cppcoreguidelines-pro-type-member-init): the arena writes it first
    std::array<std::byte, 1024> first;  ///< most layers are one request's
    std::pmr::monotonic_buffer_resource arena{first.data(), first.size()};
    std::array<Rows*, tables_max> tables{};
    std::size_t ops = 0;
    std::size_t bytes = 0;
  };

  void set(TableId table, std::string_view key, Value value);
  std::string_view keep(std::string_view bytes);

  std::unique_ptr<Held> held_;  ///< none: empty
};

}  // namespace muster::state
