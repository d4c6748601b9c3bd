// past: answers are made of whole keys, a bounded part of them at a time.
#include "broker/core/past.hpp"

#include <algorithm>
#include <set>

#include <fmt/format.h>

#include "broker/core/history.hpp"
#include "broker/core/keys.hpp"

namespace muster::core::past {
namespace {

using proto::kv::Entry;
using state::KvRow;
using state::TableId;

constexpr std::size_t entry_weight = 160;  // beside key and value

/// The least text above the key: keys hold no NUL.
std::string behind(std::string_view key) { return std::string(key) + '\x01'; }

std::size_t weight(const std::optional<KvRow>& row) {
  return row ? row->value.size() + entry_weight : 0;
}

std::optional<Entry> entry_of(const std::string& key, std::optional<KvRow> row) {
  if (!row) return std::nullopt;
  return keys::entry_of(key, std::move(*row));
}

/// Whether an answer is as large as it may be, by what it holds and by what it cost.
class Budget {
 public:
  explicit Budget(const History& history) : history_(history) {}
  bool spent() const {
    return ++keys_ > limits::past_rows_max || bytes_ > limits::reply_bytes_max ||
           history_.bytes_read() > limits::past_scan_bytes_max;
  }
  void add(std::size_t bytes) { bytes_ += bytes; }

 private:
  const History& history_;
  mutable std::size_t keys_ = 0;
  std::size_t bytes_ = 0;
};

std::optional<std::string> least(std::optional<std::string> a, std::optional<std::string> b) {
  if (!a || (b && *b < *a)) return b;
  return a;
}

std::optional<Error> wrong_prefix(std::string_view prefix) {
  if (prefix.size() <= limits::key_bytes_max && prefix.find('\0') == std::string_view::npos)
    return std::nullopt;
  return Error{Code::invalid, "no key begins with this prefix: it is too long, or has a NUL"};
}

/// Exactly one of the two is given; of a key, the prefix that finds it is itself.
Result<std::string> scope_of(const std::string& key, const std::string& prefix) {
  if (key.empty()) {
    if (const auto wrong = wrong_prefix(prefix)) return *wrong;
    return prefix;
  }
  if (!prefix.empty()) return Error{Code::invalid, "a key or a prefix, not both"};
  if (const auto wrong = keys::wrong_key(key)) return *wrong;
  return key;
}

bool same(const std::optional<KvRow>& a, const std::optional<KvRow>& b) {
  if (!a || !b) return !a && !b;
  return a->value == b->value && a->flags == b->flags;
}

}  // namespace

Result<Entry> get(Turn& turn, const proto::kv::Get& request) {
  History history(turn);
  const Result<Instant> instant = history.find(*request.when, request.key);
  if (!instant) return instant.error();
  auto row = history.row_at(request.key, *instant);
  if (!row)
    return Error{Code::not_found, fmt::format("no key existed at: {} (revision {})", request.key,
                                              instant->rev.value)};
  return keys::entry_of(request.key, std::move(*row));
}

Result<proto::kv::Listing> list(Turn& turn, const proto::kv::List& request) {
  if (const auto wrong = wrong_prefix(request.prefix)) return *wrong;
  History history(turn);
  const Result<Instant> instant = history.find(*request.when, request.prefix);
  if (!instant) return instant.error();
  proto::kv::Listing listing{.entries = {}, .rev = instant->rev, .next = {}};
  Budget budget(history);
  std::string from = std::max(request.prefix, request.from);
  for (;;) {
    const auto key = least(history.next_changed(request.prefix, from),
                           history.committed().first(TableId::kv, request.prefix, from));
    if (!key) return listing;
    if (budget.spent()) {
      listing.next = *key;
      return listing;
    }
    auto row = history.row_at(*key, *instant);
    if (row && request.keys_only) {
      Entry entry = keys::entry_of(*key, std::move(*row));
      entry.value = {};
      listing.entries.push_back(std::move(entry));
    } else if (row) {
      budget.add(weight(row) + key->size());
      listing.entries.push_back(keys::entry_of(*key, std::move(*row)));
    }
    from = behind(*key);
  }
}

// --- log ---

namespace {

/// What an answer to kv.log is collected from, in this order; a cursor names part and place.
enum class Part : char { present = 'v', kept = 'p', index = 'i', log = 'l' };

struct Cursor {
  Part part = Part::present;
  std::string place;
};

class LogPage {
 public:
  LogPage(Turn& turn, const proto::kv::Log& request, std::string scope)
      : turn_(turn), request_(request), scope_(std::move(scope)), history_(turn) {
    const Floor floor = floor_of(history_.committed(), scope_);
    page_.since = floor.rev;
    page_.since_ms = floor.at.ms;
  }

