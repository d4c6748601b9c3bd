// admin: who waits for what; epochs; forgetting answers.
#include "broker/core/admin.hpp"

#include <fmt/format.h>

#include "broker/core/history.hpp"
#include "broker/core/trim.hpp"

namespace muster::core::admin {
Result<proto::admin::State> status(Turn& turn, const proto::admin::Status& request) {
  proto::admin::State state{
      .version = MUSTER_VERSION,
      .cluster_id = turn.identity().cluster_id,
      .history = turn.identity().history,
      .epoch = turn.identity().epoch,
      .rev = turn.last_rev(),
      .seq = turn.log().last(),
      .checkpointed = turn.store().checkpointed(),
      .log_first = turn.log().first(),
      .trim_floor = trim_floor(turn.view()).rev,
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
  trim::set_rules(turn, request.keep);
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
