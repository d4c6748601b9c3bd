// lock: named locks with a limit, granted in the order they were asked for.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "common/protocol/envelope.hpp"

namespace muster::proto::lock {

struct Granted {
  Revision token;  ///< the fencing token: the revision of the grant
  MSGPACK_DEFINE_MAP(token)
};

/// Asks for `name`. The reply comes when the lock is granted, which may be much later. Asking again
/// for what the session holds or waits for is a retry: it changes nothing but the reply's address.
/// Errors: invalid (name is not 1..255 bytes of UTF-8, limit is 0 or over 65536), not_found (no
/// such session), conflict (the lock has another limit now, or the session is attached elsewhere),
/// busy (65536 wait already), timeout (wait_ms passed; it has left the queue).
struct Acquire {
  static constexpr std::string_view verb = "lock.acquire";
  using Reply = Granted;
  std::string name;
  std::uint32_t limit = 1;
  std::string session;
  std::optional<std::uint64_t> wait_ms;  ///< none: as long as it takes; 0: now or never
  std::string host;                      ///< the last three are for people: lock.show
  std::uint64_t pid = 0;
  std::string command;
  MSGPACK_DEFINE_MAP(name, limit, session, wait_ms, host, pid, command)
};

/// Gives it back, or leaves the queue. The next waiter is granted in the same change.
/// Errors: not_found (the session neither holds nor waits).
struct Release {
  static constexpr std::string_view verb = "lock.release";
  using Reply = Empty;
  std::string name;
  std::string session;
  MSGPACK_DEFINE_MAP(name, session)
};

/// The broker's own word when a wait is over, or when a waiter was not asked for again after a
/// restart. A grant that came before wins.
struct GiveUp {
  static constexpr std::string_view verb = "lock.give_up";
  using Reply = Empty;
  std::string name;
  Revision ticket;
  MSGPACK_DEFINE_MAP(name, ticket)
};

struct Ticket {
  Revision ticket;  ///< the revision at which it was asked for: the place in the queue
  Revision token;   ///< 0: waits
  std::string session;
  std::string owner;  ///< principal
  std::string host;
  std::uint64_t pid = 0;
  std::string command;
  std::uint64_t since_ms = 0;  ///< wall clock: asked, or granted
  MSGPACK_DEFINE_MAP(ticket, token, session, owner, host, pid, command, since_ms)
};

struct Info {
  std::string name;
  std::uint32_t limit = 0;
  std::vector<Ticket> holders;
  std::vector<Ticket> waiters;  ///< in order
  MSGPACK_DEFINE_MAP(name, limit, holders, waiters)
};

struct Listing {
  std::vector<Info> locks;
  MSGPACK_DEFINE_MAP(locks)
};

/// Locks that somebody holds or waits for. Errors: not_found (a name that nobody holds).
struct List {
  static constexpr std::string_view verb = "lock.list";
  using Reply = Listing;
  std::string name;  ///< empty: all
  MSGPACK_DEFINE_MAP(name)
};

}  // namespace muster::proto::lock