  Result<proto::kv::Past> read() {
    Cursor at;
    if (!request_.from.empty()) {
      at = {static_cast<Part>(request_.from.data.front()), request_.from.data.substr(1)};
    }
    switch (at.part) {
      case Part::present:
        if (!read_present(at.place)) break;
        at.place.clear();
        [[fallthrough]];
      case Part::kept:
        if (!read_kept(at.place)) break;
        if (request_.key.empty()) read_log(page_begin());
        else read_index(page_begin());
        break;
      case Part::index: read_index(number(at.place)); break;
      case Part::log: read_log(number(at.place)); break;
      default: return Error{Code::invalid, "`from` is not what an earlier answer said"};
    }
    return std::move(page_);
  }

 private:
  static Revision number(const std::string& place) {
    return Revision{place.size() == 8 ? state::be64_at_end(place) : 0};
  }
  bool wanted(std::string_view key) const {
    return request_.key.empty() ? key.starts_with(scope_) : key == scope_;
  }
  Revision page_begin() const {
    return std::max(request_.after, trim_floor(history_.committed()).rev).next();
  }
  bool full() const {
    return rows_ > limits::past_rows_max || history_.bytes_read() > limits::past_scan_bytes_max;
  }
  bool stop(Part part, std::string_view place) {
    page_.next = Bytes(std::string(1, static_cast<char>(part)) + std::string(place));
    return false;
  }
  void add(proto::kv::Version version) {
    if (version.rev > request_.after) page_.versions.push_back(std::move(version));
  }

  /// Keys that have not changed since the floor: the one change of them that is known.
  bool read_present(const std::string& from) {
    const Revision floor = trim_floor(history_.committed()).rev;
    bool more = true;
    history_.committed().scan(TableId::kv, scope_, from, [&](std::string_view key, auto value) {
      if (!wanted(key)) return request_.key.empty();
      if (++rows_ > limits::past_rows_max) return more = stop(Part::present, key);
      const auto row = state::decode_row<KvRow>(value);
      if (row.mod_rev <= floor)
        add(version_of(std::string(key), {.row = row, .op = "put", .verb = {}}));
      return true;
    });
    return more;
  }

  bool read_kept(const std::string& from) {
    bool more = true;
    history_.committed().scan(
        TableId::kv_past, scope_, from, [&](std::string_view row, auto value) {
          const std::string_view key = row.substr(0, row.size() - 9);
          if (!wanted(key)) return request_.key.empty();
          if (++rows_ > limits::past_rows_max) return more = stop(Part::kept, row);
          add(version_of(std::string(key), state::decode_row<state::PastRow>(value)));
          return true;
        });
    return more;
  }

  /// One key: its revisions are indexed.
  void read_index(Revision from) {
    const std::string prefix = state::joined(scope_, {});
    history_.committed().scan(TableId::kv_revs, prefix, prefix + state::be64(from.value),
                              [&](std::string_view row, std::string_view value) {
                                const Revision rev{state::be64_at_end(row)};
                                if (++rows_, full())
                                  return stop(Part::index, state::be64(rev.value));
                                const auto place = state::decode_row<state::KvRev>(value);
                                if (auto version = history_.version(scope_, rev, place.seq))
                                  add(std::move(*version));
                                return true;
                              });
  }

  /// A prefix: what was written together stands together in the log, so each record is read once.
  void read_log(Revision from) {
    const Revision last = turn_.hub().applied();
    if (from > last) return;
    std::size_t bytes = 0;
    turn_.log().read(turn_.log().seek(Revision{from.value - 1}), [&](const log::Entry& entry) {
      if (bytes > limits::past_scan_bytes_max || rows_ > limits::past_rows_max)
        return stop(Part::log, state::be64(entry.first_rev.value));
      bytes += entry.bytes.size();
      const state::Record record = state::decode_record(entry.bytes);
      for (const state::Change& change : record.changes) {
        if (change.rev < from) continue;
        for (const state::Op& op : change.ops) {
          if (op.table != TableId::kv || !wanted(op.key)) continue;
          ++rows_;
          add(version_of(record, change, op));
        }
      }
      return true;
    });
  }

