// log: the seam under which records become durable: LocalLog's segments, later etcd; SimLog in
// tests.
//
// A record is told to the log as bytes with its place in the history; the log neither knows nor
// cares what is in it. One batch is in flight at a time. What is committed can be read back until
// it is trimmed: catch-up, history, recovery and replication read the same records.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "common/error.hpp"
#include "common/types.hpp"

namespace muster::log {

/// A record as the log sees it. Revisions are those of its changes; a record without a change does
/// not exist, so `first_rev <= last_rev`, and `first_rev` is the predecessor's `last_rev` + 1.
struct Entry {
  Seq seq;
  Revision first_rev;
  Revision last_rev;
  std::string bytes;
};

/// What becomes of the batch in flight. Exactly one of the two is called for each append.
class Listener {
 public:
  virtual void on_committed() = 0;
  /// Another broker leads now; nothing of this batch happened.
  virtual void on_deposed() = 0;

 protected:
  ~Listener() = default;
};

/// Which writes may still be taken. `urgent` ones (expiry, release, delete, trim) may use the
/// space that is kept for them when the disk is full.
enum class Room { all, urgent, none };

/// Thrown by append when the record may or may not be on disk: the process must end and recover.
struct AppendFailure : Failure {
  using Failure::Failure;
};

class Log {
 public:
  virtual ~Log() = default;

  /// Makes the entry durable; entry.seq is last() + 1. LocalLog calls the listener before it
  /// returns, a replicated log later. Throws AppendFailure.
  virtual void append(Entry entry, Listener& listener) = 0;

  /// Entries with seq >= from, in order, until `visit` returns false or the end. An entry's bytes
  /// live as long as the call. False: `from` is below first(). Throws Failure on damage.
  virtual bool read(Seq from, const std::function<bool(const Entry&)>& visit) const = 0;

  /// The seq of the entry that has the least last_rev > after; last() + 1 if there is none. Below
  /// first() is answered by first(): the caller compares with the trim floor.
  virtual Seq seek(Revision after) const = 0;

  virtual Seq first() const = 0;  ///< the oldest kept; last() + 1 when empty
  virtual Seq last() const = 0;   ///< 0 when nothing was ever appended
  virtual Room room() const = 0;

  virtual std::size_t bytes() const = 0;  ///< on disk, of entries

  /// The least floor that would let something go; first() when nothing would.
  virtual Seq next_floor() const = 0;

  /// Entries below `floor` are not needed any more; whole segments are unlinked.
  virtual void trim(Seq floor) = 0;
};

}  // namespace muster::log
