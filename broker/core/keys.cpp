// keys: rows, dues and ties, written together.
#include "broker/core/keys.hpp"

#include <fmt/format.h>

namespace muster::core::keys {
namespace {

/// What a session has to do with a key, in one row: it goes when there is nothing any more.
void tie(Turn& turn, const std::string& session, const std::string& key,
         const state::KvRow* after) {
  if (session.empty()) return;
  const std::string row = state::joined(session, key);
  const bool acquired = after && after->session == session;
  const bool ends = after && after->ends_with == session;
  if (!acquired && !ends) return turn.session_kvs().erase(row);
  turn.session_kvs().put(
      row, {.acquired = acquired, .ends = ends, .bytes = key.size() + after->value.size()});
}

/// All keys of a session must fit the one change that ends it.
std::optional<Error> too_many(Turn& turn, const std::string& session, const std::string& key,
                              std::size_t bytes) {
  if (session.empty()) return std::nullopt;
  std::size_t count = 1;
  const std::string own = state::joined(session, key);
  turn.session_kvs().scan(state::joined(session, {}),
                          [&](std::string_view row, const state::SessionKv& tied) {
                            if (row == own) return true;
                            ++count;
                            if (tied.acquired) bytes += tied.bytes;
                            return true;
                          });
  if (count > limits::session_keys_max) {
    return Error{Code::busy, fmt::format("session {} has {} keys, which is the most", session,
                                         limits::session_keys_max)};
  }
  const std::size_t most = turn.identity().value_bytes_max + limits::key_bytes_max;
  if (bytes > most) {
    return Error{Code::too_large,
                 fmt::format("what session {} has acquired would be {} bytes, at most {} are taken",
                             session, bytes, most)};
  }
  return std::nullopt;
}

void forget_due(Turn& turn, const std::string& key) {
  turn.kv_dues().erase(key);
  turn.then([key](Memory& memory) { memory.expiries.forget(key); });
}

}  // namespace

std::optional<Error> wrong_key(std::string_view key) {
  if (key.empty()) return Error{Code::invalid, "a key cannot be empty"};
  if (key.size() > limits::key_bytes_max) {
    return Error{Code::invalid, fmt::format("a key has at most {} bytes, this one has {}",
                                            limits::key_bytes_max, key.size())};
  }
  if (key.front() == '/')
    return Error{Code::invalid, fmt::format("Invalid key. Key must not begin with a '/': {}", key)};
  if (key.find('\0') != std::string_view::npos)
    return Error{Code::invalid, "a key must not contain a NUL byte"};
  if (!codec::is_utf8(key)) return Error{Code::invalid, "a key must be UTF-8"};
  return std::nullopt;
}

proto::kv::Entry entry_of(std::string key, state::KvRow row, WallTime due) {
  proto::kv::Entry entry{.key = std::move(key),
                         .flags = row.flags,
                         .create_rev = row.create_rev,
                         .mod_rev = row.mod_rev,
                         .version = row.version,
                         .bytes = row.value.size(),
                         .author = std::move(row.author),
                         .cause = std::move(row.cause),
                         .time_ms = row.time.ms,
                         .ttl_ms = row.ttl_ms,
                         .expires_ms = due.ms,
                         .lock_index = row.lock_index,
                         .session = std::move(row.session),
                         .ends_with = std::move(row.ends_with)};
  entry.value = std::move(row.value);
  return entry;
}

Result<Done> write(Turn& turn, const std::string& key, const std::optional<state::KvRow>& present,
                   state::KvRow row) {
  for (const std::string* session : {&row.session, &row.ends_with}) {
    if (const auto error = too_many(turn, *session, key, key.size() + row.value.size()))
      return *error;
  }
  const bool again = present && present->mod_rev == turn.rev();  // in this very change
  row.mod_rev = turn.rev();
  row.create_rev = present ? present->create_rev : turn.rev();
  row.version = present ? present->version + 1 : 1;
  row.prev_rev = again ? present->prev_rev : present ? present->mod_rev : turn.removed(key);
  row.author = turn.caller().author;
  row.cause = turn.caller().options.cause;
  row.time = turn.wall();
  if (present) {
    if (present->session != row.session) tie(turn, present->session, key, &row);
    if (present->ends_with != row.ends_with) tie(turn, present->ends_with, key, &row);
  }
  tie(turn, row.session, key, &row);
  tie(turn, row.ends_with, key, &row);
  if (row.ttl_ms == 0 && present && present->ttl_ms != 0) forget_due(turn, key);
  turn.kv().put(key, row);
  return Done{};
}

void renew(Turn& turn, const std::string& key, std::uint64_t ttl_ms) {
  turn.kv_dues().put(key, {.due = WallTime{turn.wall().ms + ttl_ms}});
  const TimePoint due = turn.now() + milliseconds(static_cast<std::int64_t>(ttl_ms));
  turn.then([key, due](Memory& memory) { memory.expiries.set(key, due); });
}

void remove(Turn& turn, const std::string& key, const state::KvRow& present) {
  turn.kv().erase(key);
  turn.removed(key, present.mod_rev == turn.rev() ? present.prev_rev : present.mod_rev);
  tie(turn, present.session, key, nullptr);
  tie(turn, present.ends_with, key, nullptr);
  if (present.ttl_ms != 0) forget_due(turn, key);
}

void leave_all(Turn& turn, const state::SessionRow& session) {
  const std::string prefix = state::joined(session.id, {});
  std::vector<std::pair<std::string, state::SessionKv>> tied;
  turn.session_kvs().scan(prefix, [&](std::string_view row, const state::SessionKv& how) {
    tied.emplace_back(row.substr(prefix.size()), how);
    return true;
  });
  for (const auto& [key, how] : tied) {
    const auto present = turn.kv().get(key);
    if (!present) continue;
    if (how.acquired && session.lock_delay_ms != 0) {
      const TimePoint until =
          turn.now() + milliseconds(static_cast<std::int64_t>(session.lock_delay_ms));
      turn.then([name = key, until](Memory& memory) { memory.key_delays[name] = until; });
    }
    if (how.ends || session.behavior == "delete") {
      remove(turn, key, *present);
      continue;
    }
    state::KvRow row = *present;
    row.session.clear();
    // It can only fail for sessions that get more keys; this one gets rid of one.
    ENSURE(static_cast<bool>(write(turn, key, present, std::move(row))));
  }
}

}  // namespace muster::core::keys
