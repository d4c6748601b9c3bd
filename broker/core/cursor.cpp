// cursor: opened where a watch begins, moved by comparison.
//
//   none    -- open(after) --> at(after)
//   at(r)   -- open -------> at(r)        the watcher goes on from r
//   at(r)   -- advance(r, s) --> at(s)    r <= s; from elsewhere: conflict
//   at(r)   -- forget -----> none
//
// Of another history a cursor is at no revision: it may be moved to any one of the present history.
#include "broker/core/cursor.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace muster::core::cursor {
namespace {

using proto::cursor::Advance;
using proto::cursor::Open;
using state::CursorRow;

std::optional<Error> wrong(const Turn& turn, const Open& request) {
  if (request.name.empty() || request.name.size() > limits::key_bytes_max ||
      request.name.find('\0') != std::string::npos || !codec::is_utf8(request.name)) {
    return Error{Code::invalid, fmt::format("a cursor's name has 1..{} bytes of UTF-8 and no NUL",
                                            limits::key_bytes_max)};
  }
  if (const auto topic = proto::watch::parse_topic(request.topic); !topic) return topic.error();
  if (request.after && *request.after > turn.last_rev()) {
    return Error{Code::invalid, fmt::format("revision {} has not happened yet, {} is the newest",
                                            request.after->value, turn.last_rev().value)};
  }
  return std::nullopt;
}

/// How many there are stands in a row of meta, so that opening one reads no others.
std::uint64_t count_of(Turn& turn) {
  const auto row = turn.meta().get(state::meta::cursors);
  return row ? state::be64_at_end(*row) : 0;
}

void count_is(Turn& turn, std::uint64_t count) {
  turn.meta().put(state::meta::cursors, state::be64(count));
}

std::string without_nul(std::string_view topic) {
  return std::string(topic.substr(0, topic.find('\0')));
}

Error not_found(const std::string& name) {
  return Error{Code::not_found, fmt::format("there is no cursor {}", name)};
}

std::optional<Error> wrong(const Turn& turn, const CursorRow& row, const Advance& request) {
  if (request.history != turn.identity().history) {
    return Error{Code::conflict, fmt::format("cursor {}: revision {} is of another history",
                                             request.name, request.rev.value)};
  }
  if (row.rev != request.from) {
    return Error{
        Code::conflict,
        fmt::format("cursor {} stands at revision {}, not at {}: another watcher has moved it",
                    request.name, row.rev.value, request.from.value)};
  }
  if (row.history == request.history && request.rev < request.from) {
    return Error{Code::invalid,
                 fmt::format("cursor {} stands at revision {}, it does not go back to {}",
                             request.name, row.rev.value, request.rev.value)};
  }
  if (request.rev > turn.last_rev()) {
    return Error{Code::invalid, fmt::format("revision {} has not happened yet, {} is the newest",
                                            request.rev.value, turn.last_rev().value)};
  }
  return std::nullopt;
}

/// The hub's word is never too low; of a prefix it may be the revision at the broker's start, which
/// would look like a watch that is behind. So the keys are asked where they are not too many.
Revision newest_of(Turn& turn, const CursorRow& row) {
  const Revision known = turn.hub().newest(row.topic);
  const auto topic = proto::watch::parse_topic(row.topic);
  if (known <= row.rev || !topic || topic->kind != "keyprefix:") return known;
  const auto under =
      newest_under(state::View(turn.store(), {}), topic->name, limits::past_rows_max);
  return under ? std::max(*under, row.rev) : known;
}

}  // namespace

Result<proto::cursor::Opened> open(Turn& turn, const Open& request) {
  if (const auto error = wrong(turn, request)) return *error;
  if (const auto row = turn.cursors().get(request.name)) {
    if (row->topic != request.topic) {
      return Error{Code::conflict,
                   fmt::format("cursor {} is of {}, not of {}", request.name,
                               without_nul(row->topic), without_nul(request.topic))};
    }
    return proto::cursor::Opened{.history = row->history, .rev = row->rev, .fresh = false};
  }
  const std::uint64_t count = count_of(turn);
  if (count >= limits::cursors_max) {
    return Error{Code::busy, fmt::format("{} cursors are kept, no more", limits::cursors_max),
                 "muster watch list shows them, muster watch forget ends one"};
  }
  const CursorRow row{.name = request.name,
                      .topic = request.topic,
                      .history = turn.identity().history,
                      .rev = request.after.value_or(turn.last_rev()),
                      .node = request.node,
                      .owner = turn.caller().author,
                      .who = turn.caller().author,
                      .created_ms = turn.wall().ms,
                      .moved_ms = turn.wall().ms,
                      .ran_ms = 0,
                      .exit_code = std::nullopt,
                      .acknowledged = 0,
                      .newest = {}};
  turn.cursors().put(request.name, row);
  count_is(turn, count + 1);
  return proto::cursor::Opened{.history = row.history, .rev = row.rev, .fresh = true};
}

Result<proto::Empty> advance(Turn& turn, const Advance& request) {
  auto row = turn.cursors().get(request.name);
  if (!row) return not_found(request.name);
  if (const auto error = wrong(turn, *row, request)) return *error;
  const bool moves = request.rev != row->rev || row->history != request.history;
  row->history = request.history;
  row->rev = request.rev;
  if (moves) {
    row->who = turn.caller().author;
    row->moved_ms = turn.wall().ms;
  }
  if (request.exit_code) {
    row->ran_ms = turn.wall().ms;
    row->exit_code = request.exit_code;
    if (moves) ++row->acknowledged;
  }
  if (moves || request.exit_code) turn.cursors().put(request.name, *row);
  return proto::Empty{};
}

Result<proto::cursor::Listing> list(Turn& turn, const proto::cursor::List& request) {
  proto::cursor::Listing listing;
  std::size_t bytes = 0;
  turn.cursors().scan(request.prefix, std::max(request.prefix, request.from),
                      [&](std::string_view name, const CursorRow& row) {
                        if (bytes > limits::reply_bytes_max) {
                          listing.next = name;
                          return false;
                        }
                        bytes += row.name.size() + row.topic.size() + row.owner.size() +
                                 row.who.size() + 128;
                        listing.cursors.push_back(row);
                        listing.cursors.back().newest = newest_of(turn, row);
                        return true;
                      });
  return listing;
}

Result<proto::Empty> forget(Turn& turn, const proto::cursor::Forget& request) {
  if (!turn.cursors().get(request.name)) return not_found(request.name);
  turn.cursors().erase(request.name);
  count_is(turn, count_of(turn) - 1);
  return proto::Empty{};
}

}  // namespace muster::core::cursor
