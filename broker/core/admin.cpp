// admin: who waits for what; epochs; trimming history and answers, some of it a turn.
#include "broker/core/admin.hpp"

#include <fmt/format.h>

namespace muster::core::admin {
namespace {

Seq trimmed_to(const state::View& view) {
  const auto text = state::Read::Meta(view).get(state::meta::trim_seq);
  return Seq{text ? state::be64_at_end(*text) : 0};
}

}  // namespace

Result<proto::admin::State> status(Turn& turn, const proto::admin::Status& request) {
  const auto trim_rev = turn.meta().get(state::meta::trim_rev);
  proto::admin::State state{
      .version = MUSTER_VERSION,
      .cluster_id = turn.identity().cluster_id,
      .history = turn.identity().history,
      .epoch = turn.identity().epoch,
      .rev = turn.last_rev(),
      .seq = turn.log().last(),
      .checkpointed = turn.store().checkpointed(),
      .log_first = turn.log().first(),
      .trim_floor = Revision{trim_rev ? state::be64_at_end(*trim_rev) : 0},
      .writes = turn.log().room() == log::Room::all && !turn.memory().state_full
                    ? "ok"
                    : "refused: disk full",
      .uptime_ms = static_cast<std::uint64_t>(
          std::chrono::duration_cast<milliseconds>(turn.now() - turn.identity().since).count()),
      .counters = turn.counters(),
      .waiting = {}};
  state.counters["connections"] = turn.memory().connections.size();
  state.counters["topics"] = turn.hub().topics();
  state.counters["parked"] = turn.memory().parked.size();
  if (!request.waiting) return state;
  std::size_t bytes = 0;
  for (const auto& [id, parked] : turn.memory().parked) {
    const auto who = turn.memory().connections.find(parked.route);
    state.waiting.push_back(
        {.who = who == turn.memory().connections.end() ? id.client : who->second.name,
         .verb = parked.verb,
         .what = parked.what,
         .since_ms = static_cast<std::uint64_t>(
             std::chrono::duration_cast<milliseconds>(turn.now() - parked.since).count())});
    bytes += 192 + parked.what.size();
    if (bytes > limits::reply_bytes_max) break;
  }
  return state;
}

Result<proto::Empty> lead(Turn& turn, const proto::admin::Lead& request) {
  turn.meta().put(std::string(state::meta::cluster_id), request.cluster_id);
  turn.meta().put(std::string(state::meta::history), request.history);
  return proto::Empty{};
}

Result<proto::Empty> trim(Turn& turn, const proto::admin::Trim& request) {
  const Seq from = std::max(trimmed_to(turn.view()), turn.log().first());
  std::size_t rows = 0;
  Seq reached = from;
  Revision last;
  turn.log().read(from, [&](const log::Entry& entry) {
    if (entry.seq >= request.floor || rows > limits::trim_rows_max) return false;
    for (const state::Change& change : state::decode_record(entry.bytes).changes) {
      for (const state::Op& op : change.ops) {
        if (op.table != state::TableId::kv) continue;
        turn.raw().erase(state::TableId::kv_revs,
                         state::joined(op.key, state::be64(change.rev.value)));
        ++rows;
      }
    }
    reached = entry.seq.next();
    last = entry.last_rev;
    return true;
  });
  if (reached == from) return proto::Empty{};
  turn.meta().put(std::string(state::meta::trim_seq), state::be64(reached.value));
  turn.meta().put(std::string(state::meta::trim_rev), state::be64(last.value));
  return proto::Empty{};
}

Result<proto::Empty> forget_client(Turn& turn, const proto::admin::ForgetClient& request) {
  const std::string prefix = request.client + '\0';
  std::vector<std::string> rows;
  turn.view().scan(state::TableId::dedupe, prefix, prefix,
                   [&](std::string_view key, std::string_view) {
                     rows.emplace_back(key);
                     return rows.size() < limits::trim_rows_max;
                   });
  const bool all = rows.size() < limits::trim_rows_max;
  for (std::string& row : rows) turn.raw().erase(state::TableId::dedupe, std::move(row));
  if (all) turn.raw().erase(state::TableId::clients, request.client);
  return proto::Empty{};
}

}  // namespace muster::core::admin
