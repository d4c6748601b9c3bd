// session: hello, and leases (messages and errors: common/protocol/session.hpp).
//
//   open --(its TTL passes unheard | end | expire)--> ended, with all it holds, in one change
//
// Only messages on the connection attached to it keep it alive; attach_gen says which attachment a
// proposal to expire was made against.
#pragma once

#include "broker/core/turn.hpp"
#include "common/protocol/session.hpp"

namespace muster::core::session {

Result<proto::session::Welcome> hello(Turn& turn, const proto::session::Hello& request);
Result<proto::session::Pong> ping(Turn& turn, const proto::session::Ping& request);
Result<proto::session::Lease> open(Turn& turn, const proto::session::Open& request);
Result<proto::session::Lease> attach(Turn& turn, const proto::session::Attach& request);
Result<proto::session::Lease> keepalive(Turn& turn, const proto::session::Keepalive& request);
Result<proto::Empty> end(Turn& turn, const proto::session::End& request);
Result<proto::Empty> expire(Turn& turn, const proto::session::Expire& request);
/// What is left of a long lease, for the time after a restart; noted only when it has moved by a
/// tenth.
void note_rest(Turn& turn, const std::string& id, milliseconds rest);
Result<proto::session::Listing> list(Turn& turn, const proto::session::List& request);

}  // namespace muster::core::session
