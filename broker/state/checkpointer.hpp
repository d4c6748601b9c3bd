// checkpointer: a thread for what would make the loop wait for the disk, one job at a time.
//
// A job is handed over whole, and what it reads does not change until its end has been taken. Who
// may touch what:
//
//   idle     -- start --> running    the loop wrote the job; from now on it is the thread's
//   running  -- (job ends) --> ended the thread wrote the end and rings fd(); it is the loop's
//   again ended    -- take_end --> idle
#pragma once

#include <atomic>
#include <exception>
#include <functional>
#include <optional>
#include <thread>

#include "broker/state/layer.hpp"
#include "common/error.hpp"
#include "common/types.hpp"

namespace muster::state {

/// Whether the active layer has grown or aged enough to be written; `age` is that of its first row.
bool wants_checkpoint(const Layer& active, Duration age);
/// Whether the disk does not follow: writes are answered `busy`.
bool is_over_bound(const Layer& active);

/// How a job ended.
struct JobEnd {
  enum class Kind {
    done,
    disk_full,  ///< it threw DiskFull and may be started again
    failed,     ///< it threw something else: the process cannot keep its promise
  };
  Kind kind = Kind::done;
  std::exception_ptr error;  ///< none: done
};

class Checkpointer {
 public:
  using Job = std::function<void()>;

  Checkpointer();
  /// Waits for a running job.
  ~Checkpointer();
  Checkpointer(const Checkpointer&) = delete;
  Checkpointer& operator=(const Checkpointer&) = delete;

  bool idle() const { return state_.load(std::memory_order_acquire) == State::idle; }
  /// Precondition: idle.
  void start(Job job);
  /// Readable when a job has ended; for the loop's poll.
  int fd() const { return ended_fd_; }
  /// Once a job: how it ended. None: nothing has ended. Afterwards the checkpointer is idle.
  std::optional<JobEnd> take_end();

 private:
  enum class State { idle, running, ended };

  void run();

  const int start_fd_;  ///< eventfds, one a direction
  const int ended_fd_;
  std::atomic<State> state_ = State::idle;
  std::atomic<bool> stopping_ = false;
  Job job_;     ///< the thread's while running
  JobEnd end_;  ///< likewise
  std::thread thread_;
};

}  // namespace muster::state
