// watch: topics, notices, and the two requests that make them complete (DESIGN section 5).
//
// A topic ends in a NUL byte, since ZeroMQ matches prefixes:
//   key:K  keyprefix:P  event:NAME  event: (all)  services  service:NAME  nodes  checks
//   session:ID  node:NAME  lock:NAME  job:ID
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "common/protocol/envelope.hpp"

namespace muster::proto::watch {

/// One thing that happened on a topic.
struct Item {
  Revision rev;
  std::string op;     ///< put, delete, expire
  std::string name;   ///< key, event name, node, "node/service", lock, session or job
  Bytes body;         ///< msgpack: kv::Entry, event::Event, catalog::Node, ...; empty for a delete
  Revision prev_rev;  ///< of keys: the revision that this one replaced; 0: none
  std::string author;
  std::string cause;
  std::uint64_t time_ms = 0;
  MSGPACK_DEFINE_MAP(rev, op, name, body, prev_rev, author, cause, time_ms)
};

/// A publication: frame 1 the topic, frame 2 this. Promise: no change on the topic in (prev, rev)
/// but those in `items`. Without items and prev = rev it is a tail: "the newest thing here is rev".
struct Notice {
  std::string history;
  Epoch epoch;
  Revision prev;
  Revision rev;
  std::vector<Item> items;
  MSGPACK_DEFINE_MAP(history, epoch, prev, rev, items)
};

struct Answer {
  std::string history;
  Revision rev;             ///< complete up to here
  std::vector<Item> items;  ///< changes after `after`, in order; with reset: the state
  bool reset = false;  ///< the changes are not all kept (or history differs): items are the state
  bool cut = false;    ///< complete up to `rev` only: ask again for more
  MSGPACK_DEFINE_MAP(history, rev, items, reset, cut)
};

/// Changes on a topic after a revision; the whole state where these are no longer all kept, where
/// `history` is another, or where `after` is 0 or ahead of the broker (a state that fits no reply:
/// too_large). Waits up to 2 s for the header's at_least, then `unavailable`. Errors: invalid
/// (topic).
struct Read {
  static constexpr std::string_view verb = "watch.read";
  using Reply = Answer;
  std::string topic;
  std::string history;  ///< empty: whatever it is
  Revision after;
  MSGPACK_DEFINE_MAP(topic, history, after)
};

struct Synced {
  std::string history;
  Revision rev;                     ///< topics not in `behind` miss nothing up to here
  std::vector<std::string> behind;  ///< topics with a change after what was seen: read them
  MSGPACK_DEFINE_MAP(history, rev, behind)
};

/// The proof that nothing was missed: asked after each hello and every 5 s. With another history
/// every topic is behind. Errors: too_large (over 4096 topics: ask in parts).
struct Sync {
  static constexpr std::string_view verb = "watch.sync";
  using Reply = Synced;
  std::string history;
  std::map<std::string, Revision> topics;  ///< topic -> seen
  MSGPACK_DEFINE_MAP(history, topics)
};

/// A topic's parts: "key:", "workshop/k". `kind` keeps its colon; `name` has no NUL.
struct Topic {
  std::string_view kind;
  std::string_view name;
};

/// Errors: invalid (no such kind, no NUL at the end or one inside, too long). Borrows from `text`.
Result<Topic> parse_topic(std::string_view text);
/// "key:" + name + NUL
std::string topic(std::string_view kind, std::string_view name = {});

}  // namespace muster::proto::watch
