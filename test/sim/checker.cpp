// checker: the log is read again from its first record, change by change.
//
//   revisions    consecutive; no request executed twice; no value put twice but by a revert, or
//   when
//                its owner ends
//   locks        at most `limit` holders; tokens rise; grants in order of asking; a fenced put only
//                with a token that held at that very revision
//   state        the tables are what the log says
//   answers      each acknowledged put is in the log, at the revision that was told
//   watches      each topic's changes once and in order, or a reset with the state at its revision;
//                so, too, a read from any revision, below or above what was trimmed
//   cursors      a handler's acknowledgement moves one to the next change and no further, once;
//                without one nothing is passed over
//   the past     each key was what it is said to have been
#include "test/sim/checker.hpp"

#include <algorithm>
#include <map>
#include <set>
#include <sstream>

#include <fmt/format.h>

#include "broker/core/kv.hpp"
#include "broker/state/tables.hpp"

namespace muster::sim {
namespace {

using state::TableId;
using state::TicketRow;

struct Wrong {
  std::string what;
};

template <class... Args>
void require(bool holds, fmt::format_string<Args...> text, Args&&... args) {
  if (!holds) throw Wrong{fmt::format(text, std::forward<Args>(args)...)};
}

/// What one change did to one key.
struct Step {
  Revision rev;
  Revision prev;  ///< what it replaced or ended
  std::string key;
  std::optional<std::string> value;
};

/// A cursor was moved.
struct Move {
  state::CursorRow before;
  state::CursorRow after;
};

struct Lock {
  std::map<std::string, TicketRow> tickets;  ///< by key: in order of asking
  Revision last_token;
};

class Replay {
 public:
  void apply(const log::Entry& entry) {
    const state::Record record = state::decode_record(entry.bytes);
    require(record.seq == last_seq_.next(), "record {} follows {}", record.seq.value,
            last_seq_.value);
    last_seq_ = record.seq;
    for (const state::Change& change : record.changes) apply(change);
  }

  const std::vector<Step>& steps() const { return steps_; }
  const std::map<std::string, std::string>& rows(TableId table) { return tables_[table]; }
  const std::map<Revision, Step>& puts() const { return puts_; }
  const std::vector<Move>& moves() const { return moves_; }
  Revision last() const { return last_rev_; }

 private:
  void apply(const state::Change& change) {
    require(change.rev == last_rev_.next(), "revision {} follows {}", change.rev.value,
            last_rev_.value);
    last_rev_ = change.rev;
    if (!change.request.client.empty()) {
      require(requests_.insert(change.request).second, "request {} of {} was executed twice",
              change.request.no.value, change.request.client);
    }
    for (const state::Op& op : change.ops) {
      if (op.table == TableId::kv) kv(change, op);
      if (op.table == TableId::cursors) cursor(op);
      if (op.value) tables_[op.table][op.key] = *op.value;
      else tables_[op.table].erase(op.key);
    }
    std::set<std::string> touched;
    for (const state::Op& op : change.ops) {
      if (op.table == TableId::tickets) touched.insert(op.key.substr(0, op.key.size() - 9));
    }
    for (const std::string& name : touched) lock(change, name);
  }

  void cursor(const state::Op& op) {
    const auto& rows = tables_[TableId::cursors];
    if (const auto before = rows.find(op.key); before != rows.end())
      moves_.push_back({state::decode_row<state::CursorRow>(before->second),
                        state::decode_row<state::CursorRow>(*op.value)});
  }

  /// A put is looked at before the tickets of its own change: it carries a token that held already.
  void kv(const state::Change& change, const state::Op& op) {
    Step step{change.rev, newest_[op.key], op.key, std::nullopt};
    newest_[op.key] = op.value ? change.rev : Revision{};
    if (op.value) {
      step.value = state::decode_row<state::KvRow>(*op.value).value.data;
      if (change.verb == "kv.put" || change.verb == "kv.txn") {
        require(values_.insert(*step.value).second, "the value '{}' was put twice", *step.value);
        fence(change.rev, *step.value);
      }
      puts_.emplace(change.rev, step);
    } else {
      require(op.prev == step.prev, "the delete of {} at {} ends {}, not {}", op.key,
              change.rev.value, step.prev.value, op.prev.value);
    }
    steps_.push_back(std::move(step));
  }

