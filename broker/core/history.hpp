// history: what a key was at a revision, found in the log or in what was kept of it.
//
//   a revision       where it stands
//   the present one  kv
//   above the floor  the log; kv_revs says in which record
//   below it         kv_past: what was still true at the floor, and what a rule keeps for longer
//
// The floor is where the log was trimmed. Only what is committed has a past.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>

#include "broker/core/turn.hpp"
#include "common/protocol/kv_past.hpp"

namespace muster::core {

/// From here on the past is whole.
struct Floor {
  Revision rev;
  WallTime at;
};

/// The rule for how long the past of a key or prefix is kept, if it has one: the longest that fits.
struct KeepRule {
  std::string prefix;
  state::KeepRow row;
};
std::optional<KeepRule> keep_rule(const state::View& view, std::string_view key);
/// Where the log was trimmed.
Floor trim_floor(const state::View& view);
Floor floor_of(const state::View& view, std::string_view key);

/// A moment that was found: the newest revision of then. Below the log only the time is known.
struct Instant {
  Revision rev;
  std::optional<WallTime> at;
  bool has(Revision other, WallTime time) const {
    return other <= rev && (!at || time.ms <= at->ms);
  }
};

class History {
 public:
  explicit History(Turn& turn) : turn_(turn), committed_(turn.store(), {}) {}

  const state::View& committed() const { return committed_; }

  /// Errors: invalid (not there yet), gone. `key` may be a prefix.
  Result<Instant> find(const proto::kv::Moment& moment, std::string_view key) const;

  /// What the key was; none: it was not there.
  std::optional<state::KvRow> row_at(const std::string& key, const Instant& instant);

  /// The least key >= `from`, of those with the prefix, that has changed since the floor or has a
  /// kept past.
  std::optional<std::string> next_changed(std::string_view prefix, std::string_view from) const;

  /// One change of a key, read from its record. None: the record is not there.
  std::optional<proto::kv::Version> version(const std::string& key, Revision rev, Seq seq);

  /// Bytes of records that were read so far: a bound for one answer.
  std::size_t bytes_read() const { return bytes_read_; }

 private:
  const state::Record* record(Seq seq);
  Revision rev_at(WallTime at) const;

  Turn& turn_;
  const state::View committed_;
  std::map<Seq, state::Record> records_;  ///< the last few: what was written together is near
  std::size_t bytes_read_ = 0;
};

/// What a change did to a key, as told to people; `op` is one of its ops on kv.
proto::kv::Version version_of(const state::Record& record, const state::Change& change,
                              const state::Op& op);
proto::kv::Version version_of(std::string key, const state::PastRow& past);

}  // namespace muster::core
