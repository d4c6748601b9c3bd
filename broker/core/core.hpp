// core: one turn of the broker without its sockets: receive, evaluate, append, apply, speak.
//
//   begin(now) -> receive()* -> tick() -> finish() -> take() and the hub's take()
//
// It owns what a restart may forget (Memory) and the changes of the turn; what it decides on comes
// in: bytes, the time, new ids. Nothing that it says leaves before the record of the turn is
// committed. The same class runs under the broker's sockets, the tests and the simulator.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "broker/core/routes.hpp"
#include "broker/core/turn.hpp"
#include "broker/log/log.hpp"
#include "broker/state/record.hpp"
#include "broker/state/store.hpp"

namespace muster::core {

/// A message from a connection. `frames` is all that came: two, if the peer keeps to the protocol.
struct Incoming {
  Route route;
  std::string principal;
  std::vector<std::string> frames;
  std::string address = {};  ///< where the connection comes from; empty: unknown
};

/// How much history is kept.
struct Retention {
  std::size_t bytes = limits::log_bytes_default;
  Duration age = limits::log_age_default;
  std::map<std::string, std::uint64_t> keep;  ///< prefixes whose past is kept for so many ms
};

class Core final : private log::Listener {
 public:
  /// Everything borrowed must outlive the core. `new_id` makes UUIDs.
  Core(state::Store& store, log::Log& log, Hub& hub, Identity identity, Retention retention,
       std::function<std::string()> new_id);

  /// The first turn: epoch and identity are logged, clocks start for what the tables hold.
  void lead(TimePoint now, WallTime wall);

  void begin(TimePoint now, WallTime wall);
  void receive(const Incoming& message);
  /// A node's subscription to node:NAME came or went.
  void subscription(std::string_view node, bool present);
  /// What is due now; proposals are evaluated like requests.
  void tick();
  /// The turn's record is appended; then everything said in it is ready to be taken.
  void finish();
  std::vector<Frames> take() { return std::exchange(ready_, {}); }

  /// Past its bound: finish before receiving more.
  bool full() const {
    return messages_ >= limits::turn_messages_max || turn_layer_.bytes() >= limits::turn_bytes_max;
  }
  std::optional<TimePoint> next_due() const;
  /// The loop stood still for so long: deadlines move.
  void stalled(Duration by);
  /// LMDB could not grow (or can again): only urgent writes are taken, as when the log cannot.
  void checkpoint_found_disk_full(bool full) { memory_.state_full = full; }
  bool disk_full() const { return memory_.state_full || log_.room() != log::Room::all; }
  /// What requests asked for that takes a disk; `done` answers, once for each, in a turn.
  std::vector<Errand> take_errands() { return std::exchange(memory_.errands, {}); }
  void done(const state::RequestId& asker, Result<Bytes> answer);
  /// A connection that libzmq does not know any more.
  void unreachable(const Route& route);

  const Identity& identity() const { return identity_; }
  const Memory& memory() const { return memory_; }
  Revision rev() const { return rev_; }
  void count(std::string_view counter) { ++counters_[std::string(counter)]; }
  const std::map<std::string, std::uint64_t>& counters() const { return counters_; }

 private:
  using Handler = std::function<Outcome(Turn&)>;

  void on_committed() override;
  void on_deposed() override;

  void answer_node(const Incoming& message, const proto::Header& header);
  void request(const Incoming& message, const proto::Header& header);
  bool admitted(const Incoming& message, const proto::Header& header, const RouteEntry& route);
  std::optional<Error> refused(const RouteEntry& route, const Caller& caller) const;
  std::optional<state::AnswerRow> answered_before(const RouteEntry& route,
                                                  const Caller& caller) const;
  void heard(const Route& route);
  Caller caller_of(const Incoming& message, const proto::Header& header) const;

  /// Runs a handler with a draft; keeps the draft if it succeeds. Errors go to `caller`, if any.
  void evaluate(std::string_view verb, const Caller& caller, const Handler& handler);
  void keep(std::string_view verb, const Caller& caller, Draft& draft,
            std::optional<std::string> reply);
  void add_change(std::string_view verb, const Caller& caller, Draft& draft,
                  std::vector<state::Reply> replies);
  void say(const Route& route, RequestNo no, state::AnswerRow answer);
  void say_error(const Route& route, RequestNo no, const Error& error);

  /// The broker's own word.
  template <class Request>
  void propose(const Request& request);
  void propose(std::string_view verb, const Handler& handler);
  void due(const SessionDue& session);
  void due(const WaitDue& wait);
  void due(const TicketDue& ticket);
  void due(const NodeDue& node);
  void due(const CallerDue& caller);
  void due(const CheckDue& check);
  void due(const AnswerDue& answer);
  void due(const Housekeeping&);
  void expire_keys();
  bool trim_log();
  void forget_clients();
  void forget_connections();
  void note_leases();
  void retry_reads();
  void remember_sessions();
  void remember_locks();
  void remember_keys();
  void remember_nodes_and_jobs();
  void remember_checks();

  state::Store& store_;
  log::Log& log_;
  Hub& hub_;
  Identity identity_;
  const Retention retention_;
  const std::function<std::string()> new_id_;

  Memory memory_;
  std::map<std::string, std::uint64_t> counters_;
  const Surroundings around_;

  // The turn.
  TimePoint now_;
  WallTime wall_;
  Revision rev_;  ///< the newest, with those of this turn
  std::size_t messages_ = 0;
  state::Layer turn_layer_;
  state::Record record_;
  std::map<state::RequestId, state::AnswerRow> turn_answers_;
  std::map<std::string, RequestNo> turn_acked_;
  std::vector<Frames> outgoing_;  ///< until the record is committed
  std::vector<Frames> ready_;
  TimePoint clients_looked_at_;
};

/// What is in the log past the store's checkpoint is applied; large parts are checkpointed on the
/// way.
void replay(const log::Log& log, state::Store& store);
/// Who this broker is: read from the state, or made new; the epoch is one more than the last.
Identity identify(const state::Store& store, const std::function<std::string()>& new_id);

}  // namespace muster::core
