// broker: turns, checkpoints in three steps, crashes between any two.
#include "test/sim/broker.hpp"

#include <fmt/format.h>

namespace muster::sim {

Broker::Broker(Random& random) : random_(random) {
  log_.inner().set_segment(4);
  boot();
}

void Broker::boot() {
  store_ = std::make_unique<state::Store>(folder_.path());
  core::replay(log_, *store_);
  hub_ = std::make_unique<core::Hub>(*store_);
  const auto new_id = [this] { return fmt::format("id-{}", ++ids_); };
  // Little history is kept, so that watchers meet the trim floor.
  const core::Retention retention{.bytes = 2 * 1024, .age = std::chrono::hours(24)};
  core_ = std::make_unique<core::Core>(*store_, log_, *hub_, core::identify(*store_, new_id),
                                       retention, new_id);
  checkpoint_ = 0;
  core_->lead(now_, wall_);
  note_history();
}

void Broker::crash_and_restart() {
  core_.reset();
  hub_.reset();
  store_.reset();
  log_.die(At::never);
  wires_.clear();
  dead_.clear();
  subscriptions_.clear();
  notices_.clear();
  boot();
}

void Broker::turn() {
  core_->begin(now_, wall_);
  for (auto& [route, wire] : wires_) {
    std::uint64_t read = pick(random_, 4);
    for (; read > 0 && !wire.to_broker.empty() && !core_->full(); --read) {
      ++messages_;
      core_->receive({.route = route,
                      .principal = std::string(core::anonymous),
                      .frames = wire.to_broker.front()});
      wire.to_broker.pop_front();
    }
  }
  for (const std::string& topic : std::exchange(subscriptions_, {})) hub_->subscribed(topic);
  core_->tick();
  core_->finish();
  note_history();
  speak();
}

void Broker::speak() {
  const bool dies = chance(random_, 1);  // durable, applied, and some were told
  for (core::Frames& frames : core_->take()) {
    if (dies && chance(random_, 50)) throw Crash{};
    if (dead_.contains(frames.route)) {
      if (chance(random_, 50)) core_->unreachable(frames.route);
      continue;
    }
    ++messages_;
    wires_[frames.route].to_client.emplace_back(std::move(frames.header), std::move(frames.body));
  }
  for (core::Publication& notice : hub_->take()) notices_.push_back(std::move(notice));
  if (dies) throw Crash{};
}

void Broker::note_history() {
  const Seq next{history_.size() + 1};
  log_.read(next, [&](const log::Entry& entry) {
    history_.push_back(entry);
    return true;
  });
  ENSURE(history_.size() == log_.last().value);
}

/// Seal, write, settle: a crash may come between any two.
void Broker::checkpoint_step() {
  if (checkpoint_ == 0 && !store_->active().empty()) {
    store_->seal(log_.last());
    checkpoint_ = 1;
  } else if (checkpoint_ == 1) {
    store_->write_sealed();
    checkpoint_ = 2;
  } else if (checkpoint_ == 2) {
    store_->settle();
    checkpoint_ = 0;
    log_.trim(store_->log_floor());
  }
}

void Broker::cut(const core::Route& route, bool keep_unread) {
  dead_.insert(route);
  const auto wire = wires_.find(route);
  if (wire == wires_.end()) return;
  wire->second.to_client.clear();
  if (!keep_unread) wires_.erase(wire);
}

void Broker::advance(Duration by) {
  now_ += by;
  wall_.ms += static_cast<std::uint64_t>(by.count() / 1000);
}

bool Broker::quiet() const {
  for (const auto& [route, wire] : wires_) {
    if (!wire.to_broker.empty() || (!wire.to_client.empty() && !dead_.contains(route)))
      return false;
  }
  return notices_.empty() && subscriptions_.empty();
}

}  // namespace muster::sim
