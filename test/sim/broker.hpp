// broker: the broker's core on real LMDB, with a network in front of it that loses and repeats.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "broker/core/core.hpp"
#include "test/sim/crash_log.hpp"
#include "test/support/temporary.hpp"

namespace muster::sim {

using Random = std::mt19937_64;

/// 0 .. below - 1
inline std::uint64_t pick(Random& random, std::uint64_t below) { return random() % below; }
inline bool chance(Random& random, std::uint64_t percent) { return pick(random, 100) < percent; }

/// What goes to one connection, in order; the adversary decides when, whether and how often.
struct Wire {
  std::deque<std::vector<std::string>> to_broker;
  std::deque<std::pair<std::string, std::string>> to_client;  ///< header, body
};

class Broker {
 public:
  explicit Broker(Random& random);

  /// One turn: some waiting messages of some connections, timers, the append, what it says. May
  /// throw Crash.
  void turn();
  void checkpoint_step();
  void crash_and_restart();
  void die_at(At at) { log_.die(at); }
  void advance(Duration by);

  Wire& wire(const core::Route& route) { return wires_[route]; }
  /// The connection is gone; what the broker had not read yet may still come to it later.
  void cut(const core::Route& route, bool keep_unread);
  void subscribe(const std::string& topic) { subscriptions_.push_back(topic); }

  std::deque<core::Publication>& notices() { return notices_; }
  core::Core& core() { return *core_; }
  const state::Store& store() const { return *store_; }
  CrashLog& log() { return log_; }
  /// Every entry that was ever committed, also those trimmed since.
  const std::vector<log::Entry>& history() const { return history_; }
  TimePoint now() const { return now_; }
  std::uint64_t messages() const { return messages_; }
  bool quiet() const;

 private:
  void boot();
  void speak();
  void note_history();

  Random& random_;
  test::TemporaryFolder folder_;
  CrashLog log_;
  std::unique_ptr<state::Store> store_;
  std::unique_ptr<core::Hub> hub_;
  std::unique_ptr<core::Core> core_;
  std::map<core::Route, Wire> wires_;
  std::set<core::Route> dead_;
  std::vector<std::string> subscriptions_;
  std::deque<core::Publication> notices_;
  std::vector<log::Entry> history_;
  TimePoint now_{std::chrono::hours(1)};
  WallTime wall_{1'700'000'000'000};
  std::uint64_t ids_ = 0;
  std::uint64_t messages_ = 0;
  int checkpoint_ = 0;
};

}  // namespace muster::sim
