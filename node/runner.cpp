// runner: tasks and their ends.
#include "node/runner.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace muster::node {
namespace {

/// What a job may ask for, as a time that can be counted in.
Duration bounded(std::uint64_t ms) {
  constexpr auto most = std::chrono::duration_cast<milliseconds>(limits::task_time_max).count();
  return milliseconds(std::min(ms, static_cast<std::uint64_t>(most)));
}

std::uint64_t in_ms(Duration duration) {
  return static_cast<std::uint64_t>(std::chrono::duration_cast<milliseconds>(duration).count());
}

Error not_an_id() {
  return Error{Code::invalid,
               fmt::format("a job's id has 1..{} bytes and no blanks", limits::job_id_bytes_max)};
}

}  // namespace

void Runner::remember(const std::vector<Fact>& facts) {
  std::map<std::string, const Fact*> last;
  for (const Fact& fact : facts) last[fact.job] = &fact;
  for (const Fact& fact : facts) {
    if (last.at(fact.job) != &fact) continue;
    if (fact.what == Fact::What::stopped || fact.what == Fact::What::done) {
      past_.add(fact.job, fact.what);
      continue;
    }
    Task& task = tasks_[fact.job];
    task.state = State::reporting;
    task.outcome = fact.outcome;
    if (fact.what == Fact::What::accepted)
      task.outcome = {.state = "lost", .message = "the node's daemon was restarted"};
  }
}

Result<proto::Empty> Runner::launch(const proto::exec::Launch& launch, TimePoint now) {
  if (!is_job_id(launch.job)) return not_an_id();
  if (tasks_.contains(launch.job)) return proto::Empty{};
  if (const auto past = past_.find(launch.job)) {
    if (*past == Fact::What::stopped)
      return Error{Code::conflict, "the job was cancelled before it came here"};
    return Error{Code::gone, "the job was run here, and its end was reported"};
  }
  if (stopping_) return Error{Code::unavailable, "the node's daemon stops"};
  if (tasks_.size() >= limits::tasks_running_max)
    return Error{Code::busy, fmt::format("{} tasks are here already", tasks_.size())};
  Task& task = tasks_[launch.job];
  task.launch = launch;
  task.launch->kill_grace_ms = in_ms(bounded(launch.kill_grace_ms));
  for (Output& stream : task.streams) stream.credit({.have = 0, .allow = launch.credit});
  if (launch.timeout_ms != 0) task.due = now + bounded(launch.timeout_ms);
  effects_.push_back(Note{{.what = Fact::What::accepted, .job = launch.job}});
  return proto::Empty{};
}

void Runner::noted(const std::string& job) {
  Task* task = find(job);
  if (task == nullptr || task->state != State::accepted) return;
  if (!task->verdict.empty()) return conclude(job, *task);  // stopped meanwhile
  task->state = State::running;
  effects_.push_back(Fork{*std::exchange(task->launch, std::nullopt)});
}

Result<proto::Empty> Runner::stop(const std::string& job) {
  if (!is_job_id(job)) return not_an_id();
  if (Task* task = find(job)) {
    end(job, *task, {.verdict = "cancelled"});
  } else if (!past_.find(job)) {
    past_.add(job, Fact::What::stopped);
    effects_.push_back(Note{{.what = Fact::What::stopped, .job = job}});
  }
  return proto::Empty{};
}

void Runner::stop_all() {
  stopping_ = true;
  for (auto& [job, task] : tasks_)
    end(job, task, {.verdict = "lost", .message = "the node's daemon was stopped"});
}

/// One that has exited by itself meanwhile has done so; but its output is not waited for.
void Runner::end(const std::string& job, Task& task, Why why) {
  if (task.state == State::exited) return conclude(job, task);
  if (task.state == State::reporting || !task.verdict.empty()) return;
  task.verdict = std::move(why.verdict);
  task.message = std::move(why.message);
  task.due.reset();
  if (task.state == State::running) effects_.push_back(End{job});
}

void Runner::started(const std::string& job) {
  Task* task = find(job);
  if (task == nullptr || task->state != State::running) return;
  if (registered_) effects_.push_back(Say{proto::exec::Started{job}});
  allow(job, *task);
}

void Runner::not_started(const std::string& job, const std::string& why) {
  Task* task = find(job);
  if (task == nullptr || task->ending || task->state == State::reporting) return;
  task->verdict = "not_started";
  task->message = why;
  conclude(job, *task);
}

