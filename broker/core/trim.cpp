// trim: what is given up, and what of it must stay.
//
// A key's value at the new floor must stay known: if it is overwritten behind the floor, its
// record's effect moves into kv_past. What a rule keeps for longer moves there, too.
#include "broker/core/trim.hpp"

#include <algorithm>

#include "broker/core/history.hpp"

namespace muster::core::trim {
namespace {

using state::TableId;

/// Revisions of one key in the records that go, oldest first.
using Going = std::map<std::string, std::vector<state::PastRow>>;

state::PastRow past_row(const state::Record& record, const state::Change& change,
                        const state::Op& op) {
  const proto::kv::Version version = version_of(record, change, op);
  state::PastRow past{.row = {}, .op = version.op, .verb = version.verb};
  if (op.value) past.row = state::decode_row<state::KvRow>(*op.value);
  past.row.mod_rev = change.rev;
  past.row.prev_rev = version.prev_rev;
  past.row.author = change.author;
  past.row.cause = change.cause;
  past.row.time = record.time;
  return past;
}

std::string row_key(std::string_view key, Revision rev) {
  return state::joined(key, state::be64(rev.value));
}

std::string_view key_of(std::string_view row) { return row.substr(0, row.size() - 9); }

std::uint64_t cut_of(const state::KeepRow& rule, WallTime now) {
  return now.ms > rule.age_ms ? now.ms - rule.age_ms : 0;
}

/// Below the floor only the newest is still true behind it, and only if something came later: else
/// it stands in kv. A delete is as good as nothing.
void drop_old_base(Turn& turn, const std::string& key, const std::optional<KeepRule>& rule) {
  if (rule) return;  // it goes by its age
  const std::string prefix = state::joined(key, {});
  std::vector<std::string> rows;
  turn.view().scan(TableId::kv_past, prefix, prefix, [&](std::string_view row, std::string_view) {
    rows.emplace_back(row);
    return true;
  });
  for (const std::string& row : rows) turn.raw().erase(TableId::kv_past, row);
}

void move(Turn& turn, const std::string& key, const std::vector<state::PastRow>& going,
          Revision floor) {
  const auto rule = keep_rule(turn.view(), key);
  drop_old_base(turn, key, rule);
  const std::string prefix = state::joined(key, {});
  const auto newest = turn.view().last(TableId::kv_revs, prefix);
  const bool later = (newest && state::be64_at_end(newest->first) > floor.value) ||
                     turn.earlier().find(TableId::kv, key);
  for (const state::PastRow& past : going) {
    const std::string row = row_key(key, past.row.mod_rev);
    turn.raw().erase(TableId::kv_revs, row);
    const bool last = &past == &going.back();
    if (last && !later && past.op == "put") continue;  // it stands in kv
    const bool base = last && past.op == "put";
    const bool kept = rule && past.row.time.ms >= cut_of(rule->row, turn.wall());
    if (base || kept) turn.raw().put(TableId::kv_past, row, state::encode_row(past));
  }
}

void put_rule(Turn& turn, const std::string& row, const state::KeepRow& rule) {
  turn.raw().put(TableId::meta, row, state::encode_row(rule));
}

}  // namespace

void set_rules(Turn& turn, const std::map<std::string, std::uint64_t>& keep) {
  const std::string begin = state::joined(state::meta::keep, {});
  std::vector<std::string> gone;
  turn.view().scan(TableId::meta, begin, begin, [&](std::string_view row, std::string_view) {
    if (!keep.contains(std::string(row.substr(begin.size())))) gone.emplace_back(row);
    return true;
  });
  for (const std::string& row : gone) put_rule(turn, row, {.age_ms = 0});
  const Floor floor = trim_floor(turn.view());
  for (const auto& [prefix, age_ms] : keep) {
    state::KeepRow rule{.age_ms = age_ms, .floor = floor.rev, .floor_at = floor.at};
    const auto before = turn.view().get(TableId::meta, begin + prefix);
    if (before) {
      const auto known = state::decode_row<state::KeepRow>(*before);
      if (known.age_ms != 0) rule.floor = known.floor, rule.floor_at = known.floor_at;
    }
    put_rule(turn, begin + prefix, rule);
  }
}

Result<proto::Empty> log(Turn& turn, const proto::admin::Trim& request) {
  const auto done = turn.meta().get(state::meta::trim_seq);
  const Seq from = std::max(Seq{done ? state::be64_at_end(*done) : 0}, turn.log().first());
  Going going;
  std::size_t rows = 0;
  std::size_t bytes = 0;
  Seq reached = from;
  Revision last;
  WallTime last_at;
  turn.log().read(from, [&](const log::Entry& entry) {
    const bool enough = rows > limits::trim_rows_max || bytes > limits::trim_bytes_max;
    if (entry.seq >= request.floor || enough) return false;
    const state::Record record = state::decode_record(entry.bytes);
    for (const state::Change& change : record.changes) {
      for (const state::Op& op : change.ops) {
        if (op.table != TableId::kv) continue;
        going[op.key].push_back(past_row(record, change, op));
        ++rows;
      }
    }
    bytes += entry.bytes.size();
    reached = entry.seq.next();
    last = entry.last_rev;
    last_at = record.time;
    return true;
  });
  if (reached == from) return proto::Empty{};
  for (const auto& [key, revisions] : going) move(turn, key, revisions, last);
  turn.meta().put(std::string(state::meta::trim_seq), state::be64(reached.value));
  turn.meta().put(std::string(state::meta::trim_rev), state::be64(last.value));
  turn.meta().put(std::string(state::meta::trim_ms), state::be64(last_at.ms));
  return proto::Empty{};
}

Result<proto::Empty> forget(Turn& turn, const proto::kv::ForgetPast& request) {
  const std::string name = state::joined(state::meta::keep, request.prefix);
  const auto text = turn.view().get(TableId::meta, name);
  if (!text) return Error{Code::conflict, "this prefix has no rule any more"};
  auto rule = state::decode_row<state::KeepRow>(*text);
  std::size_t rows = 0;
  std::string before;  // the row before, if it is of this key and over its age
  turn.view().scan(TableId::kv_past, request.prefix, request.prefix,
                   [&](std::string_view row, std::string_view value) {
                     const auto past = state::decode_row<state::PastRow>(value);
                     const bool old = past.row.time.ms < request.before_ms;
                     // The one before was true until this one came: if that is over its age, nobody
                     // asks.
                     if (old && !before.empty() && key_of(before) == key_of(row)) {
                       turn.raw().erase(TableId::kv_past, before);
                       ++rows;
                     }
                     before = old && past.op == "put" ? std::string(row) : std::string();
                     if (!old) return true;
                     rule.floor = std::max(rule.floor, past.row.mod_rev);
                     if (past.op != "put") turn.raw().erase(TableId::kv_past, row);
                     return rows < limits::trim_rows_max;
                   });
  if (rows >= limits::trim_rows_max) return proto::Empty{};  // the rest in the next turn
  if (rule.age_ms == 0) {
    turn.raw().erase(TableId::meta, name);
    return proto::Empty{};
  }
  const auto known = History(turn).find({.rev = {}, .at_ms = request.before_ms}, {});
  if (known && !known->at) rule.floor = std::max(rule.floor, known->rev);
  rule.floor_at = WallTime{request.before_ms};
  put_rule(turn, name, rule);
  return proto::Empty{};
}

std::optional<proto::kv::ForgetPast> due(const state::View& view, WallTime now) {
  const std::string begin = state::joined(state::meta::keep, {});
  std::optional<proto::kv::ForgetPast> found;
  view.scan(TableId::meta, begin, begin, [&](std::string_view row, std::string_view value) {
    const auto rule = state::decode_row<state::KeepRow>(value);
    const std::uint64_t cut = cut_of(rule, now);
    const std::uint64_t step = std::max<std::uint64_t>(60'000, rule.age_ms / 20);
    if (rule.age_ms != 0 && cut < rule.floor_at.ms + step) return true;
    found =
        proto::kv::ForgetPast{.prefix = std::string(row.substr(begin.size())), .before_ms = cut};
    return false;
  });
  return found;
}

}  // namespace muster::core::trim
