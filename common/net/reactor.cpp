// reactor: the turn.
#include "common/net/reactor.hpp"

#include <algorithm>
#include <cerrno>

#include <fmt/format.h>

#include "common/error.hpp"
#include "common/limits.hpp"

namespace muster::net {
namespace {

constexpr seconds idle_wait_max{60};  // no wait is without end

short events_of(Interest interest) {
  switch (interest) {
    case Interest::none: return 0;
    case Interest::readable: return ZMQ_POLLIN;
    case Interest::writable: return ZMQ_POLLOUT;
    case Interest::both: return ZMQ_POLLIN | ZMQ_POLLOUT;
  }
  return 0;
}

}  // namespace

SourceId Reactor::watch(zmq::socket_ref socket, Interest interest, Handler handler) {
  return add({.socket = socket.handle(), .interest = interest, .handler = std::move(handler)});
}

SourceId Reactor::watch(int fd, Interest interest, Handler handler) {
  return add({.fd = fd, .interest = interest, .handler = std::move(handler)});
}

SourceId Reactor::add(Source source) {
  last_source_ = last_source_.next();
  source.id = last_source_;
  sources_.push_back(std::move(source));
  return last_source_;
}

Reactor::Source* Reactor::find(SourceId id) {
  const auto found =
      std::lower_bound(sources_.begin(), sources_.end(), id,
                       [](const Source& source, SourceId wanted) { return source.id < wanted; });
  return found == sources_.end() || found->id != id ? nullptr : &*found;
}

void Reactor::set_interest(SourceId source, Interest interest) {
  if (Source* found = find(source)) found->interest = interest;
}

void Reactor::forget(SourceId source) {
  std::erase_if(sources_, [&](const Source& each) { return each.id == source; });
}

TimerId Reactor::at(TimePoint when, Handler handler) {
  last_timer_ = last_timer_.next();
  timers_.emplace(std::pair(when, last_timer_), Timer{std::move(handler), std::nullopt});
  due_.emplace(last_timer_.value, when);
  return last_timer_;
}

TimerId Reactor::every(Duration period, Handler handler) {
  ENSURE(period > Duration::zero());
  const TimerId id = after(period, std::move(handler));
  timers_.at({due_.at(id.value), id}).period = period;
  return id;
}

void Reactor::cancel(TimerId timer) {
  const auto due = due_.find(timer.value);
  if (due == due_.end()) return;
  timers_.erase({due->second, timer});
  due_.erase(due);
}

void Reactor::run() {
  while (run_until(BootClock::now() + idle_wait_max) != Ended::stopped) {
  }
}

Ended Reactor::run_until(TimePoint deadline, const std::function<bool()>& done) {
  ENSURE(!running_);
  struct Running {
    Reactor& reactor;
    ~Running() {
      reactor.running_ = reactor.stopping_ = false;
      reactor.polled_at_.reset();
    }
  } guard{*this};
  running_ = true;
  while (true) {
    if (done && done()) return Ended::satisfied;
    if (stopping_) return Ended::stopped;
    if (BootClock::now() >= deadline) return Ended::deadline;
    turn(deadline);
  }
}

void Reactor::turn(TimePoint deadline) {
  if (!timers_.empty()) deadline = std::min(deadline, timers_.begin()->first.first);
  const std::size_t ready = poll(catching_up_ ? TimePoint{} : deadline);
  std::size_t done = ready == 0 ? 0 : run_sources();
  if (ready == 0) catching_up_ = false;
  if (!catching_up_) done += run_timers(BootClock::now());
  if (done > 0 && each_turn_) each_turn_();
}

/// Waits until something is ready or the deadline has passed; says how many sources are ready.
std::size_t Reactor::poll(TimePoint deadline) {
  items_.clear();
  polled_.clear();
  for (const Source& source : sources_) {
    if (source.interest == Interest::none) continue;
    items_.push_back({source.socket, source.fd, events_of(source.interest), 0});
    polled_.push_back(source.id);
  }
  const TimePoint before = BootClock::now();
  const Duration wait = std::clamp<Duration>(deadline - before, Duration::zero(), idle_wait_max);
  const int ready = zmq_poll(items_.data(), static_cast<int>(items_.size()),
                             static_cast<long>(std::chrono::ceil<milliseconds>(wait).count()));
  if (ready < 0 && zmq_errno() != EINTR)
    throw Failure(fmt::format("polling failed: {}", zmq_strerror(zmq_errno())));
  const TimePoint now = BootClock::now();
  note_stall(polled_at_.value_or(before) + wait, now);
  polled_at_ = now;
  return ready < 0 ? 0 : static_cast<std::size_t>(ready);
}

/// `expected`: when the poll should have returned at the latest, were the loop on time.
void Reactor::note_stall(TimePoint expected, TimePoint now) {
  if (now - expected <= limits::stall_max) return;
  catching_up_ = true;
  if (on_stall_) on_stall_(now - expected);
}

std::size_t Reactor::run_sources() {
  std::size_t ran = 0;
  for (std::size_t i = 0; i < items_.size(); ++i) {
    if (items_[i].revents == 0) continue;
    const Source* source = find(polled_[i]);
    if (!source) continue;  // a handler of this turn forgot it
    ++ran;
    const Handler handler = source->handler;  // it may forget itself
    handler();
  }
  return ran;
}

std::size_t Reactor::run_timers(TimePoint now) {
  std::size_t ran = 0;
  const TimerId newest = last_timer_;  // timers set by these handlers wait for the next turn
  for (auto next = timers_.begin(); next != timers_.end() && next->first.first <= now;) {
    if (next->first.second > newest) {
      ++next;
      continue;
    }
    auto node = timers_.extract(next);
    const TimerId id = node.key().second;
    const Handler handler = node.mapped().handler;
    if (node.mapped().period) {
      node.key().first = now + *node.mapped().period;
      due_[id.value] = node.key().first;
      timers_.insert(std::move(node));
    } else {
      due_.erase(id.value);
    }
    ++ran;
    handler();
    next = timers_.begin();
  }
  return ran;
}

}  // namespace muster::net
