// event: named events with a payload, kept in one order.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "common/protocol/envelope.hpp"

namespace muster::proto::event {

/// Filters are RE2, unanchored, as Consul's; evaluated by whoever handles the event.
struct Event {
  std::string id;  ///< a UUID
  Revision rev;
  std::string name;
  Bytes payload;
  std::string node;
  std::string service;
  std::string tag;
  std::string author;
  std::uint64_t time_ms = 0;
  MSGPACK_DEFINE_MAP(id, rev, name, payload, node, service, tag, author, time_ms)
};

struct Sent {
  std::string id;
  Revision rev;
  MSGPACK_DEFINE_MAP(id, rev)
};

/// Errors: invalid (name is not 1..255 bytes; a filter does not compile; tag without service),
/// too_large, fenced.
struct Send {
  static constexpr std::string_view verb = "event.send";
  using Reply = Sent;
  std::string name;
  Bytes payload;
  std::string node;
  std::string service;
  std::string tag;
  MSGPACK_DEFINE_MAP(name, payload, node, service, tag)
};

struct Listing {
  std::vector<Event> events;  ///< oldest first
  Revision rev;               ///< complete up to here
  bool cut = false;           ///< more follow: ask again with after = the last one's rev
  MSGPACK_DEFINE_MAP(events, rev, cut)
};

struct List {
  static constexpr std::string_view verb = "event.list";
  using Reply = Listing;
  std::string name;  ///< empty: all
  Revision after;
  std::uint64_t last = 0;  ///< only the newest so many; 0: all that are kept
  MSGPACK_DEFINE_MAP(name, after, last)
};

}  // namespace muster::proto::event