  Turn& turn_;
  const proto::kv::Log& request_;
  const std::string scope_;
  History history_;
  proto::kv::Past page_;
  std::size_t rows_ = 0;
};

}  // namespace

Result<proto::kv::Past> log(Turn& turn, const proto::kv::Log& request) {
  Result<std::string> scope = scope_of(request.key, request.prefix);
  if (!scope) return scope.error();
  return LogPage(turn, request, *std::move(scope)).read();
}

// --- diff and revert ---

Result<proto::kv::Differences> diff(Turn& turn, const proto::kv::Diff& request) {
  if (const auto wrong = wrong_prefix(request.prefix)) return *wrong;
  History history(turn);
  const Result<Instant> from = history.find(request.from, request.prefix);
  if (!from) return from.error();
  const Result<Instant> to = request.to ? history.find(*request.to, request.prefix)
                                        : Instant{turn.hub().applied(), std::nullopt};
  if (!to) return to.error();
  proto::kv::Differences found{.keys = {}, .from = from->rev, .to = to->rev, .next = {}};
  Budget budget(history);
  std::string start = std::max(request.prefix, request.start);
  while (const auto key = history.next_changed(request.prefix, start)) {
    if (budget.spent()) {
      found.next = *key;
      break;
    }
    auto before = history.row_at(*key, *from);
    auto after = history.row_at(*key, *to);
    if (!same(before, after)) {
      budget.add(key->size() + weight(before) + weight(after));
      found.keys.push_back({.key = *key,
                            .before = entry_of(*key, std::move(before)),
                            .after = entry_of(*key, std::move(after))});
    }
    start = behind(*key);
  }
  return found;
}

namespace {

/// Keys in the scope that may be another than they were: changed on disk, or in this turn.
Result<std::set<std::string>> candidates(Turn& turn, const History& history,
                                         const proto::kv::Revert& request) {
  if (!request.key.empty()) return std::set{request.key};
  std::set<std::string> found;
  std::string start = request.prefix;
  while (auto key = history.next_changed(request.prefix, start)) {
    if (found.size() >= limits::past_rows_max)
      return Error{Code::too_large,
                   fmt::format("over {} keys under '{}' have changed, more than one revert takes",
                               limits::past_rows_max, request.prefix),
                   "revert longer prefixes, one after the other"};
    start = behind(*key);
    found.insert(*std::move(key));
  }
  for (const auto& [key, value] : turn.earlier().rows(TableId::kv)) {
    if (key.starts_with(request.prefix)) found.emplace(key);
  }
  return found;
}

/// The key has changed after a revision, on disk or in this turn.
bool changed_after(Turn& turn, const History& history, const std::string& key, Revision rev) {
  if (turn.earlier().find(TableId::kv, key)) return true;
  const auto newest = history.committed().last(TableId::kv_revs, state::joined(key, {}));
  return newest && state::be64_at_end(newest->first) > rev.value;
}

}  // namespace

Result<proto::kv::Reverted> revert(Turn& turn, const proto::kv::Revert& request) {
  if (request.key.empty() && request.prefix.empty())
    return Error{Code::invalid, "say which key, or which prefix"};
  const Result<std::string> scope = scope_of(request.key, request.prefix);
  if (!scope) return scope.error();
  History history(turn);
  const Result<Instant> to = history.find(request.to, *scope);
  if (!to) return to.error();
  const auto keys = candidates(turn, history, request);
  if (!keys) return keys.error();
  proto::kv::Reverted done{.rev = turn.last_rev()};
  for (const std::string& key : *keys) {
    const std::optional<KvRow> present = turn.kv().get(key);
    const std::optional<KvRow> wanted = history.row_at(key, *to);
    if (same(present, wanted)) continue;
    if (request.expect.value != 0 && changed_after(turn, history, key, request.expect))
      return Error{Code::conflict,
                   fmt::format("{} has changed after revision {}", key, request.expect.value),
                   "look again with --dry-run"};
    done.rev = turn.rev();
    if (!wanted) {
      keys::remove(turn, key, *present);
      ++done.deleted;
      continue;
    }
    const Result<Done> written = keys::write(turn, key, present,
                                             {.value = wanted->value,
                                              .flags = wanted->flags,
                                              .session = present ? present->session : ""});
    if (!written) return written.error();
    ++done.written;
  }
  return done;
}

}  // namespace muster::core::past
