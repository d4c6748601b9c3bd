// reactor: one thread's loop over ZeroMQ sockets, file descriptors and timers.
//
//   turn: poll -> every ready source once -> due timers -> what runs at the end of each turn
//
// Promises: sources go before timers, so that a deadline never ends something whose answer is
// already here; after the loop stood still (a slow disk, SIGSTOP) timers wait until the sources are
// quiet again. A handler is called once a turn and drains a bounded number of messages
// (socket.hpp): what is left is ready again in the next turn, since polling is level-triggered.
// Handlers may add and forget sources and timers, their own too. They must not run the loop.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <unordered_map>
#include <vector>

#include <zmq.hpp>

#include "common/types.hpp"

namespace muster::net {

using SourceId = Number<struct SourceTag>;
using TimerId = Number<struct TimerTag>;

enum class Interest { none, readable, writable, both };
enum class Ended { stopped, deadline, satisfied };

class Reactor {
 public:
  using Handler = std::function<void()>;

  /// Calls `handler` each turn in which the source is ready. The socket or fd must outlive the
  /// watch.
  SourceId watch(zmq::socket_ref socket, Interest interest, Handler handler);
  SourceId watch(int fd, Interest interest, Handler handler);
  void set_interest(SourceId source, Interest interest);
  void forget(SourceId source);

  /// One shot, at or soon after `when` (a millisecond is the grain).
  TimerId at(TimePoint when, Handler handler);
  TimerId after(Duration delay, Handler handler) {
    return at(BootClock::now() + delay, std::move(handler));
  }
  /// Again and again; a late turn does not make it catch up.
  TimerId every(Duration period, Handler handler);
  void cancel(TimerId timer);

  /// Called at the end of each turn in which anything happened.
  void each_turn(Handler handler) { each_turn_ = std::move(handler); }
  /// Told when the loop stood still for more than limits::stall_max, before anything else runs.
  void on_stall(std::function<void(Duration)> handler) { on_stall_ = std::move(handler); }

  /// Runs until stop().
  void run();
  /// Runs until stop(), until `done` says so (looked at after each turn), or until the deadline.
  Ended run_until(TimePoint deadline, const std::function<bool()>& done = {});
  /// The run that is under way returns when this turn is over.
  void stop() { stopping_ = true; }

 private:
  struct Source {
    SourceId id;
    void* socket = nullptr;
    int fd = -1;
    Interest interest = Interest::none;
    Handler handler;
  };
  struct Timer {
    Handler handler;
    std::optional<Duration> period;
  };

  SourceId add(Source source);
  Source* find(SourceId id);
  void turn(TimePoint deadline);
  std::size_t poll(TimePoint deadline);
  std::size_t run_sources();
  std::size_t run_timers(TimePoint now);
  void note_stall(TimePoint expected, TimePoint now);

  std::vector<Source> sources_;
  std::vector<zmq_pollitem_t> items_;  ///< of this turn
  std::vector<SourceId> polled_;       ///< which source each item is
  std::map<std::pair<TimePoint, TimerId>, Timer> timers_;
  std::unordered_map<std::uint64_t, TimePoint> due_;  ///< by timer
  Handler each_turn_;
  std::function<void(Duration)> on_stall_;
  SourceId last_source_;
  TimerId last_timer_;
  std::optional<TimePoint> polled_at_;  ///< while running: when the last poll returned
  bool catching_up_ = false;            ///< after a stall: timers wait
  bool running_ = false;
  bool stopping_ = false;
};

}  // namespace muster::net
