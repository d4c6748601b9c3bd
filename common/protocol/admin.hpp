// admin: what the broker says about itself, and its own housekeeping verbs.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "common/protocol/envelope.hpp"

namespace muster::proto::admin {

struct Waiting {
  std::string who;  ///< user@host or node
  std::string verb;
  std::string what;            ///< the lock, the job
  std::uint64_t since_ms = 0;  ///< ago
  MSGPACK_DEFINE_MAP(who, verb, what, since_ms)
};

struct State {
  std::string version;
  std::string cluster_id;
  std::string history;
  Epoch epoch;
  Revision rev;
  Seq seq;
  Seq checkpointed;
  Seq log_first;
  Revision trim_floor;
  std::string writes;  ///< "ok", or why writes are refused
  std::uint64_t uptime_ms = 0;
  std::map<std::string, std::uint64_t> counters;
  std::vector<Waiting> waiting;
  MSGPACK_DEFINE_MAP(version, cluster_id, history, epoch, rev, seq, checkpointed, log_first,
                     trim_floor, writes, uptime_ms, counters, waiting)
};

struct Status {
  static constexpr std::string_view verb = "admin.status";
  using Reply = State;
  bool waiting = true;  ///< with who waits for what
  MSGPACK_DEFINE_MAP(waiting)
};

/// The broker's own word at its start as leader: the epoch, and on a new folder who it is.
struct Lead {
  static constexpr std::string_view verb = "broker.lead";
  using Reply = Empty;
  std::string cluster_id;
  std::string history;
  std::map<std::string, std::uint64_t> keep;  ///< prefix -> how long its past is kept, in ms
  MSGPACK_DEFINE_MAP(cluster_id, history, keep)
};

/// The broker's own word: history below a revision is given up, some of it a turn.
struct Trim {
  static constexpr std::string_view verb = "log.trim";
  using Reply = Empty;
  Seq floor;
  MSGPACK_DEFINE_MAP(floor)
};

/// The broker's own word: a client has not been heard of for an hour, its answers are forgotten.
struct ForgetClient {
  static constexpr std::string_view verb = "dedupe.forget";
  using Reply = Empty;
  std::string client;  ///< principal NUL client_id
  MSGPACK_DEFINE_MAP(client)
};

}  // namespace muster::proto::admin
