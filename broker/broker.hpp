// broker: the loop: sockets, core, log, checkpoints.
#pragma once

#include <functional>
#include <string>

#include "broker/bus.hpp"
#include "broker/core/core.hpp"
#include "broker/log/local_log.hpp"
#include "broker/state/checkpointer.hpp"
#include "broker/state/store.hpp"
#include "common/net/reactor.hpp"

namespace muster::broker {

struct Options {
  std::string data;
  std::string listen = "tcp://127.0.0.1:7700";
  std::string notices = "tcp://127.0.0.1:7701";
  std::string
      advertise;  ///< the notices endpoint that clients are told; empty: their host, our port
  std::string cluster_name = "muster";  ///< for people; Consul's datacenter
  std::size_t value_bytes_max = limits::value_bytes_default;
  core::Retention retention;
  bool insecure = false;
  bool accept_loss = false;
  bool trace = false;
  int io_threads = 1;
};

class Broker {
 public:
  /// Opens state and log, recovers, binds. Throws Failure with one clear line.
  explicit Broker(const Options& options);

  /// Until stop(); `ready` is called when requests are served. Ends with a checkpoint.
  /// Throws Failure: a promise cannot be kept any more.
  void run(const std::function<void()>& ready);
  void stop() { reactor_.stop(); }

  net::Reactor& reactor() { return reactor_; }
  const core::Core& core() const { return core_; }
  Bus& bus() { return bus_; }

 private:
  core::Identity recover(const Options& options);
  void begin_turn();
  void read_requests();
  void read_subscriptions();
  bool subscribed(const Subscription& word);
  bool unsubscribed(const Subscription& word);
  void finish_turn();
  void speak();
  void arm();
  void work();
  void ended(const state::JobEnd& end);
  void trace(const char* direction, const core::Route& route, const std::string& header) const;

  const bool trace_;
  state::Store store_;
  log::LocalLog log_;
  Bus bus_;
  Subscribers subscribers_;
  core::Hub hub_;
  core::Core core_;
  state::Checkpointer checkpointer_;
  net::Reactor reactor_;

  enum class Job { checkpoint, segment };
  Job job_ = Job::checkpoint;
  bool in_turn_ = false;
  net::TimerId timer_;
  TimePoint armed_for_;
  TimePoint layer_since_;
  TimePoint retry_at_;  ///< of a job that found the disk full
};

}  // namespace muster::broker
