// kv: a put that says what is there already is no change; a delete of nothing is none either.
#include "broker/core/kv.hpp"

#include <fmt/format.h>

namespace muster::core::kv {
namespace {

std::optional<Error> wrong_key(std::string_view key) {
  if (key.empty()) return Error{Code::invalid, "a key cannot be empty"};
  if (key.size() > limits::key_bytes_max) {
    return Error{Code::invalid, fmt::format("a key has at most {} bytes, this one has {}",
                                            limits::key_bytes_max, key.size())};
  }
  if (key.front() == '/')
    return Error{Code::invalid, fmt::format("a key must not begin with a '/': {}", key)};
  if (key.find('\0') != std::string_view::npos)
    return Error{Code::invalid, "a key must not contain a NUL byte"};
  if (!codec::is_utf8(key)) return Error{Code::invalid, "a key must be UTF-8"};
  return std::nullopt;
}

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

}  // namespace

proto::kv::Entry entry_of(std::string key, state::KvRow row) {
  proto::kv::Entry entry{.key = std::move(key),
                         .flags = row.flags,
                         .create_rev = row.create_rev,
                         .mod_rev = row.mod_rev,
                         .version = row.version,
                         .bytes = row.value.size(),
                         .author = std::move(row.author),
                         .time_ms = row.time.ms};
  entry.value = std::move(row.value);
  return entry;
}

Result<proto::kv::Written> put(Turn& turn, const proto::kv::Put& request) {
  if (const auto wrong = wrong_key(request.key)) return *wrong;
  if (request.value.size() > turn.identity().value_bytes_max) {
    return Error{Code::too_large,
                 fmt::format("the value has {} bytes, at most {} are taken", request.value.size(),
                             turn.identity().value_bytes_max)};
  }
  auto kv = turn.kv();
  const std::optional<state::KvRow> present = kv.get(request.key);
  if (const auto wrong = wrong_revision(request.key, request.compare_rev, present)) return *wrong;
  if (present && present->value == request.value && present->flags == request.flags) {
    return proto::kv::Written{.rev = present->mod_rev, .unchanged = true};
  }
  kv.put(request.key, {.value = request.value,
                       .flags = request.flags,
                       .create_rev = present ? present->create_rev : turn.rev(),
                       .mod_rev = turn.rev(),
                       .prev_rev = present ? present->mod_rev : Revision{},
                       .version = present ? present->version + 1 : 1,
                       .author = turn.caller().author,
                       .time = turn.wall()});
  return proto::kv::Written{.rev = turn.rev(), .unchanged = false};
}

Result<proto::kv::Entry> get(Turn& turn, const proto::kv::Get& request) {
  if (const auto wrong = wrong_key(request.key)) return *wrong;
  std::optional<state::KvRow> row = turn.kv().get(request.key);
  if (!row) return Error{Code::not_found, fmt::format("no key exists at: {}", request.key)};
  return entry_of(request.key, std::move(*row));
}

Result<proto::kv::Deleted> erase(Turn& turn, const proto::kv::Delete& request) {
  if (const auto wrong = wrong_key(request.key)) return *wrong;
  auto kv = turn.kv();
  const std::optional<state::KvRow> present = kv.get(request.key);
  if (const auto wrong = wrong_revision(request.key, request.compare_rev, present)) return *wrong;
  if (!present) return proto::kv::Deleted{.rev = turn.last_rev(), .count = 0};
  kv.erase(request.key);
  return proto::kv::Deleted{.rev = turn.rev(), .count = 1};
}

Result<proto::kv::Deleted> erase_prefix(Turn& turn, const proto::kv::DeletePrefix& request) {
  if (request.prefix.empty() && !request.all) {
    return Error{Code::invalid, "an empty prefix means the whole store", "say so with all"};
  }
  if (request.prefix.size() > limits::key_bytes_max)
    return Error{Code::invalid, "no key is as long as this prefix"};
  std::vector<std::string> keys;
  std::size_t bytes = 0;
  const std::size_t most = limits::change_bytes_max(turn.identity().value_bytes_max) / 2;
  turn.view().scan(state::TableId::kv, request.prefix, request.prefix,
                   [&](std::string_view key, std::string_view) {
                     bytes += key.size() + 16;
                     keys.emplace_back(key);
                     return bytes <= most;
                   });
  if (bytes > most) {
    return Error{Code::too_large,
                 fmt::format("over {} keys begin with '{}', more than one change can hold",
                             keys.size(), request.prefix),
                 "delete longer prefixes, one after the other"};
  }
  if (keys.empty()) return proto::kv::Deleted{.rev = turn.last_rev(), .count = 0};
  auto kv = turn.kv();
  const std::uint64_t count = keys.size();
  for (std::string& key : keys) kv.erase(std::move(key));
  return proto::kv::Deleted{.rev = turn.rev(), .count = count};
}

Result<proto::kv::Listing> list(Turn& turn, const proto::kv::List& request) {
  proto::kv::Listing listing{.entries = {}, .rev = turn.last_rev(), .next = {}};
  std::size_t bytes = 0;
  turn.kv().scan(
      request.prefix, std::max(request.prefix, request.from),
      [&](std::string_view key, const state::KvRow& row) {
        if (bytes > limits::reply_bytes_max || listing.entries.size() >= limits::elements_max / 2) {
          listing.next = key;
          return false;
        }
        proto::kv::Entry entry = entry_of(std::string(key), row);
        if (request.keys_only) entry.value = {};
        bytes += entry.key.size() + entry.value.size() + 128;
        listing.entries.push_back(std::move(entry));
        return true;
      });
  return listing;
}

}  // namespace muster::core::kv
