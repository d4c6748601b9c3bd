// history: floors, moments, rows as they were.
#include "broker/core/history.hpp"

#include <algorithm>

#include <fmt/chrono.h>
#include <fmt/format.h>

namespace muster::core {
namespace {

constexpr std::size_t records_kept = 16;

std::uint64_t number(const state::View& view, std::string_view key) {
  const auto text = state::Read::Meta(view).get(key);
  return text ? state::be64_at_end(*text) : 0;
}

std::string time_text(WallTime time) {
  return fmt::format("{:%Y-%m-%dT%H:%M:%SZ}",
                     fmt::gmtime(static_cast<std::time_t>(time.ms / 1000)));
}

Error gone(const Floor& floor) {
  return Error{Code::gone,
               fmt::format("the past is kept since revision {} ({})", floor.rev.value,
                           floor.at.ms == 0 ? "the beginning" : time_text(floor.at)),
               "muster-broker --log-bytes, --log-hours and --keep say for how long"};
}

std::string row_key(std::string_view key, Revision rev) {
  return state::joined(key, state::be64(rev.value));
}

/// The key of a row that ends in NUL and a revision.
std::string_view key_of(std::string_view row) { return row.substr(0, row.size() - 9); }

std::string op_of(const state::Change& change, const state::Op& op) {
  if (op.value) return "put";
  return change.verb == proto::kv::Expire::verb ? "expire" : "delete";
}

}  // namespace

std::optional<KeepRule> keep_rule(const state::View& view, std::string_view key) {
  const std::string begin = state::joined(state::meta::keep, {});
  std::optional<KeepRule> found;
  view.scan(state::TableId::meta, begin, begin, [&](std::string_view row, std::string_view value) {
    const std::string_view prefix = row.substr(begin.size());
    const auto rule = state::decode_row<state::KeepRow>(value);
    if (rule.age_ms != 0 && key.starts_with(prefix))  // in order, so a longer one comes later
      found = KeepRule{std::string(prefix), rule};
    return true;
  });
  return found;
}

Floor trim_floor(const state::View& view) {
  return {Revision{number(view, state::meta::trim_rev)},
          WallTime{number(view, state::meta::trim_ms)}};
}

Floor floor_of(const state::View& view, std::string_view key) {
  if (const auto rule = keep_rule(view, key)) return {rule->row.floor, rule->row.floor_at};
  return trim_floor(view);
}

Result<Instant> History::find(const proto::kv::Moment& moment, std::string_view key) const {
  const Revision newest = turn_.hub().applied();
  if ((moment.rev.value == 0) == (moment.at_ms == 0))
    return Error{Code::invalid, "a moment is a revision or a time"};
  const Floor floor = floor_of(committed_, key);
  if (moment.rev.value != 0) {
    if (moment.rev > newest)
      return Error{Code::invalid, fmt::format("there is no revision {} yet, the newest is {}",
                                              moment.rev.value, newest.value)};
    if (moment.rev < floor.rev) return gone(floor);
    return Instant{moment.rev, std::nullopt};
  }
  if (moment.at_ms < floor.at.ms) return gone(floor);
  const WallTime at{moment.at_ms};
  const Floor trimmed = trim_floor(committed_);
  if (at.ms < trimmed.at.ms) return Instant{trimmed.rev, at};
  return Instant{std::max(rev_at(at), trimmed.rev), std::nullopt};
}

/// By halves: the times of records rise.
Revision History::rev_at(WallTime at) const {
  Seq low = turn_.log().first();         // its time may be later
  Seq high = turn_.log().last().next();  // its time is later, or there is none
  Revision found;
  while (low < high) {
    const Seq middle{low.value + (high.value - low.value) / 2};
    bool later = true;
    turn_.log().read(middle, [&](const log::Entry& entry) {
      later = state::decode_record(entry.bytes).time.ms > at.ms;
      if (!later) found = entry.last_rev;
      return false;
    });
    if (later) high = middle;
    else low = middle.next();
  }
  return found;
}

const state::Record* History::record(Seq seq) {
  if (const auto known = records_.find(seq); known != records_.end()) return &known->second;
  if (records_.size() >= records_kept) records_.clear();
  const state::Record* found = nullptr;
  turn_.log().read(seq, [&](const log::Entry& entry) {
    bytes_read_ += entry.bytes.size();
    if (entry.seq == seq)
      found = &records_.emplace(seq, state::decode_record(entry.bytes)).first->second;
    return false;
  });
  return found;
}

std::optional<state::KvRow> History::row_at(const std::string& key, const Instant& instant) {
  auto present = state::Read::Kv(committed_).get(key);
  if (present && instant.has(present->mod_rev, present->time)) return present;
  const std::string prefix = state::joined(key, {});
  std::string below = row_key(key, instant.rev.next());
  if (const auto found = committed_.last(state::TableId::kv_revs, prefix, below)) {
    const auto place = state::decode_row<state::KvRev>(found->second);
    const Revision rev{state::be64_at_end(found->first)};
    const state::Record* const source = place.deleted ? nullptr : record(place.seq);
    if (!source) return std::nullopt;
    for (const state::Change& change : source->changes) {
      if (change.rev != rev) continue;
      for (const state::Op& op : change.ops) {
        if (op.table == state::TableId::kv && op.key == key)
          return state::decode_row<state::KvRow>(*op.value);
      }
    }
    return std::nullopt;
  }
  while (const auto found = committed_.last(state::TableId::kv_past, prefix, below)) {
    auto past = state::decode_row<state::PastRow>(found->second);
    if (instant.has(past.row.mod_rev, past.row.time))
      return past.op == "put" ? std::optional(std::move(past.row)) : std::nullopt;
    below = found->first;
  }
  return std::nullopt;
}

std::optional<std::string> History::next_changed(std::string_view prefix,
                                                 std::string_view from) const {
  std::optional<std::string> least;
  for (const state::TableId table : {state::TableId::kv_revs, state::TableId::kv_past}) {
    const auto row = committed_.first(table, prefix, std::max(prefix, from));
    if (row && (!least || key_of(*row) < *least)) least = key_of(*row);
  }
  return least;
}

std::optional<proto::kv::Version> History::version(const std::string& key, Revision rev, Seq seq) {
  const state::Record* const source = record(seq);
  if (!source) return std::nullopt;
  for (const state::Change& change : source->changes) {
    if (change.rev != rev) continue;
    for (const state::Op& op : change.ops) {
      if (op.table == state::TableId::kv && op.key == key) return version_of(*source, change, op);
    }
  }
  return std::nullopt;
}

proto::kv::Version version_of(const state::Record& record, const state::Change& change,
                              const state::Op& op) {
  proto::kv::Version version{.key = op.key,
                             .rev = change.rev,
                             .prev_rev = op.prev,
                             .op = op_of(change, op),
                             .verb = change.verb,
                             .author = change.author,
                             .cause = change.cause,
                             .time_ms = record.time.ms};
  if (op.value) {
    const auto row = state::decode_row<state::KvRow>(*op.value);
    version.prev_rev = row.prev_rev;
    version.bytes = row.value.size();
  }
  return version;
}

proto::kv::Version version_of(std::string key, const state::PastRow& past) {
  return {.key = std::move(key),
          .rev = past.row.mod_rev,
          .prev_rev = past.row.prev_rev,
          .op = past.op,
          .verb = past.verb,
          .author = past.row.author,
          .cause = past.row.cause,
          .time_ms = past.row.time.ms,
          .bytes = past.row.value.size()};
}

}  // namespace muster::core
