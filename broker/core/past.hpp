// past: reading what keys were, and going back (messages: common/protocol/kv_past.hpp).
#pragma once

#include "broker/core/turn.hpp"
#include "common/protocol/kv_past.hpp"

namespace muster::core::past {

/// kv.get and kv.list of another moment than now.
Result<proto::kv::Entry> get(Turn& turn, const proto::kv::Get& request);
Result<proto::kv::Listing> list(Turn& turn, const proto::kv::List& request);

Result<proto::kv::Past> log(Turn& turn, const proto::kv::Log& request);
Result<proto::kv::Differences> diff(Turn& turn, const proto::kv::Diff& request);
Result<proto::kv::Reverted> revert(Turn& turn, const proto::kv::Revert& request);

}  // namespace muster::core::past
