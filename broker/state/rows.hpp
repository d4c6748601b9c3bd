// rows: what stands in the tables (DESIGN section 6). Values are msgpack maps; a field once written
// keeps its meaning, a new one gets a new name and a default that suits old rows.
#pragma once

#include <cstdint>
#include <string>

#include "broker/state/record.hpp"
#include "common/protocol/catalog.hpp"
#include "common/protocol/cursor.hpp"
#include "common/protocol/event.hpp"
#include "common/protocol/exec.hpp"
#include "common/types.hpp"

namespace muster::state {

/// kv: key
struct KvRow {
  Bytes value;
  std::uint64_t flags = 0;
  Revision create_rev;
  Revision mod_rev;
  Revision prev_rev;  ///< what this put replaced; 0: nothing
  std::uint64_t version = 0;
  std::string author;
  std::string cause;
  WallTime time;
  std::uint64_t ttl_ms = 0;  ///< 0: it does not expire; when it does stands in kv_due
  std::uint64_t lock_index = 0;
  std::string session;    ///< that has acquired it
  std::string ends_with;  ///< the session with which it goes
  MSGPACK_DEFINE_MAP(value, flags, create_rev, mod_rev, prev_rev, version, author, cause, time,
                     ttl_ms, lock_index, session, ends_with)
};

/// Of a kv row only what it replaced.
struct KvReplaced {
  Revision prev_rev;
  MSGPACK_DEFINE_MAP(prev_rev)
};

/// kv_due: key. Apart from the key's row: a TTL that begins anew is no news.
struct KvDue {
  WallTime due;
  MSGPACK_DEFINE_ARRAY(due)
};

/// session_kv: session NUL key. What is released or deleted when the session ends.
struct SessionKv {
  bool acquired = false;
  bool ends = false;
  std::uint64_t bytes = 0;  ///< of the key and its value
  MSGPACK_DEFINE_ARRAY(acquired, ends, bytes)
};

/// kv_past: key NUL rev. Revisions whose records are trimmed and that are needed nevertheless: what
/// a key was at the trim floor, and what a rule keeps for longer.
struct PastRow {
  KvRow row;       ///< of a delete: mod_rev, prev_rev, author, cause, time
  std::string op;  ///< put, delete, expire
  std::string verb;
  MSGPACK_DEFINE_MAP(row, op, verb)
};

/// meta: "keep" NUL prefix. How long the past of a prefix is kept, where it is not as long as the
/// log.
struct KeepRow {
  std::uint64_t age_ms = 0;  ///< 0: no longer; what it has kept is to go
  Revision floor;            ///< its past is whole from here on
  WallTime floor_at;
  MSGPACK_DEFINE_MAP(age_ms, floor, floor_at)
};

/// kv_revs: key NUL rev. Where to find the revisions of a key in the log.
struct KvRev {
  Seq seq;
  bool deleted = false;
  MSGPACK_DEFINE_ARRAY(seq, deleted)
};

/// sessions: id
struct SessionRow {
  std::string id;
  std::string owner;  ///< principal
  std::string name;
  std::string client;  ///< claimed: user@host
  std::uint64_t ttl_ms = 0;
  std::string behavior;
  std::uint64_t lock_delay_ms = 0;
  std::uint64_t attach_gen = 0;
  std::uint64_t rest_ms = 0;  ///< of a TTL over 5 min: what was left when last noted; 0: all
  Revision create_rev;
  MSGPACK_DEFINE_MAP(id, owner, name, client, ttl_ms, behavior, lock_delay_ms, attach_gen, rest_ms,
                     create_rev)
};

/// locks: name. There as long as somebody holds or waits; counts them, so that nobody has to.
struct LockRow {
  std::uint32_t limit = 1;
  std::uint64_t holders = 0;
  std::uint64_t waiters = 0;
  MSGPACK_DEFINE_MAP(limit, holders, waiters)
};

/// tickets: name NUL rev. Those with a token hold the lock, the others wait, in order of rev.
struct TicketRow {
  std::string session;
  Revision token;
  RequestId request;
  std::string owner;
  std::uint64_t wait_ms = 0;  ///< how long it waits at most; `waits` says whether there is a limit
  bool bounded = false;
  std::string host;
  std::uint64_t pid = 0;
  std::string command;
  WallTime since;
  MSGPACK_DEFINE_MAP(session, token, request, owner, wait_ms, bounded, host, pid, command, since)
};

/// session_keys: session NUL lock name. Which tickets end with a session.
struct SessionTicket {
  Revision ticket;
  MSGPACK_DEFINE_ARRAY(ticket)
};

/// dedupe: principal NUL client_id NUL req_no
struct AnswerRow {
  Bytes body;
  bool error = false;
  MSGPACK_DEFINE_ARRAY(body, error)
};

/// clients: principal NUL client_id. Up to where answers are forgotten.
struct ClientRow {
  RequestNo pruned;
  WallTime heard;
  MSGPACK_DEFINE_ARRAY(pruned, heard)
};

/// jobs: id. The tasks stand in their own table: job NUL node -> proto::exec::Outcome.
struct JobRow {
  proto::exec::Job job;
  RequestId request;
  std::uint64_t kill_grace_ms = 0;
  std::uint64_t credit = 0;
  MSGPACK_DEFINE_MAP(job, request, kill_grace_ms, credit)
};

/// check_outputs: node NUL check id. Apart from the check, so that a new output is no news of it.
struct CheckOutputRow {
  Bytes output;
  Revision rev;
  MSGPACK_DEFINE_MAP(output, rev)
};

using CursorRow = proto::cursor::Cursor;     // cursors: name
using EventRow = proto::event::Event;        // events: rev
using NodeRow = proto::catalog::Node;        // nodes: name (services stand in their own table)
using ServiceRow = proto::catalog::Service;  // services: node NUL id
using CheckRow = proto::health::Check;       // checks: node NUL id (without the output)
using TaskRow = proto::exec::Outcome;        // tasks: job NUL node

}  // namespace muster::state
