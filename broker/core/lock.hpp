// lock: named locks with a limit, granted in the order they were asked for.
//
// The tickets are the whole truth: those with a token hold, the others wait, in order.
//
//   free    -- acquire(a) --> held(a)   a is granted; its token is this change's revision
//   held(a) -- acquire(b) --> held(a)   b waits; its request stays parked
//   held(a) -- acquire(a) --> held(a)   a is told its token again (a retry)
//   held(a) -- release(a) --> held(b)   b is granted; the lock is forgotten if none waits
//   held(a) -- a ends     --> held(b)   as release(a); a waiter that ends just leaves
//   wait(b) -- give_up(b) --> -         b's wait is over, unless a grant came first
//
// A change frees at most one place of a lock (a session has one ticket in it), so it grants at most
// one, and the token, which is the change's revision, belongs to one holder only.
#pragma once

#include "broker/core/turn.hpp"
#include "common/protocol/lock.hpp"

namespace muster::core::lock {

/// Parks, also when it is granted at once: the answer is then part of the same change.
Result<ParkedLater> acquire(Turn& turn, const proto::lock::Acquire& request);
Result<proto::Empty> release(Turn& turn, const proto::lock::Release& request);
Result<proto::Empty> give_up(Turn& turn, const proto::lock::GiveUp& request);
Result<proto::lock::Listing> list(Turn& turn, const proto::lock::List& request);

/// Everything a session holds or waits for is given back, in this change.
void leave_all(Turn& turn, const std::string& session);

/// Whether the token is among the lock's present holders. Errors: fenced.
Result<Done> check_fence(const state::View& view, const proto::Fence& fence);

}  // namespace muster::core::lock
