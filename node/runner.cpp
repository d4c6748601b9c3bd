// runner: tasks, credit, ends.
#include "node/runner.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace muster::node {
namespace {

bool is_stream(std::uint64_t number) { return number == 1 || number == 2; }

}  // namespace

void Runner::remember(const std::vector<std::string>& unfinished,
                      const std::vector<std::string>& known,
                      const std::vector<std::string>& stopped) {
  for (const std::string& job : known) keep_known(job);
  stopped_.insert(stopped.begin(), stopped.end());
  for (const std::string& job : unfinished) {
    Task& task = tasks_[job];
    task.state = "reporting";
    task.outcome.state = "lost";
    task.outcome.message = "the node's daemon was restarted";
    keep_known(job);
  }
}

Result<proto::Empty> Runner::launch(const proto::exec::Launch& launch, TimePoint now) {
  if (stopped_.contains(launch.job))
    return Error{Code::conflict, "the job was cancelled before it came here"};
  if (known_.contains(launch.job)) return proto::Empty{};
  if (tasks_.size() >= limits::tasks_running_max) {
    return Error{Code::busy, fmt::format("{} tasks run here already", tasks_.size())};
  }
  Task& task = tasks_[launch.job];
  task.state = "accepted";
  for (Stream& stream : task.streams) stream.allow = launch.credit;
  if (launch.timeout_ms != 0) task.due = now + milliseconds(launch.timeout_ms);
  keep_known(launch.job);
  effects_.push_back(Note{launch.job, "accepted"});
  effects_.push_back(Fork{launch});
  return proto::Empty{};
}

void Runner::stop(const std::string& job, TimePoint) {
  const auto task = tasks_.find(job);
  if (task != tasks_.end()) {
    end(job, task->second, "cancelled");
    conclude_if_over(job);
  } else if (!known_.contains(job)) {
    stopped_.insert(job);
    keep_known(job);
    effects_.push_back(Note{job, "stopped"});
  }
}

void Runner::stop_all(TimePoint now) {
  std::vector<std::string> jobs;
  for (const auto& [job, task] : tasks_) jobs.push_back(job);
  for (const std::string& job : jobs) stop(job, now);
}

void Runner::end(const std::string& job, Task& task, std::string verdict) {
  if (task.state == "reporting") return;
  if (task.verdict == "exited") task.verdict = std::move(verdict);
  task.due.reset();
  if (!task.ending_asked && !task.ending) effects_.push_back(End{job});
  task.ending_asked = true;
}

void Runner::credit(const proto::exec::Credit& credit) {
  Stream* stream = stream_of(credit.job, credit.stream);
  if (stream == nullptr) return;
  stream->have = std::max(stream->have, std::min(credit.have, stream->produced));
  stream->allow = std::max(stream->allow, credit.allow);
  while (!stream->unacked.empty() &&
         stream->unacked.front().offset + stream->unacked.front().bytes.size() <= stream->have) {
    stream->unacked.pop_front();
  }
  if (credit.resend) {
    for (const Chunk& chunk : stream->unacked) {
      effects_.push_back(Say{proto::exec::Output{.job = credit.job,
                                                 .stream = credit.stream,
                                                 .offset = chunk.offset,
                                                 .bytes = Bytes(chunk.bytes)}});
    }
    if (stream->eof) {
      effects_.push_back(Say{proto::exec::Output{
          .job = credit.job, .stream = credit.stream, .offset = stream->produced, .eof = true}});
    }
  }
  allow(credit.job, credit.stream, *stream);
  conclude_if_over(credit.job);
}

/// The process is told how much of the stream may be read now.
void Runner::allow(const std::string& job, std::uint64_t number, Stream& stream) {
  std::size_t bytes = 0;
  if (!stream.eof && stream.unacked.size() < limits::output_unacked_max &&
      stream.allow > stream.produced) {
    bytes = std::min<std::uint64_t>(limits::output_chunk_bytes, stream.allow - stream.produced);
  }
  if (bytes == stream.allowed) return;
  stream.allowed = bytes;
  effects_.push_back(Allow{job, number, bytes});
}

Runner::Stream* Runner::stream_of(const std::string& job, std::uint64_t stream) {
  const auto task = tasks_.find(job);
  if (task == tasks_.end() || !is_stream(stream)) return nullptr;
  return &task->second.streams[stream - 1];
}

