// cursor: how far the handlers of a watch have come (messages: common/protocol/cursor.hpp).
#pragma once

#include "broker/core/turn.hpp"
#include "common/protocol/cursor.hpp"

namespace muster::core::cursor {

Result<proto::cursor::Opened> open(Turn& turn, const proto::cursor::Open& request);
Result<proto::Empty> advance(Turn& turn, const proto::cursor::Advance& request);
Result<proto::cursor::Listing> list(Turn& turn, const proto::cursor::List& request);
Result<proto::Empty> forget(Turn& turn, const proto::cursor::Forget& request);

}  // namespace muster::core::cursor
