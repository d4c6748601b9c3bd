// watch: changes from the log while it has them, else the state; never silence.
//
// Answers speak of what is committed: a change of this turn is not on disk yet, and its notice
// comes.
#include "broker/core/watch.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "broker/core/history.hpp"
#include "broker/core/keys.hpp"

namespace muster::core::watch {
namespace {

using proto::watch::Answer;
using proto::watch::Item;
using proto::watch::Topic;
using state::TableId;

std::size_t weight(const Item& item) {
  return item.name.size() + item.body.size() + item.author.size() + 64;
}

/// Takes what one record says to the topic. False: the answer is full, up to `answer.rev`.
bool take(const state::Record& record, const Topic& topic, Revision after, Answer& answer,
          std::size_t& bytes) {
  for (const state::Change& change : record.changes) {
    if (change.rev <= after) continue;
    if (bytes > limits::reply_bytes_max) {
      answer.cut = true;
      return false;
    }
    for (Item& item : items_of(record, change, topic)) {
      bytes += weight(item);
      answer.items.push_back(std::move(item));
    }
    answer.rev = change.rev;
  }
  return true;
}

/// A key's revisions are indexed: only the records that have them are read.
void read_key(Turn& turn, const Topic& topic, Revision after, Revision until, Answer& answer) {
  const state::View committed(turn.store(), {});
  const std::string prefix = state::joined(topic.name, {});
  std::size_t bytes = 0;
  Seq done;
  answer.rev = after;
  state::Read::KvRevs(committed).scan(prefix, prefix + state::be64(after.value + 1),
                                      [&](std::string_view, const state::KvRev& place) {
                                        if (place.seq == done) return true;
                                        done = place.seq;
                                        bool more = true;
                                        turn.log().read(place.seq, [&](const log::Entry& entry) {
                                          more = take(state::decode_record(entry.bytes), topic,
                                                      after, answer, bytes);
                                          return false;
                                        });
                                        return more;
                                      });
  if (!answer.cut) answer.rev = until;
}

void read_log(Turn& turn, const Topic& topic, Revision after, Revision until, Answer& answer) {
  std::size_t bytes = 0;
  std::size_t scanned = 0;
  answer.rev = after;
  turn.log().read(turn.log().seek(after), [&](const log::Entry& entry) {
    if (entry.first_rev > until) return false;
    if (scanned > limits::log_scan_bytes_max) {
      answer.cut = true;
      return false;
    }
    scanned += entry.bytes.size();
    return take(state::decode_record(entry.bytes), topic, after, answer, bytes);
  });
  if (!answer.cut) answer.rev = until;
}

struct Rows {
  TableId table;
  std::string prefix;
  bool exact = false;
};

/// Which rows are a topic's state.
Rows rows_of(const Topic& topic) {
  const std::string name(topic.name);
  if (topic.kind == "key:") return {TableId::kv, name, true};
  if (topic.kind == "keyprefix:") return {TableId::kv, name};
  if (topic.kind == "event:") return {TableId::events, {}};
  if (topic.kind == "nodes") return {TableId::nodes, {}};
  if (topic.kind == "node:") return {TableId::nodes, name, true};
  if (topic.kind == "checks") return {TableId::checks, {}};
  if (topic.kind == "session:") return {TableId::sessions, name, true};
  if (topic.kind == "lock:") return {TableId::tickets, state::joined(name, {})};
  if (topic.kind == "job:") return {TableId::tasks, state::joined(name, {})};
  return {TableId::services, {}};
}

std::optional<Item> state_item(const Topic& topic, TableId table, std::string_view key,
                               std::string_view value) {
  Item item{.op = "put", .name = std::string(key)};
  if (table == TableId::kv) {
    auto row = state::decode_row<state::KvRow>(value);
    item.rev = row.mod_rev;
    item.prev_rev = row.prev_rev;
    item.author = row.author;
    item.time_ms = row.time.ms;
    item.body = Bytes(codec::encode(keys::entry_of(item.name, std::move(row))));
    return item;
  }
  if (table == TableId::events) {
    const auto row = state::decode_row<state::EventRow>(value);
    if (!topic.name.empty() && row.name != topic.name) return std::nullopt;
    item.name = row.name;
    item.rev = row.rev;
    item.time_ms = row.time_ms;
    item.author = row.author;
  } else if (topic.kind == "service:" &&
             state::decode_row<state::ServiceRow>(value).name != topic.name) {
    return std::nullopt;
  }
  std::replace(item.name.begin(), item.name.end(), '\0', '/');
  item.body = Bytes(std::string(value));
  return item;
}

Error too_large() {
  return Error{Code::too_large, "the state of this topic fits no reply",
               "list it in parts, then watch from the list's revision"};
}

/// The state, with the revision at which it holds.
Result<Answer> read_state(Turn& turn, const Topic& topic, Revision until) {
  Answer answer{
      .history = turn.identity().history, .rev = until, .items = {}, .reset = true, .cut = false};
  const state::View committed(turn.store(), {});
  const Rows rows = rows_of(topic);
  const std::size_t most =
      limits::message_bytes_max(turn.identity().value_bytes_max) - limits::envelope_bytes_max / 2;
  std::size_t bytes = 0;
  const auto offer = [&](std::string_view key, std::string_view value) {
    std::optional<Item> item = state_item(topic, rows.table, key, value);
    if (!item) return true;
    bytes += weight(*item);
    answer.items.push_back(std::move(*item));
    return bytes <= most;
  };
  if (rows.exact) {
    if (const auto value = committed.get(rows.table, rows.prefix)) offer(rows.prefix, *value);
  } else {
    committed.scan(rows.table, rows.prefix, rows.prefix, offer);
  }
  if (bytes > most) return too_large();
  return answer;
}

}  // namespace

Result<Answer> read(Turn& turn, const proto::watch::Read& request) {
  const Result<Topic> topic = proto::watch::parse_topic(request.topic);
  if (!topic) return topic.error();
  const Revision until = turn.hub().applied();
  const bool other = !request.history.empty() && request.history != turn.identity().history;
  const Revision floor = trim_floor(state::View(turn.store(), {})).rev;
  if (other || request.after.value == 0 || request.after < floor || request.after > until) {
    return read_state(turn, *topic, until);
  }
  Answer answer{.history = turn.identity().history,
                .rev = request.after,
                .items = {},
                .reset = false,
                .cut = false};
  if (topic->kind == "key:") read_key(turn, *topic, request.after, until, answer);
  else read_log(turn, *topic, request.after, until, answer);
  return answer;
}

Result<proto::watch::Synced> sync(Turn& turn, const proto::watch::Sync& request) {
  if (request.topics.size() > limits::sync_topics_max) {
    return Error{Code::too_large, fmt::format("{} topics in one sync, at most {} are taken",
                                              request.topics.size(), limits::sync_topics_max)};
  }
  proto::watch::Synced synced{
      .history = turn.identity().history, .rev = turn.hub().applied(), .behind = {}};
  const bool other = !request.history.empty() && request.history != turn.identity().history;
  for (const auto& [topic, seen] : request.topics) {
    if (const auto parsed = proto::watch::parse_topic(topic); !parsed) return parsed.error();
    if (other || seen > synced.rev || turn.hub().newest(topic) > seen)
      synced.behind.push_back(topic);
  }
  return synced;
}

}  // namespace muster::core::watch
