// file: writing and checking a head; reading a file to its end.
#include "common/snapshot/file.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <unistd.h>

#include <fmt/format.h>
#include <sodium.h>

#include "common/limits.hpp"
#include "common/protocol/codec.hpp"

namespace muster::snapshot {
namespace {

constexpr std::size_t hash_bytes = 32;
constexpr std::size_t length_bytes = 4;

std::string hash_of(std::string_view bytes) {
  Hasher hasher;
  hasher.add(bytes);
  return hasher.finish().data;
}

std::string be32(std::size_t number) {
  std::string bytes;
  for (int shift = 24; shift >= 0; shift -= 8) bytes += static_cast<char>(number >> shift & 0xff);
  return bytes;
}

/// Of a head's msgpack. Precondition: magic and length are there.
std::size_t length_of(std::string_view bytes) {
  std::size_t length = 0;
  for (const char byte : bytes.substr(magic.size(), length_bytes))
    length = length << 8 | static_cast<unsigned char>(byte);
  return length;
}

Error newer(std::uint64_t of) {
  return {Code::invalid,
          fmt::format("is a snapshot of format {}, this muster reads up to {}", of, format)};
}

}  // namespace

std::string id_of(const Head& head) {
  return fmt::format("{}-{}-{}", head.epoch.value, head.rev.value, head.time.ms);
}

std::string encode_head(const Head& head) {
  const std::string body = codec::encode(head);
  std::string bytes = std::string(magic) + be32(body.size()) + body;
  return bytes + hash_of(bytes);
}

Result<Head> decode_head(std::string_view bytes) {
  const std::size_t before = magic.size() + length_bytes;
  if (!bytes.starts_with(magic) || bytes.size() < before + hash_bytes ||
      bytes.size() != before + length_of(bytes) + hash_bytes) {
    return Error{Code::invalid, "is not a snapshot of muster"};
  }
  const std::string_view hashed = bytes.substr(0, bytes.size() - hash_bytes);
  if (hash_of(hashed) != bytes.substr(hashed.size()))
    return Error{Code::invalid, "is damaged: its head is not what was written"};
  Result<Head> head = codec::decode<Head>(hashed.substr(before));
  if (!head || head->format == 0 || head->hash.size() != hash_bytes)
    return Error{Code::invalid, "is damaged: its head cannot be read"};
  if (head->format > format) return newer(head->format);
  return head;
}

struct Hasher::State {
  crypto_generichash_state state;
};

Hasher::Hasher() : state_(std::make_unique<State>()) {
  crypto_generichash_init(&state_->state, nullptr, 0, hash_bytes);
}

Hasher::~Hasher() = default;

void Hasher::add(std::string_view piece) {
  crypto_generichash_update(&state_->state, reinterpret_cast<const unsigned char*>(piece.data()),
                            piece.size());
}

Bytes Hasher::finish() {
  std::array<unsigned char, hash_bytes> hash{};
  crypto_generichash_final(&state_->state, hash.data(), hash.size());
  return Bytes(std::string(hash.begin(), hash.end()));
}

Error Reader::wrong(std::string_view what) const {
  return {Code::invalid, fmt::format("{} {}", name_, what)};
}

Result<std::string> Reader::read(std::size_t wanted) {
  std::string bytes(wanted, '\0');
  std::size_t have = 0;
  while (have < wanted) {
    const ssize_t got = ::read(fd_, bytes.data() + have, wanted - have);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0)
      return Error{Code::unavailable,
                   fmt::format("{} cannot be read: {}", name_, std::strerror(errno))};
    if (got == 0) break;
    have += static_cast<std::size_t>(got);
  }
  bytes.resize(have);
  return bytes;
}

Result<Head> Reader::head() {
  Result<std::string> bytes = read(magic.size() + length_bytes);
  if (!bytes) return bytes.error();
  if (!bytes->starts_with(magic.substr(0, bytes->size())) || bytes->empty())
    return wrong("is not a snapshot of muster");
  if (bytes->size() < magic.size() + length_bytes) return wrong("is cut off within its head");
  const std::size_t length = length_of(*bytes);
  if (length > limits::snapshot_head_bytes_max)
    return wrong("is damaged: its head is not what was written");
  Result<std::string> rest = read(length + hash_bytes);
  if (!rest) return rest.error();
  if (rest->size() < length + hash_bytes) return wrong("is cut off within its head");
  Result<Head> head = decode_head(*bytes + *rest);
  if (!head) return wrong(head.error().message);
  head_ = *head;
  return head;
}

Result<Done> Reader::content(const std::function<Result<Done>(std::string_view piece)>& visit) {
  Hasher hasher;
  std::uint64_t have = 0;
  while (have < head_.bytes) {
    const std::uint64_t left = head_.bytes - have;
    const Result<std::string> piece =
        read(static_cast<std::size_t>(std::min<std::uint64_t>(left, limits::snapshot_file_piece)));
    if (!piece) return piece.error();
    if (piece->empty())
      return wrong(fmt::format("is cut off: of {} bytes it has {}", head_.bytes, have));
    hasher.add(*piece);
    have += piece->size();
    if (const Result<Done> visited = visit(*piece); !visited) return visited.error();
  }
  const Result<std::string> behind = read(1);
  if (!behind) return behind.error();
  if (!behind->empty()) return wrong("is damaged: it goes on behind its end");
  if (hasher.finish() != head_.hash)
    return wrong("is damaged: its content is not what was written");
  return Done{};
}

}  // namespace muster::snapshot
