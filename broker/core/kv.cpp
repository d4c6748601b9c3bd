// kv: puts, deletes and lists of what is there now.
//
// A put that says what is there already is no change; a delete of nothing is none either.
#include "broker/core/kv.hpp"

#include <algorithm>
#include <tuple>

#include <fmt/format.h>

#include "broker/core/keys.hpp"
#include "broker/core/past.hpp"

namespace muster::core::kv {
namespace {

std::optional<Error> wrong_revision(std::string_view key, const std::optional<Revision>& wanted,
                                    const std::optional<state::KvRow>& present) {
  if (!wanted) return std::nullopt;
  const Revision actual = present ? present->mod_rev : Revision{};
  if (actual == *wanted) return std::nullopt;
  if (!present)
    return Error{Code::conflict,
                 fmt::format("{} does not exist, revision {} was asked for", key, wanted->value)};
  return Error{Code::conflict, fmt::format("{} is at revision {}, {} was asked for", key,
                                           actual.value, wanted->value)};
}

std::optional<Error> wrong_session(Turn& turn, const std::string& id) {
  if (id.empty() || turn.sessions().get(id)) return std::nullopt;
  return Error{Code::invalid, fmt::format("invalid session \"{}\"", id),
               "it has ended, or never was; `muster session list` shows those that are open"};
}

std::optional<Error> wrong_put(Turn& turn, const proto::kv::Put& request) {
  if (const auto wrong = keys::wrong_key(request.key)) return wrong;
  if (request.value.size() > turn.identity().value_bytes_max) {
    return Error{Code::too_large,
                 fmt::format("the value has {} bytes, at most {} are taken", request.value.size(),
                             turn.identity().value_bytes_max)};
  }
  const auto longest = std::chrono::duration_cast<milliseconds>(limits::key_ttl_max).count();
  if (request.ttl_ms > static_cast<std::uint64_t>(longest))
    return Error{Code::invalid, fmt::format("a key's TTL is at most {} ms", longest)};
  if (request.ttl_ms != 0 && turn.memory().expiries.size() >= limits::ttl_keys_max)
    return Error{Code::busy, fmt::format("{} keys have a TTL already", limits::ttl_keys_max)};
  if (!request.acquire.empty() && !request.release.empty())
    return Error{Code::invalid, "a key is acquired or released, not both"};
  for (const std::string* session : {&request.ends_with, &request.acquire, &request.release}) {
    if (const auto wrong = wrong_session(turn, *session)) return wrong;
  }
  return std::nullopt;
}

/// Who has acquired the key after this put, and how often (Consul's LockIndex: +1 when it gets an
/// owner, 0 after a plain put).
std::optional<Error> take_owner(Turn& turn, const proto::kv::Put& request,
                                const std::optional<state::KvRow>& present, state::KvRow& row) {
  const std::string owner = present ? present->session : "";
  const std::uint64_t index = present ? present->lock_index : 0;
  if (!request.release.empty()) {
    if (owner != request.release)
      return Error{Code::conflict,
                   fmt::format("{} is not acquired by session {}", request.key, request.release)};
    row.session.clear();
    row.lock_index = index;
  } else if (!request.acquire.empty()) {
    if (!owner.empty() && owner != request.acquire)
      return Error{Code::conflict, fmt::format("{} is acquired by session {}", request.key, owner)};
    const auto delay = turn.memory().key_delays.find(request.key);
    if (owner.empty() && delay != turn.memory().key_delays.end() && delay->second > turn.now())
      return Error{Code::conflict, fmt::format("the lock delay of {} is not over", request.key)};
    row.session = request.acquire;
    row.lock_index = owner.empty() ? index + 1 : index;
  }
  return std::nullopt;
}

bool same(const state::KvRow& a, const state::KvRow& b) {
  return std::tie(a.value.data, a.flags, a.ttl_ms, a.session, a.ends_with) ==
         std::tie(b.value.data, b.flags, b.ttl_ms, b.session, b.ends_with);
}

/// With the time when it expires.
proto::kv::Entry present_entry(Turn& turn, std::string key, state::KvRow row) {
  WallTime due;
  if (row.ttl_ms != 0) {
    if (const auto found = turn.kv_dues().get(key)) due = found->due;
  }
  return keys::entry_of(std::move(key), std::move(row), due);
}

}  // namespace

Result<proto::kv::Written> put(Turn& turn, const proto::kv::Put& request) {
  if (const auto wrong = wrong_put(turn, request)) return *wrong;
  const std::optional<state::KvRow> present = turn.kv().get(request.key);
  if (const auto wrong = wrong_revision(request.key, request.compare_rev, present)) return *wrong;
  state::KvRow row{.value = request.value,
                   .flags = request.flags,
                   .ttl_ms = request.ttl_ms,
                   .session = present ? present->session : std::string(),
                   .ends_with = request.ends_with};
  if (const auto error = take_owner(turn, request, present, row)) return *error;
  const bool unchanged = present && same(*present, row);
  if (!unchanged) {
    const Result<Done> written = keys::write(turn, request.key, present, std::move(row));
    if (!written) return written.error();
  }
  if (request.ttl_ms != 0) keys::renew(turn, request.key, request.ttl_ms);
  return proto::kv::Written{.rev = unchanged ? present->mod_rev : turn.rev(),
                            .unchanged = unchanged};
}

Result<proto::kv::Entry> get(Turn& turn, const proto::kv::Get& request) {
  if (const auto wrong = keys::wrong_key(request.key)) return *wrong;
  if (request.when) return past::get(turn, request);
  std::optional<state::KvRow> row = turn.kv().get(request.key);
  if (!row) return Error{Code::not_found, fmt::format("no key exists at: {}", request.key)};
  return present_entry(turn, request.key, std::move(*row));
}

Result<proto::kv::Deleted> expire(Turn& turn, const proto::kv::Expire& request) {
  const std::optional<state::KvRow> present = turn.kv().get(request.key);
  const auto due = turn.memory().expiries.of(request.key);
  if (!present || present->mod_rev != request.rev || !due || *due > turn.now()) {
    return Error{Code::conflict, "it was put again meanwhile"};
  }
  keys::remove(turn, request.key, *present);
  return proto::kv::Deleted{.rev = turn.rev(), .count = 1};
}

Result<proto::kv::Deleted> erase(Turn& turn, const proto::kv::Delete& request) {
  if (const auto wrong = keys::wrong_key(request.key)) return *wrong;
  const std::optional<state::KvRow> present = turn.kv().get(request.key);
  if (const auto wrong = wrong_revision(request.key, request.compare_rev, present)) return *wrong;
  if (!present) return proto::kv::Deleted{.rev = turn.last_rev(), .count = 0};
  keys::remove(turn, request.key, *present);
  return proto::kv::Deleted{.rev = turn.rev(), .count = 1};
}

Result<proto::kv::Deleted> erase_prefix(Turn& turn, const proto::kv::DeletePrefix& request) {
  if (request.prefix.empty() && !request.all) {
    return Error{Code::invalid, "an empty prefix means the whole store", "say so with all"};
  }
  if (request.prefix.size() > limits::key_bytes_max)
    return Error{Code::invalid, "no key is as long as this prefix"};
  std::vector<std::pair<std::string, state::KvRow>> found;
  std::size_t bytes = 0;
  const std::size_t most = limits::change_bytes_max(turn.identity().value_bytes_max) / 2;
  turn.kv().scan(request.prefix, [&](std::string_view key, const state::KvRow& row) {
    bytes += key.size() + 16;
    found.emplace_back(key, row);
    found.back().second.value = {};
    return bytes <= most;
  });
  if (bytes > most) {
    return Error{Code::too_large,
                 fmt::format("over {} keys begin with '{}', more than one change can hold",
                             found.size(), request.prefix),
                 "delete longer prefixes, one after the other"};
  }
  for (const auto& [key, row] : found) keys::remove(turn, key, row);
  return proto::kv::Deleted{.rev = found.empty() ? turn.last_rev() : turn.rev(),
                            .count = found.size()};
}

Result<proto::kv::Listing> list(Turn& turn, const proto::kv::List& request) {
  if (request.when) return past::list(turn, request);
  proto::kv::Listing listing{.entries = {}, .rev = turn.last_rev(), .next = {}};
  std::size_t bytes = 0;
  turn.kv().scan(
      request.prefix, std::max(request.prefix, request.from),
      [&](std::string_view key, const state::KvRow& row) {
        if (bytes > limits::reply_bytes_max || listing.entries.size() >= limits::elements_max / 2) {
          listing.next = key;
          return false;
        }
        proto::kv::Entry entry = present_entry(turn, std::string(key), row);
        if (request.keys_only) entry.value = {};
        bytes += entry.key.size() + entry.value.size() + 128;
        listing.entries.push_back(std::move(entry));
        return true;
      });
  return listing;
}

}  // namespace muster::core::kv