void Runner::exited(const std::string& job, const Ending& ending, TimePoint now) {
  Task* task = find(job);
  if (task == nullptr || task->state != State::running) return;
  task->ending = ending;
  task->state = State::exited;
  task->due = now + limits::output_patience;
  conclude_if_over(job, *task);
}

/// Who cancels wants no more output; a caller of anything else gets all of it first.
void Runner::conclude_if_over(const std::string& job, Task& task) {
  if (task.state != State::exited) return;
  const bool complete = std::all_of(task.streams.begin(), task.streams.end(),
                                    [](const Output& stream) { return stream.complete(); });
  const bool unwanted = task.verdict == "cancelled" || task.verdict == "lost";
  if (complete || unwanted) conclude(job, task);
}

void Runner::conclude(const std::string& job, Task& task) {
  task.state = State::reporting;
  task.due.reset();
  task.outcome = {.state = task.verdict.empty() ? "exited" : task.verdict,
                  .out_bytes = task.streams[0].produced(),
                  .err_bytes = task.streams[1].produced(),
                  .message = task.message};
  if (task.ending) {
    task.outcome.code = task.ending->code;
    task.outcome.signal = task.ending->signal;
    task.outcome.duration_ms = in_ms(task.ending->duration);
  }
  for (Output& stream : task.streams) change(stream, [&] { stream.drop(); });
  effects_.push_back(Note{{.what = Fact::What::ended, .job = job, .outcome = task.outcome}});
  effects_.push_back(Drop{job});
  report(job, task);
  allow_all_if_changed();
}

void Runner::report(const std::string& job, Task& task) {
  if (!registered_ || task.said) return;
  task.said = true;
  effects_.push_back(Say{proto::exec::Exited{.job = job, .outcome = task.outcome}});
}

void Runner::reported(const std::string& job) {
  Task* task = find(job);
  if (task == nullptr || task->state != State::reporting) return;
  tasks_.erase(job);
  past_.add(job, Fact::What::done);
  effects_.push_back(Note{{.what = Fact::What::done, .job = job}});
}

void Runner::not_reported(const std::string& job, TimePoint now) {
  Task* task = find(job);
  if (task == nullptr || task->state != State::reporting) return;
  task->said = false;
  task->due = now + limits::report_again;
}

void Runner::registered() {
  registered_ = true;
  for (auto& [job, task] : tasks_) {
    if (task.state == State::reporting) {
      report(job, task);
    } else {
      tell(job, task);
      conclude_if_over(job, task);
    }
  }
}

void Runner::tick(TimePoint now) {
  for (auto& [job, task] : tasks_) {
    if (!task.due || *task.due > now) continue;
    task.due.reset();
    switch (task.state) {
      case State::accepted:
      case State::running: end(job, task, {.verdict = "timeout"}); break;
      case State::exited:
        task.message = fmt::format("of its output {} bytes were not taken",
                                   task.streams[0].kept() + task.streams[1].kept());
        conclude(job, task);
        break;
      case State::reporting: report(job, task); break;
    }
  }
  if (feed_due_ && *feed_due_ <= now) {
    feed_due_.reset();
    feed();
  }
}

std::optional<TimePoint> Runner::next_due() const {
  std::optional<TimePoint> next = feed_due_;
  for (const auto& [job, task] : tasks_) {
    if (task.due && (!next || *task.due < *next)) next = task.due;
  }
  return next;
}

std::vector<proto::catalog::KnownTask> Runner::known() const {
  std::vector<proto::catalog::KnownTask> all;
  for (const auto& [job, task] : tasks_) {
    const bool over = task.state == State::reporting;
    all.push_back({job, over                            ? task.outcome.state
                        : task.state == State::accepted ? "accepted"
                                                        : "running"});
  }
  return all;
}

std::vector<Fact> Runner::facts() const {
  std::vector<Fact> all;
  past_.each(
      [&](const std::string& job, Fact::What what) { all.push_back({.what = what, .job = job}); });
  for (const auto& [job, task] : tasks_) {
    const bool over = task.state == State::reporting;
    all.push_back({.what = over ? Fact::What::ended : Fact::What::accepted,
                   .job = job,
                   .outcome = task.outcome});
  }
  return all;
}

bool Runner::quiet() const {
  return std::all_of(tasks_.begin(), tasks_.end(),
                     [](const auto& each) { return each.second.state == State::reporting; });
}

Runner::Task* Runner::find(const std::string& job) {
  const auto found = tasks_.find(job);
  return found == tasks_.end() ? nullptr : &found->second;
}

}  // namespace muster::node
