// segment: one file of the log: a header, then records, then zeros.
//
//   header  magic 8 | version u32 | 0 u32 | first_seq u64 | first_rev u64 | previous hash 32 | hash
//   32 record  length u32 | 0 u32 | seq u64 | first_rev u64 | last_rev u64 | bytes | hash 32
//
// Numbers are little-endian. A record's hash is BLAKE2b-256 over its predecessor's hash and its own
// stored bytes, so that none can be changed, dropped or moved unseen; the first in a segment
// follows the header's `previous hash`. A length of zero is the end.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "broker/log/log.hpp"

namespace muster::log {

using Hash = std::array<unsigned char, 32>;

inline constexpr std::size_t header_bytes = 96;
inline constexpr std::size_t frame_bytes = 32 + 32;  ///< what a record takes beside its bytes
inline constexpr std::uint32_t format_version = 1;

struct SegmentHeader {
  Seq first_seq;
  Revision first_rev;
  Hash previous{};
};

std::string encode_header(const SegmentHeader& header);
/// None: no header of ours (zeros, or damaged). Throws Failure for a newer format version.
std::optional<SegmentHeader> decode_header(std::string_view bytes, const std::string& file);

/// Appends the stored form of an entry to `out` and gives its hash.
Hash encode_record(const Entry& entry, const Hash& previous, std::string& out);

/// A record in place.
struct StoredRecord {
  Seq seq;
  Revision first_rev;
  Revision last_rev;
  std::string_view bytes;
  std::size_t end = 0;  ///< the offset behind it
  Hash hash{};
};

/// None: what stands at `offset` is not a whole record that follows `previous`.
std::optional<StoredRecord> record_at(std::string_view segment, std::size_t offset,
                                      const Hash& previous);
/// The length that the record at `offset` says it has.
std::size_t stored_length(std::string_view segment, std::size_t offset);
/// Whether only zeros follow.
bool is_end(std::string_view segment, std::size_t offset);
/// Whether a whole record stands anywhere behind `offset`: the sign that what is bad at `offset` is
/// damage and no torn tail. Its predecessor's hash is taken from the 32 bytes before it.
bool has_record_behind(std::string_view segment, std::size_t offset, Seq expected);

}  // namespace muster::log