  void fence(Revision rev, const std::string& value) {
    std::istringstream words(value);
    std::string first;
    std::string name;
    std::uint64_t token = 0;
    if (!(words >> first >> name >> token)) return;
    const auto& tickets = locks_[name].tickets;
    const bool held = std::any_of(tickets.begin(), tickets.end(), [&](const auto& ticket) {
      return ticket.second.token.value == token;
    });
    require(held, "the put at {} passed with token {} of {}, which did not hold", rev.value, token,
            name);
  }

  void lock(const state::Change& change, const std::string& name) {
    Lock& lock = locks_[name];
    const std::map<std::string, TicketRow> before = lock.tickets;
    lock.tickets.clear();
    for (const auto& [key, value] : tables_[TableId::tickets]) {
      if (key.substr(0, key.size() - 9) == name)
        lock.tickets[key] = state::decode_row<TicketRow>(value);
    }
    std::size_t holders = 0;
    std::size_t granted = 0;
    bool waits = false;
    for (const auto& [key, ticket] : lock.tickets) {
      if (ticket.token.value == 0) {
        waits = true;
        continue;
      }
      ++holders;
      const auto old = before.find(key);
      if (old != before.end() && old->second.token == ticket.token) continue;
      ++granted;
      require(ticket.token == change.rev, "a token of {} is not its grant's revision {}", name,
              change.rev.value);
      require(ticket.token > lock.last_token, "the token {} of {} does not rise",
              ticket.token.value, name);
      require(!waits, "a grant of {} at {} overtook a waiter", name, change.rev.value);
      lock.last_token = ticket.token;
    }
    const std::size_t limit = name == "lock-0" ? 1 : 2;
    require(holders <= limit, "{} hold {} at {}", holders, name, change.rev.value);
    require(granted <= 1, "{} grants of {} share the token {}", granted, name, change.rev.value);
    require(holders == limit || !waits, "{} has a free place and a waiter at {}", name,
            change.rev.value);
  }

