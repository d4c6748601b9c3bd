// kv: keys and values.
//
// A key has 1..400 bytes of UTF-8, no leading slash, no NUL. A value has up to value_bytes_max
// bytes (session.hello says how many).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "common/protocol/envelope.hpp"

namespace muster::proto::kv {

struct Entry {
  std::string key;
  Bytes value;
  std::uint64_t flags = 0;
  Revision create_rev;
  Revision mod_rev;
  std::uint64_t version = 0;  ///< puts since it was created
  std::uint64_t bytes = 0;    ///< of the value, also where the value itself is left out
  std::string author;
  std::uint64_t time_ms = 0;  ///< of the last put, wall clock
  std::uint64_t lock_index = 0;
  std::string session;
  MSGPACK_DEFINE_MAP(key, value, flags, create_rev, mod_rev, version, bytes, author, time_ms,
                     lock_index, session)
};

struct Written {
  Revision rev;            ///< of the key now
  bool unchanged = false;  ///< it was so already: no change, no watch fires
  MSGPACK_DEFINE_MAP(rev, unchanged)
};

/// Errors: invalid (the key), too_large (value; both numbers are named), conflict (compare_rev is
/// not the key's; 0 means: must not exist), fenced, unavailable (disk full).
struct Put {
  static constexpr std::string_view verb = "kv.put";
  using Reply = Written;
  std::string key;
  Bytes value;
  std::uint64_t flags = 0;
  std::optional<Revision> compare_rev;
  MSGPACK_DEFINE_MAP(key, value, flags, compare_rev)
};

/// Errors: invalid, not_found.
struct Get {
  static constexpr std::string_view verb = "kv.get";
  using Reply = Entry;
  std::string key;
  MSGPACK_DEFINE_MAP(key)
};

struct Deleted {
  Revision rev;  ///< of the change, or the newest one where nothing was there
  std::uint64_t count = 0;
  MSGPACK_DEFINE_MAP(rev, count)
};

/// A key that is not there is no error: count is 0. Errors: invalid, conflict (compare_rev),
/// fenced.
struct Delete {
  static constexpr std::string_view verb = "kv.delete";
  using Reply = Deleted;
  std::string key;
  std::optional<Revision> compare_rev;
  MSGPACK_DEFINE_MAP(key, compare_rev)
};

/// All keys that begin with the prefix, in one change.
/// Errors: invalid, too_large (more than one change can hold), fenced.
struct DeletePrefix {
  static constexpr std::string_view verb = "kv.delete_prefix";
  using Reply = Deleted;
  std::string prefix;  ///< empty only with `all`
  bool all = false;
  MSGPACK_DEFINE_MAP(prefix, all)
};

struct Listing {
  std::vector<Entry> entries;
  Revision rev;      ///< the state's revision when it was read
  std::string next;  ///< more follow: ask again with `from` = this; empty: that is all
  MSGPACK_DEFINE_MAP(entries, rev, next)
};

/// In key order, cut at about 1 MiB. Errors: invalid.
struct List {
  static constexpr std::string_view verb = "kv.list";
  using Reply = Listing;
  std::string prefix;
  std::string from;        ///< the first key to be listed, of those with the prefix
  bool keys_only = false;  ///< values left out
  MSGPACK_DEFINE_MAP(prefix, from, keys_only)
};

}  // namespace muster::proto::kv
