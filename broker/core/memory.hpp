// memory: what a restart may forget: connections, parked requests, leases' clocks, timers.
//
// Nothing here is truth: tables are. A handler reads it, and changes it by Turn::then only, so that
// a failed request leaves nothing behind.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <variant>
#include <vector>

#include "broker/core/errand.hpp"
#include "broker/core/expiries.hpp"
#include "broker/state/record.hpp"
#include "common/protocol/watch.hpp"
#include "common/types.hpp"

namespace muster::core {

using Route = std::string;  ///< libzmq's routing id of a connection

struct Connection {
  std::string client;  ///< client_id of its hello
  std::string principal;
  std::string kind;
  std::string name;      ///< claimed
  std::string instance;  ///< of a node
  std::string node;      ///< that registered on it
  TimePoint heard;
  std::set<std::string> sessions;  ///< attached to it
  bool superseded = false;         ///< a later hello of the same client_id: what comes is dropped
};

/// A request that will be answered later.
struct Parked {
  Route route;
  std::string verb;
  std::string what;  ///< for people: the lock, the job
  TimePoint since;
};

/// A session's clock.
struct Lease {
  Route route;  ///< the connection attached to it; empty: none since the restart
  TimePoint heard;
  Duration ttl{};
};

/// Where a node is to be reached.
struct NodeLink {
  Route route;
  std::uint64_t attach_gen = 0;
  bool subscribed = false;  ///< to node:NAME, the sign that its process lives
};

/// A question to a node that it has not answered.
struct Dispatch {
  std::string node;
  std::string job;
  std::string verb;
  state::RequestId asker;  ///< parked until the node answers; no client: nobody waits
};

/// What a check's timer waits for.
enum class CheckWait {
  told,      ///< a TTL check's next word
  recovery,  ///< the end of being critical, else its service goes
};

/// Since when a check has waited, and for how long it may.
struct CheckClock {
  TimePoint since;
  Duration length{};
  TimePoint timer;  ///< when it is looked at; none: not before it is started again
};

/// A job that is not done, and whom its output goes to.
struct RunningJob {
  state::RequestId caller;
  std::uint64_t pending = 0;  ///< tasks under way
};

/// A read that waits for a revision.
struct WaitingRead {
  Route route;
  std::string header;
  std::string body;
  TimePoint until;
};

// What a timer means; each is re-checked when it is due.
struct SessionDue {
  std::string id;
};
struct WaitDue {
  std::string lock;
  Revision ticket;
};
struct TicketDue {
  std::string lock;
  Revision ticket;
};  ///< not asked again after a restart
struct NodeDue {
  std::string node;
  std::uint64_t attach_gen = 0;
};
struct CallerDue {
  std::string job;
};
struct CheckDue {
  std::string check;  ///< node NUL id
  CheckWait wait = CheckWait::told;
};
struct AnswerDue {
  RequestNo dispatch;
};
struct Housekeeping {};
using Due = std::variant<SessionDue, WaitDue, TicketDue, NodeDue, CallerDue, CheckDue, AnswerDue,
                         Housekeeping>;

struct Memory {
  std::unordered_map<Route, Connection> connections;
  std::map<std::string, Route> clients;  ///< principal NUL client_id -> its present connection
  std::map<state::RequestId, Parked> parked;
  std::map<std::string, Lease> leases;  ///< by session
  std::map<std::string, NodeLink> nodes;
  std::map<std::pair<std::string, CheckWait>, CheckClock> check_clocks;  ///< by node NUL id
  std::map<RequestNo, Dispatch> dispatches;
  std::map<std::string, RunningJob> jobs;
  Expiries expiries;                            ///< of keys
  std::map<std::string, TimePoint> key_delays;  ///< keys that nobody may acquire until then
  std::vector<WaitingRead> waiting_reads;
  std::multimap<TimePoint, Due> timers;
  std::vector<Errand> errands;  ///< for the shell to take
  std::size_t errands_under_way = 0;
  RequestNo last_dispatch;
  bool state_full = false;  ///< LMDB could not grow at the last checkpoint

  void at(TimePoint when, Due due) { timers.emplace(when, std::move(due)); }

  /// Starts the clock anew. A timer that looks at it in time is there at most once.
  void start_clock(const CheckDue& due, CheckClock started) {
    CheckClock& clock = check_clocks[{due.check, due.wait}];
    const TimePoint ends = started.since + started.length;
    const bool looked_at = clock.timer != TimePoint{} && clock.timer <= ends;
    started.timer = looked_at ? clock.timer : ends;
    clock = started;
    if (!looked_at) at(ends, due);
  }
  void stop_clock(const CheckDue& due) { check_clocks.erase({due.check, due.wait}); }
};

}  // namespace muster::core
