// segment: the format, and how a record is told from rubbish.
#include "broker/log/segment.hpp"

#include <algorithm>
#include <cstring>

#include <fmt/format.h>
#include <sodium.h>

namespace muster::log {
namespace {

constexpr std::string_view magic = "MSTRLOG1";
constexpr std::size_t record_head = 32;
constexpr std::uint64_t seq_window = 1 << 20;  // further ahead is no record of ours

template <class T>
void put(std::string& out, T number) {
  for (std::size_t i = 0; i < sizeof(T); ++i)
    out.push_back(static_cast<char>((number >> (8 * i)) & 0xff));
}

template <class T>
T get(std::string_view bytes, std::size_t offset) {
  T number = 0;
  for (std::size_t i = sizeof(T); i-- > 0;) {
    number = static_cast<T>(number << 8 | static_cast<unsigned char>(bytes[offset + i]));
  }
  return number;
}

Hash hash_of(const Hash& previous, std::string_view bytes) {
  Hash hash{};
  crypto_generichash_state state;
  crypto_generichash_init(&state, nullptr, 0, hash.size());
  crypto_generichash_update(&state, previous.data(), previous.size());
  crypto_generichash_update(&state, reinterpret_cast<const unsigned char*>(bytes.data()),
                            bytes.size());
  crypto_generichash_final(&state, hash.data(), hash.size());
  return hash;
}

}  // namespace

std::string encode_header(const SegmentHeader& header) {
  std::string out(magic);
  put<std::uint32_t>(out, format_version);
  put<std::uint32_t>(out, 0);
  put<std::uint64_t>(out, header.first_seq.value);
  put<std::uint64_t>(out, header.first_rev.value);
  out.append(reinterpret_cast<const char*>(header.previous.data()), header.previous.size());
  const Hash own = hash_of({}, out);
  out.append(reinterpret_cast<const char*>(own.data()), own.size());
  ENSURE(out.size() == header_bytes);
  return out;
}

std::optional<SegmentHeader> decode_header(std::string_view bytes, const std::string& file) {
  if (bytes.size() < header_bytes || !bytes.starts_with(magic)) return std::nullopt;
  const auto version = get<std::uint32_t>(bytes, 8);
  if (version > format_version) {
    throw Failure(fmt::format("{} has log format {}, this broker knows up to {}: use a newer one",
                              file, version, format_version));
  }
  const Hash own = hash_of({}, bytes.substr(0, header_bytes - 32));
  if (std::memcmp(own.data(), bytes.data() + header_bytes - 32, 32) != 0) return std::nullopt;
  SegmentHeader header{.first_seq = {get<std::uint64_t>(bytes, 16)},
                       .first_rev = {get<std::uint64_t>(bytes, 24)}};
  std::memcpy(header.previous.data(), bytes.data() + 32, 32);
  return header;
}

Hash encode_record(const Entry& entry, const Hash& previous, std::string& out) {
  const std::size_t start = out.size();
  put<std::uint32_t>(out, static_cast<std::uint32_t>(entry.bytes.size()));
  put<std::uint32_t>(out, 0);
  put<std::uint64_t>(out, entry.seq.value);
  put<std::uint64_t>(out, entry.first_rev.value);
  put<std::uint64_t>(out, entry.last_rev.value);
  out.append(entry.bytes);
  const Hash hash = hash_of(previous, std::string_view(out).substr(start));
  out.append(reinterpret_cast<const char*>(hash.data()), hash.size());
  return hash;
}

std::size_t stored_length(std::string_view segment, std::size_t offset) {
  return get<std::uint32_t>(segment, offset);
}

std::optional<StoredRecord> record_at(std::string_view segment, std::size_t offset,
                                      const Hash& previous) {
  if (offset + frame_bytes > segment.size()) return std::nullopt;
  const std::size_t length = get<std::uint32_t>(segment, offset);
  if (length == 0 || length > segment.size() - offset - frame_bytes) return std::nullopt;
  const Hash hash = hash_of(previous, segment.substr(offset, record_head + length));
  if (std::memcmp(hash.data(), segment.data() + offset + record_head + length, 32) != 0)
    return std::nullopt;
  return StoredRecord{.seq = {get<std::uint64_t>(segment, offset + 8)},
                      .first_rev = {get<std::uint64_t>(segment, offset + 16)},
                      .last_rev = {get<std::uint64_t>(segment, offset + 24)},
                      .bytes = segment.substr(offset + record_head, length),
                      .end = offset + length + frame_bytes,
                      .hash = hash};
}

bool is_end(std::string_view segment, std::size_t offset) {
  return std::all_of(
      segment.begin() + static_cast<std::ptrdiff_t>(std::min(offset, segment.size())),
      segment.end(), [](char byte) { return byte == 0; });
}

bool has_record_behind(std::string_view segment, std::size_t offset, Seq expected) {
  for (std::size_t at = offset + frame_bytes; at + frame_bytes <= segment.size(); ++at) {
    const std::size_t length = get<std::uint32_t>(segment, at);
    if (length == 0 || length > segment.size() - at - frame_bytes) continue;
    const auto seq = get<std::uint64_t>(segment, at + 8);
    if (seq <= expected.value || seq > expected.value + seq_window) continue;
    Hash previous{};
    std::memcpy(previous.data(), segment.data() + at - 32, 32);
    if (record_at(segment, at, previous)) return true;
  }
  return false;
}

}  // namespace muster::log
