// session: the first word of a connection, and leases.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "common/protocol/envelope.hpp"

namespace muster::proto::session {

struct Welcome {
  std::string cluster_id;
  std::string cluster;  ///< its name, for people; what Consul calls the datacenter
  std::string history;  ///< a random id of this line of revisions
  Epoch epoch;          ///< +1 at each start of a broker, within a history
  Revision rev;
  std::uint16_t notices_port = 0;  ///< on the host that the client dialled
  std::string notices;  ///< a whole endpoint, when the port is not enough (ipc, --advertise)
  std::string principal;
  std::uint64_t value_bytes_max = 0;
  std::uint64_t message_bytes_max = 0;
  std::vector<std::string> members;
  std::string leader;
  MSGPACK_DEFINE_MAP(cluster_id, cluster, history, epoch, rev, notices_port, notices, principal,
                     value_bytes_max, message_bytes_max, members, leader)
};

/// The first request of a connection; any other is answered `hello` until this was.
/// A later hello of the same client_id supersedes the connection of an earlier one.
/// Errors: invalid (client_id is not 1..64 bytes), version (no common version), conflict (epoch
/// seen is higher than ours: this broker is deposed).
struct Hello {
  static constexpr std::string_view verb = "session.hello";
  using Reply = Welcome;

  std::string client_id;  ///< random, 1..64 bytes; the name under which requests are numbered
  std::string kind;       ///< "cli", "node", "client"
  std::string name;       ///< user@host, or the node's name; claimed, for people
  std::string instance;   ///< of a node: which installation of that name
  std::vector<std::uint64_t> versions = {1, 1};  ///< [min, max]
  std::string history;                           ///< the last one seen, or empty
  Epoch epoch;                                   ///< the highest seen of that history
  MSGPACK_DEFINE_MAP(client_id, kind, name, instance, versions, history, epoch)
};

struct Pong {
  std::string history;
  Epoch epoch;
  Revision rev;
  MSGPACK_DEFINE_MAP(history, epoch, rev)
};

/// Answered at once. A client with anything outstanding sends one every 2 s. Keeps the sessions
/// that are attached to this connection alive.
struct Ping {
  static constexpr std::string_view verb = "session.ping";
  using Reply = Pong;
  bool pad = false;  ///< of no meaning
  MSGPACK_DEFINE_MAP(pad)
};

struct Lease {
  std::string id;
  std::uint64_t ttl_ms = 0;
  std::uint64_t attach_gen = 0;  ///< +1 at each attach
  MSGPACK_DEFINE_MAP(id, ttl_ms, attach_gen)
};

/// Opens a session, attached to this connection.
/// Errors: invalid (ttl_ms outside 1000..86400000, behavior unknown, name over 255 bytes).
struct Open {
  static constexpr std::string_view verb = "session.open";
  using Reply = Lease;

  std::string name;
  std::uint64_t ttl_ms = 15000;
  std::string behavior = "release";  ///< "release" or "delete": what becomes of its keys
  std::uint64_t lock_delay_ms = 0;
  MSGPACK_DEFINE_MAP(name, ttl_ms, behavior, lock_delay_ms)
};

/// Ties the session to this connection: only messages on it keep it alive from now on.
/// Errors: not_found (ended), denied (of another principal).
struct Attach {
  static constexpr std::string_view verb = "session.attach";
  using Reply = Lease;
  std::string id;
  MSGPACK_DEFINE_MAP(id)
};

/// Errors: not_found (ended), conflict (attached to another connection: attach first).
struct Keepalive {
  static constexpr std::string_view verb = "session.keepalive";
  using Reply = Lease;
  std::string id;
  MSGPACK_DEFINE_MAP(id)
};

/// Ends it with all it holds, in one change. Errors: not_found, denied.
struct End {
  static constexpr std::string_view verb = "session.end";
  using Reply = Empty;
  std::string id;
  MSGPACK_DEFINE_MAP(id)
};

/// The broker's own word when a TTL has passed: re-checked against the last time it was heard of.
struct Expire {
  static constexpr std::string_view verb = "session.expire";
  using Reply = Empty;
  std::string id;
  std::uint64_t attach_gen = 0;
  MSGPACK_DEFINE_MAP(id, attach_gen)
};

struct Held {
  std::string lock;
  Revision token;  ///< 0: waits
  MSGPACK_DEFINE_MAP(lock, token)
};

struct Info {
  std::string id;
  std::string name;
  std::string owner;   ///< principal
  std::string client;  ///< user@host or node, claimed
  std::uint64_t ttl_ms = 0;
  std::uint64_t heard_ms = 0;  ///< ago
  std::string behavior;
  std::uint64_t attach_gen = 0;
  Revision create_rev;
  std::vector<Held> locks;
  MSGPACK_DEFINE_MAP(id, name, owner, client, ttl_ms, heard_ms, behavior, attach_gen, create_rev,
                     locks)
};

struct Listing {
  std::vector<Info> sessions;
  MSGPACK_DEFINE_MAP(sessions)
};

/// All, or one. Errors: not_found (id given and ended).
struct List {
  static constexpr std::string_view verb = "session.list";
  using Reply = Listing;
  std::string id;  ///< empty: all
  MSGPACK_DEFINE_MAP(id)
};

}  // namespace muster::proto::session
