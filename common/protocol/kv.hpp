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
  std::string cause;
  std::uint64_t time_ms = 0;  ///< of the last put, wall clock
  std::uint64_t ttl_ms = 0;   ///< as it was put; 0: it does not expire
  std::uint64_t expires_ms =
      0;  ///< wall clock, at the earliest; 0: not, or long ago (an old entry)
  std::uint64_t lock_index = 0;  ///< how often it was acquired since the last plain put
  std::string session;           ///< that has acquired it: Consul's advisory lock
  std::string ends_with;         ///< the session with which it is deleted
  MSGPACK_DEFINE_MAP(key, value, flags, create_rev, mod_rev, version, bytes, author, cause, time_ms,
                     ttl_ms, expires_ms, lock_index, session, ends_with)
};

struct Written {
  Revision rev;            ///< of the key now
  bool unchanged = false;  ///< it was so already: no change, no watch fires
  MSGPACK_DEFINE_MAP(rev, unchanged)
};

/// A key says all of itself with each put: without ttl_ms it does not expire any more, without
/// ends_with it outlives the session. Only the session that has acquired it stays. The same value,
/// flags, TTL and sessions again are no change, but its time to live begins anew.
/// Errors: invalid (the key, a session that is not open, acquire and release at once), too_large
/// (value; both numbers are named), conflict (compare_rev is not the key's; 0 means: must not
/// exist; another session has acquired it), busy (keys of one session), fenced, unavailable.
struct Put {
  static constexpr std::string_view verb = "kv.put";
  using Reply = Written;
  std::string key;
  Bytes value;
  std::uint64_t flags = 0;
  std::optional<Revision> compare_rev;
  std::uint64_t ttl_ms = 0;
  std::string ends_with;  ///< a session: the key is deleted in the change that ends it
  std::string acquire;    ///< a session: the key is its, or conflict
  std::string release;    ///< a session: the key is its no more; it must have been
  MSGPACK_DEFINE_MAP(key, value, flags, compare_rev, ttl_ms, ends_with, acquire, release)
};

/// At a revision, or at a time: exactly one is given. Before what is kept: `gone`.
struct Moment {
  Revision rev;
  std::uint64_t at_ms = 0;  ///< wall clock of the broker
  MSGPACK_DEFINE_MAP(rev, at_ms)
};

/// Errors: invalid, not_found, gone.
struct Get {
  static constexpr std::string_view verb = "kv.get";
  using Reply = Entry;
  std::string key;
  std::optional<Moment> when;  ///< none: now
  MSGPACK_DEFINE_MAP(key, when)
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

/// The broker's own word: a key's time is over.
struct Expire {
  static constexpr std::string_view verb = "kv.expire";
  using Reply = Deleted;
  std::string key;
  Revision rev;  ///< that is to expire
  MSGPACK_DEFINE_MAP(key, rev)
};

/// In key order, cut at about 1 MiB. Errors: invalid, gone.
struct List {
  static constexpr std::string_view verb = "kv.list";
  using Reply = Listing;
  std::string prefix;
  std::string from;            ///< the first key to be listed, of those with the prefix
  bool keys_only = false;      ///< values left out
  std::optional<Moment> when;  ///< none: now
  MSGPACK_DEFINE_MAP(prefix, from, keys_only, when)
};

}  // namespace muster::proto::kv