  Seq last_seq_;
  Revision last_rev_;
  std::set<state::RequestId> requests_;
  std::set<std::string> values_;
  std::map<std::string, Revision> newest_;
  std::map<TableId, std::map<std::string, std::string>> tables_;
  std::map<std::string, Lock> locks_;
  std::vector<Step> steps_;
  std::map<Revision, Step> puts_;
  std::vector<Move> moves_;
};

void check_tables(const Broker& broker, Replay& replay) {
  for (const TableId table :
       {TableId::kv, TableId::kv_due, TableId::session_kv, TableId::sessions, TableId::tickets,
        TableId::locks, TableId::session_keys, TableId::events, TableId::cursors}) {
    std::map<std::string, std::string> found;
    state::View(broker.store(), {})
        .scan(table, {}, {}, [&](std::string_view key, std::string_view value) {
          found.emplace(key, value);
          return true;
        });
    require(found == replay.rows(table), "table {} has {} rows, the log says {}, or others",
            static_cast<int>(table), found.size(), replay.rows(table).size());
  }
}

void check_answers(const Client& client, const Replay& replay) {
  for (const Acknowledged& put : client.acknowledged()) {
    const auto step = replay.puts().find(put.rev);
    require(step != replay.puts().end() && step->second.value == put.value &&
                step->second.key == put.key,
            "{} was told that '{}' is at {}, the log does not have it there", client.name(),
            put.value, put.rev.value);
  }
}

bool concerns(const proto::watch::Topic& topic, const std::string& key) {
  return topic.kind == "key:" ? key == topic.name : key.starts_with(topic.name);
}

std::optional<std::string> value_of(const net::WatchRule::Item& item) {
  if (item.op != "put") return std::nullopt;
  return codec::decode<proto::kv::Entry>(item.body.data)->value.data;
}

bool same(const net::WatchRule::Item& item, const Step& step) {
  return item.rev == step.rev && item.prev_rev == step.prev && value_of(item) == step.value;
}

std::map<std::string, std::string> state_at(const Replay& replay, Revision rev) {
  std::map<std::string, std::string> state;
  for (const Step& step : replay.steps()) {
    if (step.rev > rev) break;
    if (step.value) state[step.key] = *step.value;
    else state.erase(step.key);
  }
  return state;
}

void check_past(const Client& client, const Replay& replay) {
  for (const Recalled& recalled : client.recalled()) {
    const auto state = state_at(replay, recalled.rev);
    const auto was = state.find(recalled.key);
    require(was == state.end() ? !recalled.value : recalled.value == was->second,
            "{} was told that {} was '{}' at {}", client.name(), recalled.key,
            recalled.value.value_or("nothing"), recalled.rev.value);
  }
}

void check_reset(const Delivered& delivered, const proto::watch::Topic& topic, const Replay& replay,
                 const std::string& who) {
  std::map<std::string, std::string> state;
  for (const Step& step : replay.steps()) {
    if (step.rev > delivered.rev || !concerns(topic, step.key)) continue;
    if (step.value) state[step.key] = *step.value;
    else state.erase(step.key);
  }
  std::map<std::string, std::string> told;
  for (const auto& item : delivered.items) told[item.name] = *value_of(item);
  require(told == state, "{} was given another state at {} than the log has", who,
          delivered.rev.value);
}

void check_watch(const Client& client, const std::string& name, const std::vector<Delivered>& all,
                 const Replay& replay) {
  const proto::watch::Topic topic = *proto::watch::parse_topic(name);
  Revision seen;
  for (const Delivered& delivered : all) {
    if (delivered.reset) {
      check_reset(delivered, topic, replay, client.name());
      seen = delivered.rev;
      continue;
    }
    std::vector<Step> due;
    for (const Step& step : replay.steps()) {
      if (step.rev > seen && step.rev <= delivered.rev && concerns(topic, step.key))
        due.push_back(step);
    }
    require(due.size() == delivered.items.size(),
            "{} was given {} changes up to {}, the log has {} after {}", client.name(),
            delivered.items.size(), delivered.rev.value, due.size(), seen.value);
    for (std::size_t i = 0; i < due.size(); ++i) {
      require(same(delivered.items[i], due[i]),
              "{} was given another change at {} than the log has", client.name(),
              due[i].rev.value);
    }
    seen = std::max(seen, delivered.rev);
  }
  for (const Step& step : replay.steps()) {
    require(step.rev <= seen || !concerns(topic, step.key), "{} missed the change at {} (seen {})",
            client.name(), step.rev.value, seen.value);
  }
}

void check_cursors(const Replay& replay) {
  for (const Move& move : replay.moves()) {
    const Revision from = move.before.rev;
    const Revision to = move.after.rev;
    require(to >= from, "the cursor went back from {} to {}", from.value, to.value);
    const bool ran = move.after.acknowledged > move.before.acknowledged;
    if (ran && move.after.exit_code == after_reset) continue;
    const proto::watch::Topic topic = *proto::watch::parse_topic(move.after.topic);
    std::optional<Revision> next;
    for (const Step& step : replay.steps()) {
      if (!next && step.rev > from && concerns(topic, step.key)) next = step.rev;
    }
    if (ran)
      require(next == to, "{} was acknowledged after {}, where the next change is at {}", to.value,
              from.value, next.value_or(Revision{}).value);
    else
      require(!next || *next > to, "the cursor passed over {}, from {} to {}", next->value,
              from.value, to.value);
  }
}

void check_reads(const Client& client, const Replay& replay) {
  for (const auto& [name, after, answer] : client.reads()) {
    const proto::watch::Topic topic = *proto::watch::parse_topic(name);
    if (answer.reset) {
      check_reset(answer, topic, replay, client.name());
      continue;
    }
    std::size_t told = 0;
    for (const Step& step : replay.steps()) {
      if (step.rev <= after || step.rev > answer.rev || !concerns(topic, step.key)) continue;
      require(told < answer.items.size() && same(answer.items[told], step),
              "{} read from {} on, and missed the change at {}", client.name(), after.value,
              step.rev.value);
      ++told;
    }
    require(told == answer.items.size(), "{} read from {} on, and was told too much", client.name(),
            after.value);
  }
}

}  // namespace

std::string check(const Broker& broker, const std::vector<std::unique_ptr<Client>>& clients) {
  try {
    Replay replay;
    for (const log::Entry& entry : broker.history()) replay.apply(entry);
    check_tables(broker, replay);
    check_cursors(replay);
    for (const auto& client : clients) {
      check_answers(*client, replay);
      check_past(*client, replay);
      check_reads(*client, replay);
      for (const auto& [topic, all] : client->delivered()) check_watch(*client, topic, all, replay);
    }
  } catch (const Wrong& wrong) {
    return wrong.what;
  }
  return {};
}

}  // namespace muster::sim
