// lock: a queue of tickets; the head blocks, nobody overtakes.
#include "broker/core/lock.hpp"

#include <fmt/format.h>

namespace muster::core::lock {
namespace {

using state::TicketRow;

struct Placed {
  std::string key;
  TicketRow row;
};

std::string ticket_key(std::string_view name, Revision ticket) {
  return state::joined(name, state::be64(ticket.value));
}

/// The longest waiter. Grants follow the order of asking, so the holders stand before it, and no
/// more tickets are read than there are places.
std::optional<Placed> head_of(Turn& turn, const std::string& name) {
  std::optional<Placed> head;
  turn.tickets().scan(state::joined(name, {}), [&](std::string_view key, const TicketRow& row) {
    if (row.token.value == 0) head = Placed{std::string(key), row};
    return !head;
  });
  return head;
}

std::optional<Placed> ticket_of(Turn& turn, const std::string& name, const std::string& session) {
  const auto held = turn.session_tickets().get(state::joined(session, name));
  if (!held) return std::nullopt;
  Placed placed{ticket_key(name, held->ticket), {}};
  auto row = turn.tickets().get(placed.key);
  ENSURE(row);  // both are put and erased in one change
  placed.row = std::move(*row);
  return placed;
}

void grant(Turn& turn, const std::string& key, TicketRow row) {
  row.token = turn.rev();
  row.since = turn.wall();
  turn.tickets().put(key, row);
  turn.answer(row.request, proto::lock::Granted{.token = row.token});
}

/// The ticket goes; the longest waiter is granted if that freed a place.
void leave(Turn& turn, const std::string& name, const Placed& placed) {
  auto lock = turn.locks().get(name);
  ENSURE(lock);
  turn.tickets().erase(placed.key);
  turn.session_tickets().erase(state::joined(placed.row.session, name));
  turn.touch("lock:", name);
  --(placed.row.token.value != 0 ? lock->holders : lock->waiters);
  if (lock->waiters > 0 && lock->holders < lock->limit) {
    const std::optional<Placed> head = head_of(turn, name);
    ENSURE(head);
    grant(turn, head->key, head->row);
    ++lock->holders;
    --lock->waiters;
  }
  if (lock->holders + lock->waiters == 0) turn.locks().erase(name);
  else turn.locks().put(name, *lock);
}

std::optional<Error> wrong(const proto::lock::Acquire& request) {
  const std::string& name = request.name;
  if (name.empty() || name.size() > limits::name_bytes_max ||
      name.find('\0') != std::string::npos || !codec::is_utf8(name)) {
    return Error{Code::invalid, "a lock name has 1..255 bytes of UTF-8 and no NUL"};
  }
  if (request.limit == 0 || request.limit > limits::lock_limit_max) {
    return Error{Code::invalid, fmt::format("a lock's limit is 1..{}, not {}",
                                            limits::lock_limit_max, request.limit)};
  }
  if (request.host.size() > limits::name_bytes_max ||
      request.command.size() > limits::envelope_bytes_max / 2) {
    return Error{Code::too_large, "host has at most 255 bytes, command 32768"};
  }
  return std::nullopt;
}

/// What the session holds or waits for already: nothing changes but where the answer goes.
Result<ParkedLater> again(Turn& turn, const proto::lock::Acquire& request, const Placed& mine) {
  if (mine.row.token.value != 0) {
    turn.answer(turn.caller().request, proto::lock::Granted{.token = mine.row.token});
    return turn.park("lock " + request.name);
  }
  if (mine.row.request != turn.caller().request) {
    return Error{
        Code::conflict,
        fmt::format("the session waits for lock {} already, by another request", request.name)};
  }
  return turn.park("lock " + request.name);
}

Result<ParkedLater> enqueue(Turn& turn, const proto::lock::Acquire& request, state::LockRow lock,
                            bool free) {
  const std::string key = ticket_key(request.name, turn.rev());
  const TicketRow row{.session = request.session,
                      .token = {},
                      .request = turn.caller().request,
                      .owner = turn.caller().author,
                      .wait_ms = request.wait_ms.value_or(0),
                      .bounded = request.wait_ms.has_value(),
                      .host = request.host,
                      .pid = request.pid,
                      .command = request.command,
                      .since = turn.wall()};
  ++(free ? lock.holders : lock.waiters);
  turn.locks().put(request.name, lock);
  turn.session_tickets().put(state::joined(request.session, request.name), {.ticket = turn.rev()});
  turn.touch("lock:", request.name);
  if (free) {
    grant(turn, key, row);
  } else {
    turn.tickets().put(key, row);
    if (row.bounded) {
      turn.then([name = request.name, ticket = turn.rev(),
                 due = turn.now() + milliseconds(row.wait_ms)](Memory& memory) {
        memory.at(due, WaitDue{name, ticket});
      });
    }
  }
  return turn.park("lock " + request.name);
}

}  // namespace

Result<ParkedLater> acquire(Turn& turn, const proto::lock::Acquire& request) {
  if (const auto error = wrong(request)) return *error;
  const auto session = turn.sessions().get(request.session);
  if (!session)
    return Error{Code::not_found,
                 fmt::format("no session {}: it has ended or never was", request.session)};
  if (session->owner != turn.caller().request.principal)
    return Error{Code::denied, "this session has another owner"};
  const auto lock = turn.locks().get(request.name).value_or(state::LockRow{.limit = request.limit});
  if (lock.limit != request.limit) {
    return Error{Code::conflict, fmt::format("lock {} has limit {}, asked with {}", request.name,
                                             lock.limit, request.limit)};
  }
  if (const auto mine = ticket_of(turn, request.name, request.session)) {
    return again(turn, request, *mine);
  }
  if (lock.waiters >= limits::lock_waiters_max) {
    return Error{Code::busy,
                 fmt::format("{} wait for lock {} already", lock.waiters, request.name)};
  }
  const bool free = lock.waiters == 0 && lock.holders < request.limit;
  if (!free && request.wait_ms == 0) {
    return Error{Code::timeout, fmt::format("lock {} is held", request.name)};
  }
  return enqueue(turn, request, lock, free);
}

Result<proto::Empty> release(Turn& turn, const proto::lock::Release& request) {
  const auto mine = ticket_of(turn, request.name, request.session);
  if (!mine)
    return Error{Code::not_found,
                 fmt::format("the session neither holds nor waits for lock {}", request.name)};
  if (mine->row.request.principal != turn.caller().request.principal)
    return Error{Code::denied, "this session has another owner"};
  if (mine->row.token.value == 0)
    turn.refuse(mine->row.request, Error{Code::gone, "it has left the queue"});
  leave(turn, request.name, *mine);
  return proto::Empty{};
}

Result<proto::Empty> give_up(Turn& turn, const proto::lock::GiveUp& request) {
  Placed placed{ticket_key(request.name, request.ticket), {}};
  const auto row = turn.tickets().get(placed.key);
  if (!row || row->token.value != 0) return Error{Code::not_found, "it was granted or has left"};
  placed.row = *row;
  turn.refuse(row->request,
              Error{Code::timeout, fmt::format("lock {} was not granted in time", request.name)});
  leave(turn, request.name, placed);
  return proto::Empty{};
}

void leave_all(Turn& turn, const std::string& session) {
  const std::string prefix = state::joined(session, {});
  std::vector<std::string> names;
  turn.session_tickets().scan(prefix, [&](std::string_view key, const state::SessionTicket&) {
    names.emplace_back(key.substr(prefix.size()));
    return true;
  });
  for (const std::string& name : names) {
    const auto mine = ticket_of(turn, name, session);
    if (mine->row.token.value == 0)
      turn.refuse(mine->row.request, Error{Code::gone, "the session has ended"});
    leave(turn, name, *mine);
  }
}

Result<Done> check_fence(const state::View& view, const proto::Fence& fence) {
  bool holds = false;
  state::Read::Tickets(view).scan(state::joined(fence.lock, {}),
                                  [&](std::string_view, const TicketRow& row) {
                                    holds = row.token.value != 0 && row.token == fence.token;
                                    return !holds;
                                  });
  if (holds) return Done{};
  return Error{
      Code::fenced,
      fmt::format("token {} is not among the holders of lock {}", fence.token.value, fence.lock),
      "the lock was lost: stop, and ask for it again"};
}

Result<proto::lock::Listing> list(Turn& turn, const proto::lock::List& request) {
  proto::lock::Listing listing;
  std::size_t bytes = 0;
  turn.locks().scan(request.name, [&](std::string_view name, const state::LockRow& lock) {
    if (!request.name.empty() && name != request.name) return true;
    proto::lock::Info info{
        .name = std::string(name), .limit = lock.limit, .holders = {}, .waiters = {}};
    turn.tickets().scan(state::joined(name, {}), [&](std::string_view key, const TicketRow& row) {
      auto& place = row.token.value != 0 ? info.holders : info.waiters;
      place.push_back({.ticket = Revision{state::be64_at_end(key)},
                       .token = row.token,
                       .session = row.session,
                       .owner = row.owner,
                       .host = row.host,
                       .pid = row.pid,
                       .command = row.command,
                       .since_ms = row.since.ms});
      bytes += 192 + row.command.size();
      return bytes < limits::reply_bytes_max;
    });
    listing.locks.push_back(std::move(info));
    return bytes < limits::reply_bytes_max;
  });
  if (!request.name.empty() && listing.locks.empty()) {
    return Error{Code::not_found, fmt::format("nobody holds or waits for lock {}", request.name)};
  }
  return listing;
}

}  // namespace muster::core::lock
