// runner_output: the part of the runner that is about output: reading, telling, credit.
#include <algorithm>

#include "common/limits.hpp"
#include "node/runner.hpp"

namespace muster::node {
namespace {

bool is_stream(std::uint64_t number) { return number == 1 || number == 2; }

}  // namespace

void Runner::output(const StreamId& stream, std::string_view bytes) {
  Task* task = find(stream.job);
  if (task == nullptr || task->state == State::reporting || !is_stream(stream.number)) return;
  Output& output = task->streams[stream.number - 1];
  change(output, [&] { output.add(bytes); });
  tell(stream.job, *task);
  allow(stream.job, *task);
  allow_all_if_changed();
}

void Runner::ended_stream(const StreamId& stream) {
  Task* task = find(stream.job);
  if (task == nullptr || task->state == State::reporting || !is_stream(stream.number)) return;
  task->streams[stream.number - 1].end();
  task->allowed[stream.number - 1] = 0;
  tell(stream.job, *task);
  conclude_if_over(stream.job, *task);
}

void Runner::credit(const proto::exec::Credit& credit, TimePoint now) {
  Task* task = find(credit.job);
  if (task == nullptr || task->state == State::reporting || !is_stream(credit.stream)) return;
  Output& output = task->streams[credit.stream - 1];
  change(output, [&] { output.credit({.have = credit.have, .allow = credit.allow}); });
  if (credit.resend) output.again();
  if (task->state == State::exited) task->due = now + limits::output_patience;
  tell(credit.job, *task);
  allow(credit.job, *task);
  allow_all_if_changed();
  conclude_if_over(credit.job, *task);
}

void Runner::taken(const StreamId& stream) {
  --pieces_under_way_;
  if (Task* task = find(stream.job)) {
    task->streams[stream.number - 1].taken();
    if (task->state != State::reporting) wait_for_turn(stream.job, *task);
  }
  feed();
}

/// While we are registered, a broker that cannot take it now is given a moment.
void Runner::missed(const StreamId& stream, std::uint64_t offset, TimePoint now) {
  --pieces_under_way_;
  Task* task = find(stream.job);
  if (task == nullptr) return;
  task->streams[stream.number - 1].missed(offset);
  if (task->state == State::reporting) return;
  wait_for_turn(stream.job, *task);
  if (!feed_due_) feed_due_ = now + limits::report_again;
}

/// What the streams have for the broker, as far as there is room on the way.
void Runner::tell(const std::string& job, Task& task) {
  if (!registered_) return;
  for (const std::uint64_t number : {1U, 2U}) {
    Output& stream = task.streams[number - 1];
    while (true) {
      if (pieces_under_way_ >= limits::output_pieces_node_max) return wait_for_turn(job, task);
      auto piece = stream.next();
      if (!piece) break;
      ++pieces_under_way_;
      effects_.push_back(Say{proto::exec::Output{.job = job,
                                                 .stream = number,
                                                 .offset = piece->offset,
                                                 .bytes = Bytes(std::move(piece->bytes)),
                                                 .eof = piece->eof}});
    }
  }
}

void Runner::wait_for_turn(const std::string& job, Task& task) {
  if (std::exchange(task.hungry, true)) return;
  hungry_.push_back(job);
}

/// Those that wait, in the order in which they began to.
void Runner::feed() {
  for (std::size_t left = hungry_.size();
       left > 0 && registered_ && pieces_under_way_ < limits::output_pieces_node_max; --left) {
    const std::string job = hungry_.front();
    hungry_.pop_front();
    Task* task = find(job);
    if (task == nullptr) continue;
    task->hungry = false;
    if (task->state == State::reporting) continue;
    tell(job, *task);
    conclude_if_over(job, *task);
  }
}

/// The process is told how much of its streams may be read now.
void Runner::allow(const std::string& job, Task& task) {
  const std::size_t kept_max = full_ ? limits::output_floor_bytes : limits::output_kept_bytes;
  for (const std::uint64_t number : {1U, 2U}) {
    const Output& stream = task.streams[number - 1];
    const std::size_t room = task.state == State::reporting ? 0 : stream.room(kept_max);
    if (room == task.allowed[number - 1] || stream.ended()) continue;
    task.allowed[number - 1] = room;
    effects_.push_back(Allow{job, number, room});
  }
}

void Runner::allow_all_if_changed() {
  const bool full = kept_bytes_ >= limits::output_node_bytes;
  if (std::exchange(full_, full) == full) return;
  for (auto& [job, task] : tasks_) {
    if (task.state == State::running || task.state == State::exited) allow(job, task);
  }
}

}  // namespace muster::node
