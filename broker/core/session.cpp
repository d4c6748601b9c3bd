// session: leases are opened, attached and ended by logged changes.
#include "broker/core/session.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "broker/core/keys.hpp"
#include "broker/core/lock.hpp"

namespace muster::core::session {
namespace {

Duration ttl_of(const state::SessionRow& row) { return milliseconds(row.ttl_ms); }

Error ended(std::string_view id) {
  return Error{Code::not_found, fmt::format("no session {}: it has ended or never was", id)};
}

/// The session's clock starts, on this connection.
void start_clock(Turn& turn, const state::SessionRow& row) {
  turn.then([id = row.id, ttl = ttl_of(row), route = turn.caller().route,
             now = turn.now()](Memory& memory) {
    Lease& lease = memory.leases[id];
    if (const auto before = memory.connections.find(lease.route);
        before != memory.connections.end()) {
      before->second.sessions.erase(id);
    }
    lease = Lease{.route = route, .heard = now, .ttl = ttl};
    if (const auto here = memory.connections.find(route); here != memory.connections.end()) {
      here->second.sessions.insert(id);
    }
    memory.at(now + ttl, SessionDue{id});
  });
}

/// All it holds is handed on, in this change.
void finish(Turn& turn, const state::SessionRow& row) {
  lock::leave_all(turn, row.id);
  keys::leave_all(turn, row);
  turn.sessions().erase(row.id);
  turn.touch("session:", row.id);
  turn.then([id = row.id](Memory& memory) {
    const auto lease = memory.leases.find(id);
    if (lease == memory.leases.end()) return;
    if (const auto at = memory.connections.find(lease->second.route);
        at != memory.connections.end()) {
      at->second.sessions.erase(id);
    }
    memory.leases.erase(lease);
  });
}

}  // namespace

Result<proto::session::Welcome> hello(Turn& turn, const proto::session::Hello& request) {
  if (request.client_id.empty() || request.client_id.size() > 64 ||
      request.client_id.find('\0') != std::string::npos) {
    return Error{Code::invalid, "a client_id has 1..64 bytes and no NUL"};
  }
  if (request.name.size() > limits::name_bytes_max ||
      request.instance.size() > limits::name_bytes_max) {
    return Error{Code::invalid, "name and instance have at most 255 bytes"};
  }
  if (request.versions.size() != 2 || request.versions[0] > limits::protocol_version ||
      request.versions[1] < limits::protocol_version) {
    return Error{Code::version, "this broker speaks protocol version 1", "update the older side"};
  }
  const Identity& identity = turn.identity();
  if (request.history == identity.history && request.epoch > identity.epoch) {
    return Error{Code::conflict,
                 fmt::format("epoch {} was seen, this broker has {}: it is not the leader any more",
                             request.epoch.value, identity.epoch.value)};
  }
  turn.then([=, caller = turn.caller(), now = turn.now()](Memory& memory) {
    const std::string client = state::joined(caller.request.principal, request.client_id);
    if (const auto before = memory.clients.find(client);
        before != memory.clients.end() && before->second != caller.route) {
      if (const auto old = memory.connections.find(before->second); old != memory.connections.end())
        old->second.superseded = true;
    }
    memory.clients[client] = caller.route;
    Connection& connection = memory.connections[caller.route];
    connection = Connection{.client = request.client_id,
                            .principal = caller.request.principal,
                            .kind = request.kind,
                            .name = request.name,
                            .instance = request.instance,
                            .heard = now,
                            .sessions = {}};
  });
  return proto::session::Welcome{
      .cluster_id = identity.cluster_id,
      .cluster = identity.cluster,
      .history = identity.history,
      .epoch = identity.epoch,
      .rev = turn.last_rev(),
      .notices_port = identity.notices_port,
      .notices = identity.notices,
      .principal = turn.caller().request.principal,
      .value_bytes_max = identity.value_bytes_max,
      .message_bytes_max = limits::message_bytes_max(identity.value_bytes_max),
      .members = {},
      .leader = {}};
}

Result<proto::session::Pong> ping(Turn& turn, const proto::session::Ping&) {
  return proto::session::Pong{
      .history = turn.identity().history, .epoch = turn.identity().epoch, .rev = turn.last_rev()};
}

Result<proto::session::Lease> open(Turn& turn, const proto::session::Open& request) {
  const milliseconds ttl(
      static_cast<std::int64_t>(std::min<std::uint64_t>(request.ttl_ms, UINT32_MAX)));
  if (ttl < limits::session_ttl_min || ttl > limits::session_ttl_max) {
    return Error{Code::invalid,
                 fmt::format("a session's TTL is 1000..86400000 ms, not {}", request.ttl_ms)};
  }
  if (request.name.size() > limits::name_bytes_max)
    return Error{Code::invalid, "a session's name has at most 255 bytes"};
  if (request.behavior != "release" && request.behavior != "delete") {
    return Error{Code::invalid, fmt::format("a session's behavior is release or delete, not {}",
                                            request.behavior)};
  }
  const auto connection = turn.memory().connections.find(turn.caller().route);
  const state::SessionRow row{
      .id = turn.new_id(),
      .owner = turn.caller().request.principal,
      .name = request.name,
      .client = connection == turn.memory().connections.end() ? "" : connection->second.name,
      .ttl_ms = request.ttl_ms,
      .behavior = request.behavior,
      .lock_delay_ms = request.lock_delay_ms,
      .attach_gen = 1,
      .create_rev = turn.rev()};
  turn.sessions().put(row.id, row);
  turn.touch("session:", row.id);
  start_clock(turn, row);
  return proto::session::Lease{.id = row.id, .ttl_ms = row.ttl_ms, .attach_gen = row.attach_gen};
}

Result<proto::session::Lease> attach(Turn& turn, const proto::session::Attach& request) {
  auto row = turn.sessions().get(request.id);
  if (!row) return ended(request.id);
  if (row->owner != turn.caller().request.principal)
    return Error{Code::denied, "this session has another owner"};
  ++row->attach_gen;
  turn.sessions().put(row->id, *row);
  start_clock(turn, *row);
  return proto::session::Lease{.id = row->id, .ttl_ms = row->ttl_ms, .attach_gen = row->attach_gen};
}

Result<proto::session::Lease> keepalive(Turn& turn, const proto::session::Keepalive& request) {
  const auto row = turn.sessions().get(request.id);
  if (!row) return ended(request.id);
  const auto lease = turn.memory().leases.find(request.id);
  if (lease == turn.memory().leases.end() || lease->second.route != turn.caller().route) {
    return Error{Code::conflict, "the session is not attached to this connection",
                 "send session.attach first"};
  }
  return proto::session::Lease{.id = row->id, .ttl_ms = row->ttl_ms, .attach_gen = row->attach_gen};
}

Result<proto::Empty> end(Turn& turn, const proto::session::End& request) {
  const auto row = turn.sessions().get(request.id);
  if (!row) return ended(request.id);
  if (row->owner != turn.caller().request.principal)
    return Error{Code::denied, "this session has another owner"};
  finish(turn, *row);
  return proto::Empty{};
}

Result<proto::Empty> expire(Turn& turn, const proto::session::Expire& request) {
  const auto row = turn.sessions().get(request.id);
  if (!row) return ended(request.id);
  if (row->attach_gen != request.attach_gen)
    return Error{Code::conflict, "it was attached again meanwhile"};
  const auto lease = turn.memory().leases.find(request.id);
  if (lease != turn.memory().leases.end() && lease->second.heard + lease->second.ttl > turn.now()) {
    return Error{Code::conflict, "it was heard of meanwhile"};
  }
  finish(turn, *row);
  return proto::Empty{};
}

void note_rest(Turn& turn, const std::string& id, milliseconds rest) {
  auto row = turn.sessions().get(id);
  if (!row) return;
  const auto left = static_cast<std::uint64_t>(std::max<std::int64_t>(1, rest.count()));
  const std::uint64_t noted = row->rest_ms == 0 ? row->ttl_ms : row->rest_ms;
  if (std::max(left, noted) - std::min(left, noted) < row->ttl_ms / 10) return;
  row->rest_ms = left;
  turn.sessions().put(id, *row);
}

Result<proto::session::Listing> list(Turn& turn, const proto::session::List& request) {
  proto::session::Listing listing;
  std::size_t bytes = 0;
  turn.sessions().scan(request.id, [&](std::string_view id, const state::SessionRow& row) {
    if (!request.id.empty() && id != request.id) return true;
    proto::session::Info info{.id = row.id,
                              .name = row.name,
                              .owner = row.owner,
                              .client = row.client,
                              .ttl_ms = row.ttl_ms,
                              .heard_ms = 0,
                              .behavior = row.behavior,
                              .attach_gen = row.attach_gen,
                              .create_rev = row.create_rev,
                              .locks = {}};
    if (const auto lease = turn.memory().leases.find(row.id); lease != turn.memory().leases.end()) {
      info.heard_ms = static_cast<std::uint64_t>(
          std::chrono::duration_cast<milliseconds>(turn.now() - lease->second.heard).count());
    }
    const std::string prefix = state::joined(row.id, {});
    turn.session_tickets().scan(prefix, [&](std::string_view key,
                                            const state::SessionTicket& held) {
      const std::string name(key.substr(prefix.size()));
      const auto ticket = turn.tickets().get(state::joined(name, state::be64(held.ticket.value)));
      if (ticket) info.locks.push_back({.lock = name, .token = ticket->token});
      return true;
    });
    bytes += 256 + row.name.size() + 64 * info.locks.size();
    listing.sessions.push_back(std::move(info));
    return bytes < limits::reply_bytes_max;
  });
  if (!request.id.empty() && listing.sessions.empty()) return ended(request.id);
  return listing;
}

}  // namespace muster::core::session
