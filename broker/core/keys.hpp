// keys: the one way in which a key changes: its row, its time to live, the sessions it belongs to.
//
// A put says all of a key but who has acquired it. Whatever writes or deletes keys (put, txn,
// revert, expiry, the end of a session) goes through here, so that the three tables agree.
#pragma once

#include <optional>
#include <string>

#include "broker/core/turn.hpp"
#include "common/protocol/kv.hpp"

namespace muster::core::keys {

/// Writes the row; revisions, version, author, cause and time are filled in here. `present` is what
/// stands there now. A time to live goes on, or ends where `row` has none; to begin one: renew.
/// Errors: busy (a session has too many keys), too_large.
Result<Done> write(Turn& turn, const std::string& key, const std::optional<state::KvRow>& present,
                   state::KvRow row);
/// The time to live begins, or begins anew; no revision, no news.
void renew(Turn& turn, const std::string& key, std::uint64_t ttl_ms);
void remove(Turn& turn, const std::string& key, const state::KvRow& present);

/// The session ends: what ends with it is deleted, what it has acquired is released, or deleted
/// where its behavior is so.
void leave_all(Turn& turn, const state::SessionRow& session);

/// Errors: invalid.
std::optional<Error> wrong_key(std::string_view key);

/// The row as it goes out. `due`: when it expires, if it does.
proto::kv::Entry entry_of(std::string key, state::KvRow row, WallTime due = {});

}  // namespace muster::core::keys
