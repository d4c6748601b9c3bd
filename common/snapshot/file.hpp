// file: a snapshot as a file: a head that says what it is, then the database that the broker wrote.
//
//   "muster snapshot\n"  be32 n  head: n bytes of msgpack  BLAKE2b-256 of all before it  content
//
// The head has the content's size and BLAKE2b-256, so that whoever has the file can tell without a
// broker whether it is whole. What stands in the content only a broker can read.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "common/error.hpp"
#include "common/types.hpp"

namespace muster::snapshot {

inline constexpr std::string_view magic = "muster snapshot\n";
inline constexpr std::uint64_t format = 1;
/// Of the content: LMDB's pages are as the machine's words are.
inline constexpr std::string_view layout = sizeof(void*) == 8 ? "lmdb-64" : "lmdb-32";

/// A field once written keeps its meaning.
struct Head {
  std::uint64_t format = 0;
  std::string layout;
  std::uint64_t schema = 0;  ///< the content's own format
  std::string version;       ///< of the broker that saved it
  std::string cluster_id;
  std::string cluster;  ///< its name, for people
  std::string history;
  Epoch epoch;
  Revision rev;
  Seq seq;
  WallTime time;
  std::map<std::string, std::uint64_t> rows;  ///< by table
  std::uint64_t bytes = 0;                    ///< of the content
  Bytes hash;                                 ///< likewise
  MSGPACK_DEFINE_MAP(format, layout, schema, version, cluster_id, cluster, history, epoch, rev, seq,
                     time, rows, bytes, hash)
};

/// EPOCH-REV-TIME: one word for people.
std::string id_of(const Head& head);

/// All that stands in the file before the content.
std::string encode_head(const Head& head);
/// Of exactly those bytes. Errors: invalid.
Result<Head> decode_head(std::string_view bytes);

/// BLAKE2b-256 of what comes piece by piece.
class Hasher {
 public:
  Hasher();
  ~Hasher();
  Hasher(const Hasher&) = delete;
  Hasher& operator=(const Hasher&) = delete;

  void add(std::string_view piece);
  /// Once, at the end.
  Bytes finish();

 private:
  struct State;
  const std::unique_ptr<State> state_;
};

/// Reads a snapshot to its end, or says what is wrong with it.
class Reader {
 public:
  /// An open file or pipe, borrowed; `name` is for messages.
  Reader(int fd, std::string name) : fd_(fd), name_(std::move(name)) {}

  /// Errors: invalid (not a snapshot, one of a newer muster, damaged), unavailable (cannot be
  /// read).
  Result<Head> head();
  /// After `head`: the whole content, piece by piece, until `visit` returns an error, which is
  /// then returned. What was visited is only worth something once this has returned without one.
  /// Errors: invalid (cut off, too long, damaged), unavailable.
  Result<Done> content(const std::function<Result<Done>(std::string_view piece)>& visit);

 private:
  /// Fewer than wanted: the file ends.
  Result<std::string> read(std::size_t wanted);
  Error wrong(std::string_view what) const;

  const int fd_;
  const std::string name_;
  Head head_;
};

}  // namespace muster::snapshot
