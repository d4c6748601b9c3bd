// record: all changes of one turn: what the log keeps, what `apply` does, what the hub tells.
#pragma once

#include <string>
#include <vector>

#include "broker/state/layer.hpp"
#include "common/error.hpp"
#include "common/types.hpp"

namespace muster::state {

/// Who asked: the name under which a mutating request is executed once.
struct RequestId {
  std::string principal;
  std::string client;  ///< client_id; empty: the broker itself, nobody will ask again
  RequestNo no;
  auto operator<=>(const RequestId&) const = default;
  MSGPACK_DEFINE_ARRAY(principal, client, no)
};

/// An answer that a retry of the request must get again: a reply, or the error with which a parked
/// request ended.
struct Reply {
  RequestId to;
  Bytes body;
  bool error = false;
  MSGPACK_DEFINE_ARRAY(to, body, error)
};

/// What one request did.
struct Change {
  Revision rev;
  RequestId request;
  RequestNo acked;  ///< the client has all answers up to this number
  std::string author;
  std::string cause;
  std::string verb;
  std::vector<Reply> replies;       ///< its own unless parked, and those it completed
  std::vector<std::string> topics;  ///< it is news on; the ops say key: and keyprefix:
  std::vector<Op> ops;
  MSGPACK_DEFINE_ARRAY(rev, request, acked, author, cause, verb, replies, topics, ops)
};

struct Record {
  Seq seq;
  Epoch epoch;
  WallTime time;
  std::vector<Change> changes;  ///< never empty; revs are consecutive
  MSGPACK_DEFINE_ARRAY(seq, epoch, time, changes)
};

std::string encode(const Record& record);
/// Bytes from our own log, whole by its hash. Throws Failure when they are no record.
Record decode_record(std::string_view bytes);

}  // namespace muster::state
