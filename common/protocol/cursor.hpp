// cursor: how far the handlers of a watch have come, kept by the broker under a name.
//
// A cursor moves by comparison: whoever moves it says where it stood. So each revision is
// acknowledged once, also when two watchers use one name, or one was killed between the handler and
// its word.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "common/protocol/envelope.hpp"

namespace muster::proto::cursor {

struct Cursor {
  std::string name;
  std::string topic;
  std::string history;  ///< the one that `rev` is of
  Revision rev;         ///< handlers are done up to here; 0: not yet with the first state
  std::string node;     ///< that runs the watch by its definitions; empty: somebody else
  std::string owner;    ///< who opened it first
  std::string who;      ///< moved it last
  std::uint64_t created_ms = 0;
  std::uint64_t moved_ms = 0;
  std::uint64_t ran_ms = 0;               ///< a handler last ended; 0: none has yet
  std::optional<std::int64_t> exit_code;  ///< of that one; killed by a signal: 128 + its number
  std::uint64_t acknowledged = 0;         ///< moves after a handler that succeeded
  Revision newest;                        ///< of the topic, as far as is known; in lists only
  MSGPACK_DEFINE_MAP(name, topic, history, rev, node, owner, who, created_ms, moved_ms, ran_ms,
                     exit_code, acknowledged, newest)
};

struct Opened {
  std::string history;
  Revision rev;
  bool fresh = false;  ///< it was not there
  MSGPACK_DEFINE_MAP(history, rev, fresh)
};

/// Where a cursor stands; one that is not there is made at `after` (none: at the present revision;
/// 0: before the first state). Errors: invalid (name, topic, after), conflict (it has another
/// topic), busy (cursors_max are kept).
struct Open {
  static constexpr std::string_view verb = "watch.cursor_open";
  using Reply = Opened;
  std::string name;
  std::string topic;
  std::optional<Revision> after;
  std::string node;
  MSGPACK_DEFINE_MAP(name, topic, after, node)
};

/// Moves a cursor from where it is to `rev` of `history`. With an `exit_code` a handler has ended;
/// with `rev` = `from` it has failed, and nothing moves. Without one nothing happened on the topic
/// in between. Errors: not_found, conflict (it stands elsewhere, or history is not the broker's),
/// invalid (`rev` lies before `from`, or has not happened yet).
struct Advance {
  static constexpr std::string_view verb = "watch.cursor_advance";
  using Reply = Empty;
  std::string name;
  std::string history;
  Revision from;
  Revision rev;
  std::optional<std::int64_t> exit_code;
  MSGPACK_DEFINE_MAP(name, history, from, rev, exit_code)
};

struct Listing {
  std::vector<Cursor> cursors;  ///< by name
  std::string next;             ///< not empty: ask again with from = next
  MSGPACK_DEFINE_MAP(cursors, next)
};

struct List {
  static constexpr std::string_view verb = "watch.cursor_list";
  using Reply = Listing;
  std::string prefix;  ///< of names
  std::string from;
  MSGPACK_DEFINE_MAP(prefix, from)
};

/// Errors: not_found.
struct Forget {
  static constexpr std::string_view verb = "watch.cursor_forget";
  using Reply = Empty;
  std::string name;
  MSGPACK_DEFINE_MAP(name)
};

}  // namespace muster::proto::cursor