void Runner::started(const std::string& job) {
  const auto task = tasks_.find(job);
  if (task == tasks_.end()) return;
  task->second.state = "running";
  effects_.push_back(Say{proto::exec::Started{job}});
  for (const std::uint64_t number : {1, 2}) allow(job, number, task->second.streams[number - 1]);
}

void Runner::not_started(const std::string& job, const std::string& why) {
  const auto task = tasks_.find(job);
  if (task == tasks_.end()) return;
  task->second.state = "reporting";
  task->second.outcome.state = "not_started";
  task->second.outcome.message = why;
  say_end(job, task->second);
}

void Runner::output(const std::string& job, std::uint64_t number, std::string bytes) {
  Stream* stream = stream_of(job, number);
  if (stream == nullptr || bytes.empty()) return;
  effects_.push_back(Say{proto::exec::Output{
      .job = job, .stream = number, .offset = stream->produced, .bytes = Bytes(bytes)}});
  const std::uint64_t offset = stream->produced;
  stream->produced += bytes.size();
  stream->unacked.push_back({offset, std::move(bytes)});
  allow(job, number, *stream);
}

void Runner::ended_stream(const std::string& job, std::uint64_t number) {
  Stream* stream = stream_of(job, number);
  if (stream == nullptr || stream->eof) return;
  stream->eof = true;
  stream->allowed = 0;
  effects_.push_back(Say{
      proto::exec::Output{.job = job, .stream = number, .offset = stream->produced, .eof = true}});
  conclude_if_over(job);
}

void Runner::exited(const std::string& job, const Ending& ending, TimePoint now) {
  const auto task = tasks_.find(job);
  if (task == tasks_.end() || task->second.ending) return;
  task->second.ending = ending;
  task->second.state = "exited";
  task->second.due = now + limits::output_patience;
  conclude_if_over(job);
}

/// Reported when the caller has everything; a cancelled one as soon as it is gone.
void Runner::conclude_if_over(const std::string& job) {
  const auto found = tasks_.find(job);
  if (found == tasks_.end() || found->second.state != "exited") return;
  Task& task = found->second;
  const bool complete =
      std::all_of(task.streams.begin(), task.streams.end(),
                  [](const Stream& stream) { return stream.eof && stream.unacked.empty(); });
  if (complete || task.verdict == "cancelled") conclude(job, task);
}

void Runner::conclude(const std::string& job, Task& task) {
  task.state = "reporting";
  task.due.reset();
  task.outcome.state = task.verdict;
  task.outcome.code = task.ending->code;
  task.outcome.signal = task.ending->signal;
  task.outcome.duration_ms = static_cast<std::uint64_t>(
      std::chrono::duration_cast<milliseconds>(task.ending->duration).count());
  task.outcome.out_bytes = task.streams[0].produced;
  task.outcome.err_bytes = task.streams[1].produced;
  for (Stream& stream : task.streams) stream.unacked.clear();
  effects_.push_back(Drop{job});
  say_end(job, task);
}

void Runner::say_end(const std::string& job, const Task& task) {
  effects_.push_back(Say{proto::exec::Exited{.job = job, .outcome = task.outcome}});
}

void Runner::reported(const std::string& job) {
  const auto task = tasks_.find(job);
  if (task == tasks_.end() || task->second.state != "reporting") return;
  tasks_.erase(task);
  effects_.push_back(Note{job, "done"});
}

void Runner::registered() {
  for (const auto& [job, task] : tasks_) {
    if (task.state == "reporting") say_end(job, task);
  }
}

void Runner::tick(TimePoint now) {
  for (auto& [job, task] : tasks_) {
    if (!task.due || *task.due > now) continue;
    if (task.ending) conclude(job, task);
    else end(job, task, "timeout");
  }
}

std::optional<TimePoint> Runner::next_due() const {
  std::optional<TimePoint> next;
  for (const auto& [job, task] : tasks_) {
    if (task.due && (!next || *task.due < *next)) next = task.due;
  }
  return next;
}

std::vector<proto::catalog::KnownTask> Runner::known() const {
  std::vector<proto::catalog::KnownTask> all;
  for (const auto& [job, task] : tasks_) all.push_back({job, task.state});
  return all;
}

void Runner::keep_known(const std::string& job) {
  if (!known_.insert(job).second) return;
  order_.push_back(job);
  if (order_.size() <= limits::tasks_known_max) return;
  known_.erase(order_.front());
  stopped_.erase(order_.front());
  order_.pop_front();
}

}  // namespace muster::node
