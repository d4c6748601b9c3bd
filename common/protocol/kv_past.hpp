// kv_past: what keys were, who changed them and why, and going back.
//
// The past is kept as long as the log, or as long as the broker was told to keep a prefix. Of what
// was trimmed nothing is guessed: the answer is `gone` and says since when the past is kept.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "common/protocol/kv.hpp"

namespace muster::proto::kv {

/// One change of one key.
struct Version {
  std::string key;
  Revision rev;
  Revision prev_rev;  ///< the one it replaced; 0: none
  std::string op;     ///< put, delete, expire
  std::string verb;   ///< of the request: kv.put, kv.txn, kv.revert, session.end, ...
  std::string author;
  std::string cause;
  std::uint64_t time_ms = 0;
  std::uint64_t bytes = 0;  ///< of the value
  MSGPACK_DEFINE_MAP(key, rev, prev_rev, op, verb, author, cause, time_ms, bytes)
};

struct Past {
  std::vector<Version> versions;  ///< with those of later answers all there are, in no order
  Revision since;                 ///< the past is whole behind this; 0: from the beginning
  std::uint64_t since_ms = 0;
  Bytes next;  ///< more follow: ask again with `from` = this; empty: that is all
  MSGPACK_DEFINE_MAP(versions, since, since_ms, next)
};

/// Changes of keys, and of those that have not changed since the past is kept the last one.
/// Errors: invalid.
struct Log {
  static constexpr std::string_view verb = "kv.log";
  using Reply = Past;
  std::string key;     ///< exactly this key; or
  std::string prefix;  ///< all that begin so
  Revision after;      ///< only those after it
  Bytes from;
  MSGPACK_DEFINE_MAP(key, prefix, after, from)
};

/// A key that was another at the end than at the start.
struct Difference {
  std::string key;
  std::optional<Entry> before;  ///< none: it was not there
  std::optional<Entry> after;
  MSGPACK_DEFINE_MAP(key, before, after)
};

struct Differences {
  std::vector<Difference> keys;  ///< in key order
  Revision from;                 ///< what the two moments came to
  Revision to;
  std::string next;  ///< more follow: ask again with `start` = this; empty: that is all
  MSGPACK_DEFINE_MAP(keys, from, to, next)
};

/// Which keys differ in value, flags or presence. Errors: invalid, gone.
struct Diff {
  static constexpr std::string_view verb = "kv.diff";
  using Reply = Differences;
  std::string prefix;
  Moment from;
  std::optional<Moment> to;  ///< none: now
  std::string start;         ///< the first key
  MSGPACK_DEFINE_MAP(prefix, from, to, start)
};

struct Reverted {
  Revision rev;               ///< of the change; the newest one where nothing differed
  std::uint64_t written = 0;  ///< keys put back
  std::uint64_t deleted = 0;  ///< keys that were not there
  MSGPACK_DEFINE_MAP(rev, written, deleted)
};

/// Puts value and flags back as they were, in one change; keys that were not there are deleted.
/// `expect` guards against what came after a dry run. Errors: invalid, gone, too_large,
/// conflict (a key under it changed after `expect`).
struct Revert {
  static constexpr std::string_view verb = "kv.revert";
  using Reply = Reverted;
  std::string key;     ///< exactly this key; or
  std::string prefix;  ///< all that begin so, not empty
  Moment to;
  Revision expect;  ///< 0: whatever there is
  MSGPACK_DEFINE_MAP(key, prefix, to, expect)
};

/// The broker's own word: the past of a prefix with an age of its own is given up before a time.
struct ForgetPast {
  static constexpr std::string_view verb = "kv.forget_past";
  using Reply = Empty;
  std::string prefix;
  std::uint64_t before_ms = 0;
  MSGPACK_DEFINE_MAP(prefix, before_ms)
};

}  // namespace muster::proto::kv
