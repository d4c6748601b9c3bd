// turn: a handler's only door: the caller, the time, tables, and what is to happen afterwards.
//
// All that a handler does is collected in a draft. When it has returned without an error, the draft
// becomes a change of the turn (if it has ops) and its effects leave after the record is on disk.
#pragma once

#include <functional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "broker/core/hub.hpp"
#include "broker/core/memory.hpp"
#include "broker/log/log.hpp"
#include "broker/state/tables.hpp"
#include "common/protocol/envelope.hpp"

namespace muster::core {

/// What this broker is, for as long as it runs.
struct Identity {
  std::string cluster_id;
  std::string cluster = "muster";  ///< its name, for people
  std::string history;
  Epoch epoch;
  std::uint64_t value_bytes_max = limits::value_bytes_default;
  std::uint16_t notices_port = 0;
  std::string notices;  ///< a whole endpoint where the port is not enough
  TimePoint since;      ///< it leads
};

struct Caller {
  Route route;
  state::RequestId request;
  std::string author;   ///< for people: principal, or name? as claimed
  std::string address;  ///< where its connection comes from; empty: unknown
  proto::Options options;
};

/// Two frames for a connection.
struct Frames {
  Route route;
  std::string header;
  std::string body;
};

/// A handler's word that the reply comes later.
struct ParkedLater {};

/// What one request has asked for so far.
struct Draft {
  state::Layer layer;
  std::map<std::string, Revision> removed;  ///< keys, with the revision that ends
  std::set<std::string> topics;
  std::set<std::string> done_once;
  std::vector<state::Reply> answers;
  std::vector<Frames> sends;
  std::vector<std::function<void(Memory&)>> then;
  bool parked = false;
  std::string parked_for;
};

/// What does not change while a turn runs. Borrowed.
struct Surroundings {
  const Identity& identity;
  const state::Store& store;
  const log::Log& log;
  const Hub& hub;
  const Memory& memory;
  const std::map<std::string, std::uint64_t>& counters;
  std::function<std::string()> new_id;
};

class Turn {
 public:
  Turn(const Surroundings& around, const state::View& view, const state::Layer& earlier,
       Caller caller, Revision rev, TimePoint now, WallTime wall, Draft& draft)
      : around_(around),
        view_(view),
        earlier_(earlier),
        caller_(std::move(caller)),
        rev_(rev),
        now_(now),
        wall_(wall),
        draft_(draft) {}

  const Caller& caller() const { return caller_; }
  TimePoint now() const { return now_; }
  WallTime wall() const { return wall_; }
  std::string new_id() const { return around_.new_id(); }
  /// The revision that this request's change will have, if it becomes one.
  Revision rev() const { return rev_; }
  /// The newest revision before it.
  Revision last_rev() const { return Revision{rev_.value - 1}; }

  const Identity& identity() const { return around_.identity; }
  const Memory& memory() const { return around_.memory; }
  const log::Log& log() const { return around_.log; }
  const Hub& hub() const { return around_.hub; }
  const state::Store& store() const { return around_.store; }
  const std::map<std::string, std::uint64_t>& counters() const { return around_.counters; }
  const state::View& view() const { return view_; }
  /// What earlier requests of this turn have done: not on disk yet.
  const state::Layer& earlier() const { return earlier_; }

