// broker: the loop: sockets, core, log, checkpoints.
#pragma once

#include <functional>
#include <string>

#include "broker/bus.hpp"
#include "broker/core/core.hpp"
#include "broker/errands.hpp"
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

/// Where its log is, and what the state says of it.
log::Options log_options(const Options& options, const state::Store& store);
/// A random UUID.
std::string new_id();

class Broker {
 public:
  /// Opens state and log, recovers, binds. Throws Failure with one clear line.
  explicit Broker(const Options& options);

  enum class End {
    stopped,
    restored,  ///< another state lies ready: a broker that is made now takes it
  };
  /// Until stop(), or until a snapshot is to take the place of the state; `ready` is called when
  /// requests are served. Throws Failure: a promise cannot be kept any more.
  End run(const std::function<void()>& ready);
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
  void run_errands();
  void take_done();
  void give_up_saves();
  End end();
  void ended(const state::JobEnd& end);
  void trace(const char* direction, const core::Route& route, const std::string& header) const;

  const bool trace_;
  const std::string data_;
  state::Store store_;
  log::LocalLog log_;
  Bus bus_;
  Subscribers subscribers_;
  core::Hub hub_;
  core::Core core_;
  state::Checkpointer checkpointer_;
  Archive archive_;
  Errands errands_;
  net::Reactor reactor_;

  enum class Job { checkpoint, segment };
  Job job_ = Job::checkpoint;
  bool in_turn_ = false;
  std::optional<Candidate> candidate_;  ///< to become the state; the loop ends for it
  net::TimerId timer_;
  TimePoint armed_for_;
  TimePoint layer_since_;
  TimePoint retry_at_;  ///< of a job that found the disk full
};

}  // namespace muster::broker
