// event: named events, kept in the one order of revisions (messages: common/protocol/event.hpp).
#pragma once

#include "broker/core/turn.hpp"
#include "common/protocol/event.hpp"

namespace muster::core::event {

Result<proto::event::Sent> send(Turn& turn, const proto::event::Send& request);
Result<proto::event::Listing> list(Turn& turn, const proto::event::List& request);

}  // namespace muster::core::event
