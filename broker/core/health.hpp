// health: what nodes find out, what is told, what times out (messages: common/protocol/health.hpp).
//
//   a TTL check   any -- update --> as told       its time begins anew
//                 any -- expire --> critical      nothing was told for so long
//   critical -- abandon --> gone, with its service: where the definition says after how long
#pragma once

#include "broker/core/turn.hpp"
#include "common/protocol/health.hpp"

namespace muster::core::health {

Result<proto::Empty> report(Turn& turn, const proto::health::Report& request);
Result<proto::Empty> update(Turn& turn, const proto::health::Update& request);
Result<proto::Empty> expire(Turn& turn, const proto::health::Expire& request);
Result<proto::Empty> abandon(Turn& turn, const proto::health::Abandon& request);
Result<proto::Empty> maintain(Turn& turn, const proto::health::Maintain& request);
Result<proto::health::Listing> list(Turn& turn, const proto::health::List& request);

}  // namespace muster::core::health
