// boot: from a log and a store to a broker that leads.
#include "broker/core/checks.hpp"
#include "broker/core/core.hpp"
#include "broker/core/exec.hpp"
#include "broker/state/apply.hpp"
#include "common/protocol/admin.hpp"

namespace muster::core {

void replay(const log::Log& log, state::Store& store) {
  log.read(store.checkpointed().next(), [&](const log::Entry& entry) {
    state::apply(state::decode_record(entry.bytes), store);
    if (store.active().bytes() > limits::layer_bytes_max / 2) {
      store.seal(entry.seq);
      store.write_sealed();
      store.settle();
    }
    return true;
  });
}

Identity identify(const state::Store& store, const std::function<std::string()>& new_id) {
  const state::View view(store, {});
  const state::Read::Meta meta(view);
  const auto cluster = meta.get(state::meta::cluster_id);
  const auto history = meta.get(state::meta::history);
  const auto epoch = meta.get(state::meta::epoch);
  Identity identity;
  identity.cluster_id = cluster ? *cluster : new_id();
  identity.history = history ? *history : new_id();
  identity.epoch = Epoch{(epoch ? state::be64_at_end(*epoch) : 0) + 1};
  return identity;
}

void Core::lead(TimePoint now, WallTime wall) {
  const auto rev = state::Read::Meta(state::View(store_, {})).get(state::meta::rev);
  rev_ = Revision{rev ? state::be64_at_end(*rev) : 0};
  hub_.lead(identity_.history, identity_.epoch, rev_);
  log_.read(log_.last(), [this](const log::Entry& newest) {
    wall_ = state::decode_record(newest.bytes).time;
    return false;
  });
  begin(now, wall);
  identity_.since = clients_looked_at_ = now;
  const std::string body = codec::encode(proto::admin::Lead{
      .cluster_id = identity_.cluster_id, .history = identity_.history, .keep = retention_.keep});
  Caller caller;
  caller.request.principal = the_broker;
  caller.author = the_broker;
  const RouteEntry* route = find_route(proto::admin::Lead::verb);
  evaluate(route->verb, caller, [&](Turn& turn) { return route->handle(turn, body); });
  remember_sessions();
  remember_locks();
  remember_keys();
  remember_nodes_and_jobs();
  remember_checks();
  memory_.at(now, Housekeeping{});
  finish();
}

/// Every session gets its full TTL anew, but for the long ones of which the rest was noted.
void Core::remember_sessions() {
  state::Read::Sessions(state::View(store_, {}))
      .scan({}, [&](std::string_view id, const state::SessionRow& row) {
        const Duration ttl = milliseconds(row.ttl_ms);
        const Duration rest = row.rest_ms == 0 ? ttl : Duration(milliseconds(row.rest_ms));
        memory_.leases[std::string(id)] =
            Lease{.route = {}, .heard = now_ + rest - ttl, .ttl = ttl};
        memory_.at(now_ + rest, SessionDue{std::string(id)});
        return true;
      });
}

/// A ticket that nobody asks for again within its session's TTL leaves the queue.
void Core::remember_locks() {
  state::Read::Tickets(state::View(store_, {}))
      .scan({}, [&](std::string_view key, const state::TicketRow& row) {
        if (row.token.value != 0) return true;
        const std::string name(key.substr(0, key.size() - 9));
        const Revision ticket{state::be64_at_end(key)};
        const auto lease = memory_.leases.find(row.session);
        memory_.at(now_ + (lease == memory_.leases.end() ? Duration(limits::session_ttl_default)
                                                         : lease->second.ttl),
                   TicketDue{name, ticket});
        if (row.bounded) memory_.at(now_ + milliseconds(row.wait_ms), WaitDue{name, ticket});
        return true;
      });
}

/// By the wall clock, which alone goes on while no broker runs.
void Core::remember_keys() {
  state::Read::KvDues(state::View(store_, {}))
      .scan({}, [&](std::string_view key, const state::KvDue& row) {
        const auto left =
            static_cast<std::int64_t>(row.due.ms) - static_cast<std::int64_t>(wall_.ms);
        memory_.expiries.set(std::string(key),
                             now_ + milliseconds(std::max<std::int64_t>(0, left)));
        return true;
      });
}

void Core::remember_nodes_and_jobs() {
  const state::View view(store_, {});
  state::Read::Nodes(view).scan({}, [&](std::string_view name, const state::NodeRow& node) {
    if (node.up)
      memory_.at(now_ + limits::presence_grace, NodeDue{std::string(name), node.attach_gen});
    return true;
  });
  state::Read::Jobs(view).scan({}, [&](std::string_view, const state::JobRow& row) {
    const std::uint64_t pending = exec::pending(view, row.job.id);
    if (pending == 0) return true;
    memory_.jobs[row.job.id] = {.caller = row.request, .pending = pending};
    memory_.at(now_ + limits::caller_patience, CallerDue{row.job.id});
    return true;
  });
}

/// Every TTL check gets its full TTL anew; what is critical, all its time to recover.
void Core::remember_checks() {
  state::Read::Checks(state::View(store_, {}))
      .scan({}, [&](std::string_view key, const state::CheckRow& row) {
        checks::start_clocks(memory_, std::string(key), row, now_);
        return true;
      });
}

}  // namespace muster::core
