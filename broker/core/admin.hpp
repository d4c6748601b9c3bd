// admin: status, and the broker's own housekeeping (messages: common/protocol/admin.hpp).
#pragma once

#include "broker/core/turn.hpp"
#include "common/protocol/admin.hpp"

namespace muster::core::admin {

Result<proto::admin::State> status(Turn& turn, const proto::admin::Status& request);
Result<proto::Empty> lead(Turn& turn, const proto::admin::Lead& request);
Result<proto::Empty> forget_client(Turn& turn, const proto::admin::ForgetClient& request);

}  // namespace muster::core::admin
