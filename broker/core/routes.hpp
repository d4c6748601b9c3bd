// routes: from bytes to a handler: every verb, with the right it needs and what it may do.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "broker/core/rights.hpp"
#include "broker/core/turn.hpp"

namespace muster::core {

/// What a verb does to the state.
enum class Kind {
  reads,
  writes,
  urgent,  ///< writes, and may still when the disk is full: expiry, release, delete, trim
};

/// An encoded reply; none: parked.
using Outcome = Result<std::optional<std::string>>;

struct RouteEntry {
  std::string_view verb;
  Right right;
  Kind kind;
  Outcome (*handle)(Turn& turn, std::string_view body);
};

/// None: no such verb.
const RouteEntry* find_route(std::string_view verb);
std::span<const RouteEntry> all_routes();

/// The one place where a body from outside becomes a struct, and a reply bytes.
template <class Request, auto handler>
Outcome handle(Turn& turn, std::string_view body) {
  const Result<Request> request = codec::decode<Request>(body);
  if (!request) return request.error();
  auto result = handler(turn, *request);
  if (!result) return result.error();
  if constexpr (std::is_same_v<decltype(result), Result<ParkedLater>>) {
    return std::optional<std::string>{};
  } else {
    static_assert(std::is_same_v<decltype(result), Result<typename Request::Reply>>);
    return std::optional<std::string>{codec::encode(*result)};
  }
}

}  // namespace muster::core
