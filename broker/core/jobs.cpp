// jobs: rows and their indexes.
#include "broker/core/jobs.hpp"

#include <algorithm>

#include "broker/state/apply.hpp"

namespace muster::core::jobs {
namespace {

constexpr std::string_view kept_key = "jobs_kept";

std::string by_id(const std::string& id) { return state::joined("i", id); }
std::string by_request(const state::RequestId& request) {
  return state::joined("r", state::dedupe_key(request));
}

void forget(Turn& turn, const std::string& key, const state::JobRow& row) {
  for (const proto::exec::Outcome& task : tasks(turn.view(), row.job.id)) {
    turn.tasks().erase(state::joined(row.job.id, task.node));
  }
  turn.job_requests().erase(by_id(row.job.id));
  turn.job_requests().erase(by_request(row.request));
  turn.jobs().erase(key);
}

}  // namespace

std::optional<state::JobRow> find(Turn& turn, const std::string& id) {
  const auto key = turn.job_requests().get(by_id(id));
  if (!key) return std::nullopt;
  return turn.jobs().get(*key);
}

std::optional<std::string> of_request(Turn& turn, const state::RequestId& request) {
  return turn.job_requests().get(by_request(request));
}

void add(Turn& turn, const state::JobRow& row) {
  const auto counted = turn.meta().get(kept_key);
  std::uint64_t kept = (counted ? state::be64_at_end(*counted) : 0) + 1;
  if (kept > limits::jobs_kept) {
    std::optional<std::pair<std::string, state::JobRow>> oldest;
    turn.jobs().scan({}, [&](std::string_view key, const state::JobRow& old) {
      if (!turn.memory().jobs.contains(old.job.id)) oldest.emplace(key, old);
      return !oldest;
    });
    if (oldest) {
      forget(turn, oldest->first, oldest->second);
      --kept;
    }
  }
  turn.meta().put(std::string(kept_key), state::be64(kept));
  turn.job_requests().put(by_id(row.job.id), state::be64(row.job.rev.value));
  turn.job_requests().put(by_request(row.request), row.job.id);
  put(turn, row);
}

void put(Turn& turn, const state::JobRow& row) {
  turn.jobs().put(state::be64(row.job.rev.value), row);
}

void finish(Turn& turn, const std::string& id) {
  auto row = find(turn, id);
  ENSURE(row);
  if (row->job.state == "running") row->job.state = "done";
  put(turn, *row);
}

std::vector<proto::exec::Outcome> tasks(const state::View& view, const std::string& id) {
  std::vector<proto::exec::Outcome> all;
  state::Read::Tasks(view).scan(state::joined(id, {}),
                                [&](std::string_view, const proto::exec::Outcome& task) {
                                  all.push_back(task);
                                  return true;
                                });
  return all;
}

std::vector<proto::exec::Job> newest(const state::View& view, std::uint64_t last) {
  std::vector<proto::exec::Job> all;
  state::Read::Jobs(view).scan({}, [&](std::string_view, const state::JobRow& row) {
    all.push_back(row.job);
    all.back().command.script = {};
    return true;
  });
  std::reverse(all.begin(), all.end());
  if (last != 0 && all.size() > last) all.resize(last);
  std::size_t bytes = 0;
  for (std::size_t i = 0; i < all.size(); ++i) {
    all[i].tasks = tasks(view, all[i].id);
    bytes += 512 + all[i].command.line.size() + 192 * all[i].tasks.size();
    for (const std::string& arg : all[i].command.args) bytes += arg.size();
    if (bytes > limits::reply_bytes_max) all.resize(i + 1);
  }
  return all;
}

}  // namespace muster::core::jobs
