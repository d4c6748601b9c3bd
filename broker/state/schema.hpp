// schema: what stands on disk: the format's number and the name of each table.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "broker/state/layer.hpp"

namespace muster::state::schema {

/// +1 when an older broker would misread what a newer one wrote. Kept under `format` in `meta`.
inline constexpr std::uint64_t format = 1;
inline constexpr std::string_view format_key = "format";
/// The seq of the last record whose effects are all in LMDB.
inline constexpr std::string_view seq_key = "seq";

/// A number of meta as its row, and back: written as the table's other rows are.
std::string number_row(std::uint64_t number);
std::uint64_t number_of(std::string_view row);

struct NamedTable {
  TableId id;
  const char* name;
};

inline constexpr std::array tables = {
    NamedTable{TableId::meta, "meta"},
    NamedTable{TableId::kv, "kv"},
    NamedTable{TableId::kv_revs, "kv_revs"},
    NamedTable{TableId::topic_revs, "topic_revs"},
    NamedTable{TableId::sessions, "sessions"},
    NamedTable{TableId::locks, "locks"},
    NamedTable{TableId::tickets, "tickets"},
    NamedTable{TableId::nodes, "nodes"},
    NamedTable{TableId::services, "services"},
    NamedTable{TableId::checks, "checks"},
    NamedTable{TableId::events, "events"},
    NamedTable{TableId::jobs, "jobs"},
    NamedTable{TableId::tasks, "tasks"},
    NamedTable{TableId::dedupe, "dedupe"},
    NamedTable{TableId::clients, "clients"},
    NamedTable{TableId::principals, "principals"},
    NamedTable{TableId::session_keys, "session_keys"},
    NamedTable{TableId::job_requests, "job_requests"},
    NamedTable{TableId::cursors, "cursors"},
    NamedTable{TableId::kv_past, "kv_past"},
    NamedTable{TableId::kv_due, "kv_due"},
    NamedTable{TableId::session_kv, "session_kv"},
    NamedTable{TableId::check_outputs, "check_outputs"},
};

constexpr bool each_table_once() {
  std::array<bool, tables_max> seen{};
  for (const NamedTable& table : tables) {
    const auto id = static_cast<std::size_t>(table.id);
    if (id >= tables_max || seen.at(id)) return false;
    seen.at(id) = true;
  }
  return true;
}
static_assert(each_table_once());
static_assert(tables.size() == tables_count, "a table has no name on disk");

}  // namespace muster::state::schema

namespace muster::state {

/// Keys of the meta table ("format" and "seq" are the store's own).
namespace meta {
inline constexpr std::string_view cluster_id = "cluster_id";
inline constexpr std::string_view history = "history";
inline constexpr std::string_view epoch = "epoch";        // be64
inline constexpr std::string_view rev = "rev";            // be64; put by apply
inline constexpr std::string_view trim_seq = "trim_seq";  // be64: records below are given up
inline constexpr std::string_view trim_rev = "trim_rev";  // be64: the last revision given up
inline constexpr std::string_view trim_ms = "trim_ms";    // be64: its time, wall clock
inline constexpr std::string_view cursors = "cursors";    // be64: how many there are
inline constexpr std::string_view restored = "restored";  // the id of the snapshot.restore
inline constexpr std::string_view keep = "keep";          // keep NUL prefix: a KeepRow
}  // namespace meta

}  // namespace muster::state
