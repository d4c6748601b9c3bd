// event: sent as one change; the oldest go when too many or too large are kept.
#include "broker/core/event.hpp"

#include <fmt/format.h>

#include "broker/core/patterns.hpp"

namespace muster::core::event {
namespace {

std::optional<Error> wrong(const Turn& turn, const proto::event::Send& request) {
  if (request.name.empty() || request.name.size() > limits::name_bytes_max ||
      request.name.find('\0') != std::string::npos || !codec::is_utf8(request.name)) {
    return Error{Code::invalid, "an event name has 1..255 bytes of UTF-8 and no NUL"};
  }
  if (request.payload.size() > turn.identity().value_bytes_max) {
    return Error{Code::too_large,
                 fmt::format("the payload has {} bytes, at most {} are taken",
                             request.payload.size(), turn.identity().value_bytes_max)};
  }
  if (!request.tag.empty() && request.service.empty()) {
    return Error{Code::invalid, "Cannot provide tag filter without service filter."};
  }
  for (const auto& [what, text] :
       {std::pair{"node", request.node}, {"service", request.service}, {"tag", request.tag}}) {
    const Result<Pattern> pattern = Pattern::compile(what, text);
    if (!pattern) return pattern.error();
  }
  return std::nullopt;
}

/// How many and how large the kept ones are stands in a row of meta, so that a send reads no
/// others.
struct Kept {
  std::uint64_t count = 0;
  std::uint64_t bytes = 0;
  MSGPACK_DEFINE_ARRAY(count, bytes)
};
constexpr std::string_view kept_key = "events_kept";

std::uint64_t weight(const state::EventRow& event) {
  return event.payload.size() + event.name.size() + 256;
}

}  // namespace

Result<proto::event::Sent> send(Turn& turn, const proto::event::Send& request) {
  if (const auto error = wrong(turn, request)) return *error;
  const state::EventRow event{.id = turn.new_id(),
                              .rev = turn.rev(),
                              .name = request.name,
                              .payload = request.payload,
                              .node = request.node,
                              .service = request.service,
                              .tag = request.tag,
                              .author = turn.caller().author,
                              .time_ms = turn.wall().ms};
  Kept kept;
  if (const auto row = turn.meta().get(kept_key)) kept = state::decode_row<Kept>(*row);
  ++kept.count;
  kept.bytes += weight(event);
  std::vector<std::string> old;
  turn.events().scan({}, [&](std::string_view key, const state::EventRow& row) {
    if (kept.count <= limits::events_kept && kept.bytes <= limits::event_bytes_kept) return false;
    --kept.count;
    kept.bytes -= std::min(kept.bytes, weight(row));
    old.emplace_back(key);
    return true;
  });
  for (std::string& key : old) turn.events().erase(std::move(key));
  turn.events().put(state::be64(turn.rev().value), event);
  turn.meta().put(std::string(kept_key), state::encode_row(kept));
  turn.touch("event:", request.name);
  turn.touch("event:");
  return proto::event::Sent{.id = event.id, .rev = turn.rev()};
}

Result<proto::event::Listing> list(Turn& turn, const proto::event::List& request) {
  proto::event::Listing listing{.events = {}, .rev = turn.last_rev(), .cut = false};
  std::size_t bytes = 0;
  turn.events().scan({}, state::be64(request.after.value + 1),
                     [&](std::string_view, const state::EventRow& row) {
                       if (!request.name.empty() && row.name != request.name) return true;
                       if (bytes > limits::reply_bytes_max) {
                         listing.cut = true;
                         listing.rev = listing.events.back().rev;
                         return false;
                       }
                       bytes += weight(row);
                       listing.events.push_back(row);
                       if (request.last != 0 && listing.events.size() > request.last)
                         listing.events.erase(listing.events.begin());
                       return true;
                     });
  return listing;
}

}  // namespace muster::core::event
