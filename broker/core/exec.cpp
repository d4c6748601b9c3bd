// exec: run, cancel, and what nodes report.
#include "broker/core/exec.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "broker/core/catalog.hpp"
#include "broker/core/jobs.hpp"

namespace muster::core::exec {
namespace {

using proto::exec::Outcome;
using proto::exec::Progress;
using state::JobRow;

std::optional<Error> wrong(const proto::exec::Run& request) {
  const proto::exec::Command& command = request.command;
  const int forms = (command.line.empty() ? 0 : 1) + (command.args.empty() ? 0 : 1) +
                    (command.script.empty() ? 0 : 1);
  if (forms != 1) return Error{Code::invalid, "a job has one of line, args and script"};
  std::size_t bytes = command.line.size() + command.script.size();
  for (const std::string& arg : command.args) bytes += arg.size();
  if (bytes > limits::command_bytes_max) {
    return Error{Code::too_large, fmt::format("the command has {} bytes, at most {} are taken",
                                              bytes, limits::command_bytes_max)};
  }
  return std::nullopt;
}

proto::exec::Launch launch_of(const Turn& turn, const JobRow& row) {
  return {.job = row.job.id,
          .command = row.job.command,
          .timeout_ms = row.job.timeout_ms,
          .kill_grace_ms = row.kill_grace_ms,
          .credit = row.credit,
          .author = row.job.author,
          .history = turn.identity().history,
          .epoch = turn.identity().epoch};
}

proto::exec::Stop stop_of(const Turn& turn, const std::string& job) {
  return {.job = job, .history = turn.identity().history, .epoch = turn.identity().epoch};
}

Progress created(const std::string& job, const std::vector<Outcome>& tasks) {
  Progress progress{.kind = "created", .job = job};
  for (const Outcome& task : tasks) progress.nodes.push_back(task.node);
  return progress;
}

/// They are asked as the others: who repairs a node needs that. The caller is told which they are.
std::vector<std::string> in_maintenance(Turn& turn, const std::vector<std::string>& nodes) {
  std::vector<std::string> found;
  for (const std::string& node : nodes) {
    if (turn.checks().get(state::joined(node, proto::health::node_maintenance_id)))
      found.push_back(node);
  }
  return found;
}

/// Asked again, after a reconnect: the caller's new address, and all it may have missed but output.
Result<ParkedLater> resume(Turn& turn, const std::string& id) {
  const state::RequestId& caller = turn.caller().request;
  const auto row = jobs::find(turn, id);
  if (!row) return Error{Code::gone, fmt::format("job {} is forgotten", id)};
  const std::vector<Outcome> tasks = jobs::tasks(turn.view(), id);
  turn.more(caller, created(id, tasks));
  bool running = false;
  for (const Outcome& task : tasks) {
    if (task.state == jobs::sent) running = true;
    else
      turn.more(caller, Progress{.kind = "exited", .job = id, .node = task.node, .outcome = task});
  }
  if (!running) turn.answer(caller, proto::exec::Finished{.job = id, .outcomes = tasks});
  return turn.park("job " + id);
}

/// One task has ended; with the last one the caller is answered.
void end_task(Turn& turn, const std::string& job, const Outcome& outcome,
              std::uint64_t still_pending) {
  turn.tasks().put(state::joined(job, outcome.node), outcome);
  turn.touch("job:", job);
  const auto running = turn.memory().jobs.find(job);
  if (running == turn.memory().jobs.end()) return;
  const state::RequestId caller = running->second.caller;
  turn.more(caller,
            Progress{.kind = "exited", .job = job, .node = outcome.node, .outcome = outcome});
  if (still_pending == 0) {
    jobs::finish(turn, job);
    turn.answer(caller,
                proto::exec::Finished{.job = job, .outcomes = jobs::tasks(turn.view(), job)});
    turn.then([job](Memory& memory) { memory.jobs.erase(job); });
  } else {
    turn.then([job, still_pending](Memory& memory) { memory.jobs[job].pending = still_pending; });
  }
}

/// Ends the task if it is under way.
void settle(Turn& turn, const std::string& job, const Outcome& outcome) {
  const auto row = turn.tasks().get(state::joined(job, outcome.node));
  const auto running = turn.memory().jobs.find(job);
  if (!row || row->state != jobs::sent || running == turn.memory().jobs.end()) return;
  end_task(turn, job, outcome, running->second.pending - 1);
}

/// What a caller sees of a task: dropped when it is not there, it asks for what it misses.
void tell(Turn& turn, const std::string& job, const Progress& progress) {
  const auto running = turn.memory().jobs.find(job);
  if (running != turn.memory().jobs.end()) turn.more(running->second.caller, progress);
}

}  // namespace

Result<ParkedLater> run(Turn& turn, const proto::exec::Run& request) {
  if (const auto known = jobs::of_request(turn, turn.caller().request)) return resume(turn, *known);
  if (const auto error = wrong(request)) return *error;
  const auto nodes = catalog::matching(turn, request.target);
  if (!nodes) return nodes.error();
  if (nodes->empty())
    return Error{Code::not_found, "no node matches", "muster node list says which there are"};
  const JobRow row{.job = {.id = turn.new_id(),
                           .rev = turn.rev(),
                           .author = turn.caller().author,
                           .time_ms = turn.wall().ms,
                           .command = request.command,
                           .target = request.target,
                           .state = "running",
                           .timeout_ms = request.timeout_ms},
                   .request = turn.caller().request,
                   .kill_grace_ms = request.kill_grace_ms,
                   .credit = request.credit};
  const std::string& id = row.job.id;
  jobs::add(turn, row);
  std::vector<Outcome> tasks;
  std::uint64_t up = 0;
  for (const proto::catalog::Node& node : *nodes) {
    Outcome task{.node = node.name,
                 .state = std::string(node.up ? jobs::sent : "not_started"),
                 .message = node.up ? "" : "the node is down"};
    turn.tasks().put(state::joined(id, node.name), task);
    if (node.up) turn.send(node.name, id, launch_of(turn, row));
    up += node.up ? 1 : 0;
    tasks.push_back(std::move(task));
  }
  turn.touch("job:", id);
  Progress first = created(id, tasks);
  first.maintenance = in_maintenance(turn, first.nodes);
  turn.more(turn.caller().request, first);
  if (up == 0) {
    jobs::finish(turn, id);
    turn.answer(turn.caller().request, proto::exec::Finished{.job = id, .outcomes = tasks});
  } else {
    turn.then([id, up, caller = turn.caller().request,
               due = turn.now() + limits::caller_patience](Memory& memory) {
      memory.jobs[id] = {.caller = caller, .pending = up};
      memory.at(due, CallerDue{id});
    });
  }
  return turn.park("job " + id);
}

Result<proto::Empty> credit(Turn& turn, const proto::exec::Credit& request) {
  if (!turn.memory().jobs.contains(request.job))
    return Error{Code::not_found, fmt::format("no job {} is running", request.job)};
  turn.send(request.node, request.job, request);
  return proto::Empty{};
}

Result<proto::Empty> cancel(Turn& turn, const proto::exec::Cancel& request) {
  auto row = jobs::find(turn, request.job);
  if (!row) return Error{Code::not_found, fmt::format("no job {}", request.job)};
  if (row->job.state != "running") return proto::Empty{};
  row->job.state = "cancelled";
  jobs::put(turn, *row);
  turn.touch("job:", request.job);
  for (const Outcome& task : jobs::tasks(turn.view(), request.job)) {
    if (task.state == jobs::sent) turn.send(task.node, request.job, stop_of(turn, request.job));
  }
  return proto::Empty{};
}

Result<proto::Empty> started(Turn& turn, const proto::exec::Started& request) {
  const auto node = catalog::node_of(turn);
  if (!node) return node.error();
  tell(turn, request.job, {.kind = "started", .job = request.job, .node = *node});
  return proto::Empty{};
}

Result<proto::Empty> output(Turn& turn, const proto::exec::Output& request) {
  const auto node = catalog::node_of(turn);
  if (!node) return node.error();
  tell(turn, request.job,
       {.kind = "output",
        .job = request.job,
        .node = *node,
        .stream = request.stream,
        .offset = request.offset,
        .bytes = request.bytes,
        .eof = request.eof});
  return proto::Empty{};
}

Result<proto::Empty> exited(Turn& turn, const proto::exec::Exited& request) {
  const auto node = catalog::node_of(turn);
  if (!node) return node.error();
  Outcome outcome = request.outcome;
  outcome.node = *node;
  const auto row = turn.tasks().get(state::joined(request.job, *node));
  if (row && row->state == "lost" && outcome.state != "lost") {
    outcome.late = true;
    turn.tasks().put(state::joined(request.job, *node), outcome);
    turn.touch("job:", request.job);
  } else {
    settle(turn, request.job, outcome);
  }
  return proto::Empty{};
}

void compare(Turn& turn, const std::string& node,
             const std::vector<proto::catalog::KnownTask>& known) {
  for (const auto& [job, running] : turn.memory().jobs) {
    const auto task = turn.tasks().get(state::joined(job, node));
    if (!task || task->state != jobs::sent) continue;
    const auto row = jobs::find(turn, job);
    ENSURE(row);
    const bool knows = std::any_of(known.begin(), known.end(),
                                   [&job = job](const auto& k) { return k.job == job; });
    if (row->job.state == "cancelled") turn.send_back(node, job, stop_of(turn, job));
    else if (!knows) turn.send_back(node, job, launch_of(turn, *row));
    if (row->job.state == "cancelled" && !knows)
      settle(turn, job, {.node = node, .state = "cancelled"});
  }
}

void node_down(Turn& turn, const std::string& node) {
  for (const auto& [job, running] : turn.memory().jobs) {
    settle(turn, job, {.node = node, .state = "lost", .message = "the node went down"});
  }
}

void refused(Turn& turn, const std::string& node, const std::string& job, const Error& error) {
  settle(turn, job, {.node = node, .state = "refused", .message = error.message});
}

Result<proto::exec::Listing> list(Turn& turn, const proto::exec::List& request) {
  if (!request.id.empty()) {
    const auto row = jobs::find(turn, request.id);
    if (!row) return Error{Code::not_found, fmt::format("no job {}", request.id)};
    proto::exec::Listing listing{.jobs = {row->job}};
    listing.jobs[0].tasks = jobs::tasks(turn.view(), request.id);
    return listing;
  }
  return proto::exec::Listing{.jobs = jobs::newest(turn.view(), request.last)};
}

std::uint64_t pending(const state::View& view, const std::string& job) {
  const std::vector<Outcome> all = jobs::tasks(view, job);
  return static_cast<std::uint64_t>(std::count_if(
      all.begin(), all.end(), [](const Outcome& t) { return t.state == jobs::sent; }));
}

}  // namespace muster::core::exec
