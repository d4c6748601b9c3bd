// watch: the two requests that make notices complete (messages: common/protocol/watch.hpp).
#pragma once

#include "broker/core/turn.hpp"
#include "common/protocol/watch.hpp"

namespace muster::core::watch {

/// Committed revisions only; a header's at_least is the core's business (it asks again).
Result<proto::watch::Answer> read(Turn& turn, const proto::watch::Read& request);
Result<proto::watch::Synced> sync(Turn& turn, const proto::watch::Sync& request);

}  // namespace muster::core::watch
