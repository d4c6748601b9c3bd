// topics: what a change says to a topic, and the newest revision of one.
#include <algorithm>

#include "broker/core/hub.hpp"
#include "broker/core/keys.hpp"
#include "broker/state/apply.hpp"
#include "broker/state/tables.hpp"

namespace muster::core {
namespace {

using proto::watch::Item;
using proto::watch::Topic;
using state::Op;
using state::TableId;

/// The name of a row for people: its key with NULs as slashes.
std::string readable(std::string key) {
  std::replace(key.begin(), key.end(), '\0', '/');
  return key;
}

bool concerns(const Op& op, const Topic& topic) {
  if (topic.kind == "key:") return op.table == TableId::kv && op.key == topic.name;
  if (topic.kind == "keyprefix:") return op.table == TableId::kv && op.key.starts_with(topic.name);
  if (topic.kind == "event:") return op.table == TableId::events && op.value.has_value();
  if (topic.kind == "services") return op.table == TableId::services;
  if (topic.kind == "service:")
    return op.table == TableId::services || op.table == TableId::checks ||
           op.table == TableId::nodes;
  if (topic.kind == "nodes") return op.table == TableId::nodes;
  if (topic.kind == "node:") return op.table == TableId::nodes && op.key == topic.name;
  if (topic.kind == "checks") return op.table == TableId::checks || op.table == TableId::nodes;
  if (topic.kind == "session:") return op.table == TableId::sessions && op.key == topic.name;
  if (topic.kind == "lock:")
    return op.table == TableId::tickets && op.key.starts_with(state::joined(topic.name, {}));
  if (topic.kind == "job:")
    return op.table == TableId::tasks && op.key.starts_with(state::joined(topic.name, {}));
  return false;
}

Item item_of(const state::Record& record, const state::Change& change, const Op& op) {
  Item item{.rev = change.rev,
            .op = op.value ? "put" : "delete",
            .name = op.key,
            .body = {},
            .prev_rev = {},
            .author = change.author,
            .cause = change.cause,
            .time_ms = record.time.ms};
  if (op.table == TableId::kv) {
    if (!op.value) {
      if (change.verb == proto::kv::Expire::verb) item.op = "expire";
      item.prev_rev = op.prev;
      return item;
    }
    const auto row = state::decode_row<state::KvRow>(*op.value);
    item.prev_rev = row.prev_rev;
    item.body = Bytes(codec::encode(keys::entry_of(op.key, row)));
    return item;
  }
  item.name = op.table == TableId::events ? state::decode_row<state::EventRow>(*op.value).name
                                          : readable(op.key);
  if (op.value) item.body = Bytes(*op.value);
  return item;
}

}  // namespace

std::vector<Item> items_of(const state::Record& record, const state::Change& change,
                           const Topic& topic) {
  std::vector<Item> items;
  const bool by_ops = topic.kind == "key:" || topic.kind == "keyprefix:";
  if (!by_ops) {
    const std::string text = proto::watch::topic(topic.kind, topic.name);
    if (std::find(change.topics.begin(), change.topics.end(), text) == change.topics.end())
      return items;
  }
  for (const Op& op : change.ops) {
    if (concerns(op, topic)) items.push_back(item_of(record, change, op));
  }
  return items;
}

Revision newest_known(const state::View& view, std::string_view topic, Revision otherwise) {
  const Result<Topic> parsed = proto::watch::parse_topic(topic);
  if (!parsed || parsed->kind == "keyprefix:" || !state::has_topic_rev(topic)) return otherwise;
  const auto number = [&](std::string_view key) {
    const auto text = state::Read::Meta(view).get(key);
    return Revision{text ? state::be64_at_end(*text) : 0};
  };
  const Revision floor = number(state::meta::trim_rev);
  if (parsed->kind == "key:") {
    const auto last = view.last(TableId::kv_revs, state::joined(parsed->name, {}));
    return std::max(floor, last ? Revision{state::be64_at_end(last->first)} : Revision{});
  }
  const auto known = state::Read::TopicRevs(view).get(topic);
  return std::max(floor, known.value_or(Revision{}));
}

std::optional<Revision> newest_under(const state::View& view, std::string_view prefix,
                                     std::size_t rows_max) {
  Revision newest;
  std::size_t rows = 0;
  view.scan(state::TableId::kv_revs, prefix, prefix, [&](std::string_view key, std::string_view) {
    newest = std::max(newest, Revision{state::be64_at_end(key)});
    return ++rows <= rows_max;
  });
  if (rows > rows_max) return std::nullopt;
  return newest;
}

}  // namespace muster::core