  auto kv_dues() { return state::Write::KvDues(view_, draft_.layer); }
  auto session_kvs() { return state::Write::SessionKvs(view_, draft_.layer); }
  /// A key's row is written by `keys` only.
  auto kv() { return state::Write::Kv(view_, draft_.layer); }
  auto sessions() { return state::Write::Sessions(view_, draft_.layer); }
  auto locks() { return state::Write::Locks(view_, draft_.layer); }
  auto tickets() { return state::Write::Tickets(view_, draft_.layer); }
  auto session_tickets() { return state::Write::SessionTickets(view_, draft_.layer); }
  auto events() { return state::Write::Events(view_, draft_.layer); }
  auto nodes() { return state::Write::Nodes(view_, draft_.layer); }
  auto services() { return state::Write::Services(view_, draft_.layer); }
  auto checks() { return state::Write::Checks(view_, draft_.layer); }
  auto check_outputs() { return state::Write::CheckOutputs(view_, draft_.layer); }
  auto cursors() { return state::Write::Cursors(view_, draft_.layer); }
  auto jobs() { return state::Write::Jobs(view_, draft_.layer); }
  auto job_requests() { return state::Write::JobRequests(view_, draft_.layer); }
  auto tasks() { return state::Write::Tasks(view_, draft_.layer); }
  auto meta() { return state::Write::Meta(view_, draft_.layer); }
  state::Layer& raw() { return draft_.layer; }  ///< for housekeeping over whole tables
  std::size_t bytes() const { return draft_.layer.bytes(); }

  /// News on a topic other than key: and keyprefix:.
  void touch(std::string_view kind, std::string_view name = {}) {
    draft_.topics.insert(proto::watch::topic(kind, name));
  }

  /// Whether this request asks that for the first time: for what is long and the same each time.
  bool once(std::string what) { return draft_.done_once.insert(std::move(what)).second; }

  /// What a removed key was: watchers are told, and a put behind it replaces that.
  void removed(const std::string& key, Revision rev) { draft_.removed.emplace(key, rev); }
  Revision removed(const std::string& key) const;

  /// The reply comes later, by `answer`; `what` is for people who ask what is waited for.
  ParkedLater park(std::string what) {
    draft_.parked = true;
    draft_.parked_for = std::move(what);
    return {};
  }

  /// Completes a parked request, of this caller or another, with this change.
  void answer_with(const state::RequestId& to, Bytes reply) {
    draft_.answers.push_back({.to = to, .body = std::move(reply)});
  }
  template <class Reply>
  void answer(const state::RequestId& to, const Reply& reply) {
    answer_with(to, Bytes(codec::encode(reply)));
  }
  /// Ends a parked request with an error, with this change.
  void refuse(const state::RequestId& to, const Error& error) {
    draft_.answers.push_back({.to = to, .body = Bytes(proto::encode_error(error)), .error = true});
  }
  /// A step on the way of a parked request; lost if its caller is not there.
  template <class More>
  void more(const state::RequestId& to, const More& more) {
    send_to(to, proto::verb_more, codec::encode(more));
  }
  /// A request to a node; lost if it is not there: registration makes up for it.
  template <class Request>
  void send(const std::string& node, const std::string& job, const Request& request) {
    reach({node, job, std::string(Request::verb), {}}, codec::encode(request));
  }
  /// The same to a node that registers with this very request.
  template <class Request>
  void send_back(const std::string& node, const std::string& job, const Request& request) {
    dispatch(caller_.route, {node, job, std::string(Request::verb), {}}, codec::encode(request));
  }
  /// A question to a node on behalf of the caller, who is to be parked. False: it is not there.
  template <class Request>
  bool ask(const std::string& node, const Request& request) {
    return reach({node, {}, std::string(Request::verb), caller_.request}, codec::encode(request));
  }
  /// What the node was asked on behalf of others, it will not answer any more.
  void give_up_asking(const std::string& node, const Error& error);

  /// To be done to the memory if the request succeeds.
  void then(std::function<void(Memory&)> effect) { draft_.then.push_back(std::move(effect)); }

 private:
  void send_to(const state::RequestId& to, std::string_view kind, std::string body);
  bool reach(Dispatch what, std::string body);
  void dispatch(const Route& route, Dispatch what, std::string body);

  const Surroundings& around_;
  const state::View& view_;
  const state::Layer& earlier_;
  const Caller caller_;
  const Revision rev_;
  const TimePoint now_;
  const WallTime wall_;
  Draft& draft_;
};

}  // namespace muster::core
