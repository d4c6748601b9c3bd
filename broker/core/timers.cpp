// timers: what the broker proposes by itself; every proposal is re-checked by its handler.
#include <algorithm>

#include <fmt/format.h>

#include "broker/core/core.hpp"
#include "broker/core/exec.hpp"
#include "broker/core/session.hpp"
#include "broker/core/trim.hpp"
#include "common/protocol/admin.hpp"
#include "common/protocol/health.hpp"
#include "common/protocol/lock.hpp"

namespace muster::core {
namespace {

constexpr Duration housekeeping_interval = seconds(1);
constexpr Duration trimming_interval = milliseconds(5);  // between its parts, for others' requests

}  // namespace

template <class Request>
void Core::propose(const Request& request) {
  const RouteEntry* route = find_route(Request::verb);
  const std::string body = codec::encode(request);
  propose(Request::verb, [&](Turn& turn) { return route->handle(turn, body); });
}

void Core::propose(std::string_view verb, const Handler& handler) {
  Caller caller;
  caller.request.principal = the_broker;
  caller.author = the_broker;
  evaluate(verb, caller, handler);
}

std::optional<TimePoint> Core::next_due() const {
  std::optional<TimePoint> due;
  if (!memory_.timers.empty()) due = memory_.timers.begin()->first;
  const auto key = memory_.expiries.next();
  return key && (!due || key->first < *due) ? key->first : due;
}

void Core::tick() {
  while (!memory_.timers.empty() && memory_.timers.begin()->first <= now_ && !full()) {
    const Due next = memory_.timers.begin()->second;
    memory_.timers.erase(memory_.timers.begin());
    std::visit([this](const auto& what) { due(what); }, next);
  }
  expire_keys();
  if (!memory_.waiting_reads.empty()) retry_reads();
}

void Core::stalled(Duration by) {
  for (auto& [id, lease] : memory_.leases) lease.heard = std::min(lease.heard + by, now_);
  for (auto& [check, clock] : memory_.check_clocks) {
    clock.since = std::min(clock.since + by, now_);
    if (clock.timer != TimePoint{}) clock.timer += by;
  }
  std::multimap<TimePoint, Due> moved;
  for (auto& [when, what] : memory_.timers) moved.emplace(when + by, std::move(what));
  memory_.timers = std::move(moved);
}

void Core::due(const SessionDue& session) {
  const auto lease = memory_.leases.find(session.id);
  if (lease == memory_.leases.end()) return;
  const TimePoint ends = lease->second.heard + lease->second.ttl;
  if (ends > now_) {
    memory_.at(ends, session);
    return;
  }
  const auto row = state::Read::Sessions(state::View(store_, {&turn_layer_})).get(session.id);
  if (row) propose(proto::session::Expire{.id = session.id, .attach_gen = row->attach_gen});
}

void Core::due(const WaitDue& wait) {
  propose(proto::lock::GiveUp{.name = wait.lock, .ticket = wait.ticket});
}

void Core::due(const TicketDue& ticket) {
  const std::string key = state::joined(ticket.lock, state::be64(ticket.ticket.value));
  const auto row = state::Read::Tickets(state::View(store_, {&turn_layer_})).get(key);
  if (row && row->token.value == 0 && !memory_.parked.contains(row->request)) {
    propose(proto::lock::GiveUp{.name = ticket.lock, .ticket = ticket.ticket});
  }
}

void Core::due(const NodeDue& node) {
  const auto link = memory_.nodes.find(node.node);
  if (link != memory_.nodes.end() && link->second.subscribed) return;
  propose(proto::catalog::Presence{.node = node.node, .attach_gen = node.attach_gen, .up = false});
}

void Core::expire_keys() {
  for (auto next = memory_.expiries.next(); next && next->first <= now_ && !full();
       next = memory_.expiries.next()) {
    const std::string& key = next->second;
    const auto row = state::Read::Kv(state::View(store_, {&turn_layer_})).get(key);
    if (!row) {
      memory_.expiries.forget(key);
      continue;
    }
    propose(proto::kv::Expire{.key = key, .rev = row->mod_rev});
    // Done, and forgotten with its row; else not asked again at once, for ever.
    if (memory_.expiries.of(key) == next->first) memory_.expiries.set(key, now_ + seconds(1));
  }
}

void Core::due(const CallerDue& caller) {
  const auto job = memory_.jobs.find(caller.job);
  if (job == memory_.jobs.end()) return;
  const auto parked = memory_.parked.find(job->second.caller);
  const auto connection = parked == memory_.parked.end()
                              ? memory_.connections.end()
                              : memory_.connections.find(parked->second.route);
  const bool silent = connection == memory_.connections.end() ||
                      connection->second.heard + limits::caller_patience <= now_;
  if (silent) propose(proto::exec::Cancel{.job = caller.job});
  else memory_.at(connection->second.heard + limits::caller_patience, caller);
}

void Core::due(const CheckDue& check) {
  const auto found = memory_.check_clocks.find({check.check, check.wait});
  if (found == memory_.check_clocks.end() || found->second.timer > now_) return;
  CheckClock& clock = found->second;
  clock.timer = {};
  if (clock.since + clock.length > now_) {
    memory_.start_clock(check, clock);
    return;
  }
  const auto nul = check.check.find('\0');
  const std::string node = check.check.substr(0, nul);
  const std::string id = check.check.substr(nul + 1);
  if (check.wait == CheckWait::told) propose(proto::health::Expire{.node = node, .check = id});
  else propose(proto::health::Abandon{.node = node, .check = id});
}

void Core::due(const AnswerDue& answer) {
  const auto asked = memory_.dispatches.find(answer.dispatch);
  if (asked == memory_.dispatches.end()) return;
  const Dispatch what = asked->second;
  memory_.dispatches.erase(asked);
  propose(what.verb, [&](Turn& turn) {
    turn.refuse(what.asker,
                {Code::timeout, fmt::format("node {} does not answer {}", what.node, what.verb)});
    return Outcome{std::optional<std::string>{}};
  });
}

void Core::due(const Housekeeping&) {
  const bool more = trim_log();
  if (now_ - clients_looked_at_ >= seconds(60)) {
    clients_looked_at_ = now_;
    forget_clients();
    forget_connections();
    note_leases();
    std::erase_if(memory_.key_delays, [this](const auto& delay) { return delay.second <= now_; });
  }
  memory_.at(now_ + (more ? trimming_interval : housekeeping_interval), Housekeeping{});
}

void Core::subscription(std::string_view node, bool present) {
  NodeLink& link = memory_.nodes[std::string(node)];
  link.subscribed = present;
  const auto row = state::Read::Nodes(state::View(store_, {&turn_layer_})).get(node);
  if (!row) return;
  if (!present) memory_.at(now_ + limits::down_grace, NodeDue{std::string(node), row->attach_gen});
  else if (!row->up && !link.route.empty())
    propose(proto::catalog::Presence{.node = row->name, .attach_gen = row->attach_gen, .up = true});
}

/// The oldest segment goes when there is too much, or when all of it is too old; a part of it at a
/// time. True: there is more to be given up.
bool Core::trim_log() {
  const state::View view(store_, {&turn_layer_});
  if (const auto past = trim::due(view, wall_)) propose(*past);
  const Seq floor = log_.next_floor();
  if (floor <= log_.first()) return false;
  bool old = log_.bytes() > retention_.bytes;
  if (!old) {
    log_.read(floor, [&](const log::Entry& entry) {
      const auto age = static_cast<std::int64_t>(wall_.ms) -
                       static_cast<std::int64_t>(state::decode_record(entry.bytes).time.ms);
      old = milliseconds(age) > retention_.age;
      return false;
    });
  }
  const auto done = state::Read::Meta(view).get(state::meta::trim_seq);
  if (!old || (done && state::be64_at_end(*done) >= floor.value)) return false;
  propose(proto::admin::Trim{.floor = floor});
  return true;
}

void Core::forget_clients() {
  const auto age = static_cast<std::uint64_t>(
      std::chrono::duration_cast<milliseconds>(limits::dedupe_age).count());
  std::vector<std::string> old;
  state::Read::Clients(state::View(store_, {&turn_layer_}))
      .scan({}, [&](std::string_view key, const state::ClientRow& row) {
        if (row.heard.ms + age < wall_.ms && !memory_.clients.contains(std::string(key)))
          old.emplace_back(key);
        return old.size() < limits::trim_rows_max;
      });
  for (const std::string& client : old) propose(proto::admin::ForgetClient{.client = client});
}

/// ROUTER does not tell who left. Whoever comes back after this says hello again.
void Core::forget_connections() {
  std::vector<Route> silent;
  for (const auto& [route, connection] : memory_.connections) {
    if (connection.heard + limits::connection_idle <= now_) silent.push_back(route);
  }
  for (const Route& route : silent) unreachable(route);
}

/// Of long leases the rest is logged now and then, so that a broker that restarts over and over
/// does not renew a dead one for ever.
void Core::note_leases() {
  for (const auto& [id, lease] : memory_.leases) {
    if (lease.ttl <= limits::session_ttl_long) continue;
    const auto rest = std::chrono::duration_cast<milliseconds>(lease.heard + lease.ttl - now_);
    propose("session.note", [&, name = id](Turn& turn) {
      session::note_rest(turn, name, rest);
      return Outcome{std::optional<std::string>{}};
    });
  }
}

void Core::retry_reads() {
  std::vector<WaitingRead> waiting = std::exchange(memory_.waiting_reads, {});
  for (WaitingRead& read : waiting) {
    const Result<proto::Header> header = proto::decode_header(read.header);
    if (hub_.applied() >= header->options.at_least) {
      const auto connection = memory_.connections.find(read.route);
      if (connection == memory_.connections.end()) continue;
      const RouteEntry* route = find_route(header->verb);
      const Caller caller = caller_of(
          {.route = read.route, .principal = connection->second.principal, .frames = {}}, *header);
      evaluate(route->verb, caller, [&](Turn& turn) { return route->handle(turn, read.body); });
    } else if (read.until <= now_) {
      say_error(
          read.route, header->no,
          {Code::unavailable, "this broker is not at that revision", "ask again, or another one"});
    } else {
      memory_.waiting_reads.push_back(std::move(read));
    }
  }
}

}  // namespace muster::core
