// kv: keys and values (messages and errors: common/protocol/kv.hpp).
#pragma once

#include "broker/core/turn.hpp"
#include "common/protocol/kv.hpp"

namespace muster::core::kv {

Result<proto::kv::Written> put(Turn& turn, const proto::kv::Put& request);
Result<proto::kv::Entry> get(Turn& turn, const proto::kv::Get& request);
Result<proto::kv::Deleted> erase(Turn& turn, const proto::kv::Delete& request);
Result<proto::kv::Deleted> erase_prefix(Turn& turn, const proto::kv::DeletePrefix& request);
Result<proto::kv::Deleted> expire(Turn& turn, const proto::kv::Expire& request);
Result<proto::kv::Listing> list(Turn& turn, const proto::kv::List& request);

}  // namespace muster::core::kv
