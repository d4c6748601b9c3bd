// snapshot: the whole state as a file: saved, fetched in pieces; brought in pieces, restored.
//
// A snapshot's head and content are those of its file (README section 11).
#pragma once

#include <cstdint>
#include <string>

#include "common/protocol/envelope.hpp"

namespace muster::proto::snapshot {

struct Saved {
  std::string id;  ///< under which its content is asked for
  Bytes head;      ///< the beginning of the file, as it is to be written
  MSGPACK_DEFINE_MAP(id, head)
};

/// Copies the state as of this request or later. The broker keeps the copy until it is dropped, or
/// nobody has asked for it for snapshot_patience. Errors: busy (snapshots_max are kept already),
/// unavailable (disk full).
struct Save {
  static constexpr std::string_view verb = "snapshot.save";
  using Reply = Saved;
  bool pad = false;  ///< of no meaning
  MSGPACK_DEFINE_MAP(pad)
};

struct Piece {
  Bytes bytes;  ///< of the content, from `offset` on; empty: that is its end
  MSGPACK_DEFINE_MAP(bytes)
};

/// Errors: not_found (no such snapshot, or dropped by now), invalid (behind the end).
struct Read {
  static constexpr std::string_view verb = "snapshot.read";
  using Reply = Piece;
  std::string id;
  std::uint64_t offset = 0;
  MSGPACK_DEFINE_MAP(id, offset)
};

/// What was saved or brought is not needed any more; what is not there is no error.
struct Drop {
  static constexpr std::string_view verb = "snapshot.drop";
  using Reply = Empty;
  std::string id;
  MSGPACK_DEFINE_MAP(id)
};

struct Begun {
  std::string id;
  MSGPACK_DEFINE_MAP(id)
};

/// Begins to bring a snapshot. Errors: invalid (not a head, one that this broker cannot read),
/// busy (snapshots_max are kept already).
struct Upload {
  static constexpr std::string_view verb = "snapshot.upload";
  using Reply = Begun;
  Bytes head;
  MSGPACK_DEFINE_MAP(head)
};

struct Have {
  std::uint64_t bytes = 0;  ///< of the content, without a gap
  MSGPACK_DEFINE_MAP(bytes)
};

/// The content from `offset` on. What is there already is ignored, so that it can be repeated.
/// Errors: not_found, invalid (a gap; more than the head says), unavailable (disk full).
struct Write {
  static constexpr std::string_view verb = "snapshot.write";
  using Reply = Have;
  std::string id;
  std::uint64_t offset = 0;
  Bytes bytes;
  MSGPACK_DEFINE_MAP(id, offset, bytes)
};

struct Restored {
  std::string history;
  Revision rev;
  MSGPACK_DEFINE_MAP(history, rev)
};

/// The state becomes the snapshot's: under a new history, all connections anew. Asked again
/// afterwards it is answered as before. Errors: not_found, invalid (not whole, damaged).
struct Restore {
  static constexpr std::string_view verb = "snapshot.restore";
  using Reply = Restored;
  std::string id;
  MSGPACK_DEFINE_MAP(id)
};

}  // namespace muster::proto::snapshot
