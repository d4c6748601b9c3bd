// txn: several keys in one change (messages: common/protocol/kv_txn.hpp).
#pragma once

#include "broker/core/turn.hpp"
#include "common/protocol/kv_txn.hpp"

namespace muster::core::kv {

Result<proto::kv::Outcome> txn(Turn& turn, const proto::kv::Txn& request);

}  // namespace muster::core::kv
