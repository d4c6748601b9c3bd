// apply: effects into the active layer.
#include "broker/state/apply.hpp"

#include "broker/state/tables.hpp"

namespace muster::state {
namespace {

/// The revision of a key that an op ends; 0: none.
Revision replaced_by(const Op& op) {
  return op.value ? decode_row<KvReplaced>(*op.value).prev_rev : op.prev;
}

/// What a key was at the trim floor is in no record any more: before it goes it is kept, so that
/// the past is whole from the floor on.
void keep_past(const Op& op, Revision floor, const View& view, Store& store) {
  if (floor.value == 0) return;
  const Revision replaced = replaced_by(op);
  if (replaced.value == 0 || replaced > floor) return;
  auto row = Read::Kv(view).get(op.key);
  ENSURE(row && row->mod_rev == replaced);
  store.active().put(TableId::kv_past, joined(op.key, be64(replaced.value)),
                     encode_row(PastRow{.row = std::move(*row), .op = "put", .verb = {}}));
}

void apply_ops(const Record& record, const Change& change, const View& view, Revision floor,
               Store& store) {
  Layer& layer = store.active();
  for (const Op& op : change.ops) {
    if (op.table == TableId::kv) keep_past(op, floor, view, store);
    if (op.value) layer.put(op.table, op.key, *op.value);
    else store.erase(op.table, op.key);
    if (op.table == TableId::kv) {
      layer.put(TableId::kv_revs, joined(op.key, be64(change.rev.value)),
                encode_row(KvRev{.seq = record.seq, .deleted = !op.value}));
    }
  }
  const std::string rev = encode_row(change.rev);
  for (const std::string& topic : change.topics) {
    if (has_topic_rev(topic)) layer.put(TableId::topic_revs, topic, rev);
  }
}

/// Answers up to `acked` are forgotten, the mark that says so is kept.
void apply_answers(const Record& record, const Change& change, const View& view, Store& store) {
  Layer& layer = store.active();
  for (const Reply& reply : change.replies) {
    if (reply.to.client.empty()) continue;
    layer.put(TableId::dedupe, dedupe_key(reply.to),
              encode_row(AnswerRow{.body = reply.body, .error = reply.error}));
  }
  if (change.request.client.empty()) return;
  const std::string key = client_key(change.request);
  ClientRow client = Read::Clients(view).get(key).value_or(ClientRow{});
  if (change.acked > client.pruned) {
    const std::string prefix = key + '\0';
    std::vector<std::string> gone;
    view.scan(TableId::dedupe, prefix, prefix + be64(client.pruned.value + 1),
              [&](std::string_view row, std::string_view) {
                if (be64_at_end(row) > change.acked.value) return false;
                gone.emplace_back(row);
                return true;
              });
    for (const std::string& row : gone) store.erase(TableId::dedupe, row);
    client.pruned = change.acked;
  }
  client.heard = record.time;
  layer.put(TableId::clients, key, encode_row(client));
}

}  // namespace

bool has_topic_rev(std::string_view topic) {
  return !topic.starts_with("session:") && !topic.starts_with("lock:") &&
         !topic.starts_with("job:");
}

void apply(const Record& record, Store& store) {
  ENSURE(!record.changes.empty());
  Layer& layer = store.active();
  const View view(store, {});
  for (const Change& change : record.changes) {
    const auto floor = Read::Meta(view).get(meta::trim_rev);  // a change may move it
    apply_ops(record, change, view, Revision{floor ? be64_at_end(*floor) : 0}, store);
    apply_answers(record, change, view, store);
  }
  layer.put(TableId::meta, std::string(meta::rev),
            encode_row(be64(record.changes.back().rev.value)));
  layer.put(TableId::meta, std::string(meta::epoch), encode_row(be64(record.epoch.value)));
}

std::string client_key(const RequestId& request) {
  return joined(request.principal, request.client);
}

std::string dedupe_key(const RequestId& request) {
  return joined(client_key(request), be64(request.no.value));
}

}  // namespace muster::state
