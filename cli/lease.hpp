// lease: how long we may believe that our session is alive.
//
// The broker counts a TTL from when it hears of us; we count from when we *sent* the message that
// it acknowledged, which was earlier, and stop before: what we guard must have ended when the TTL
// has.
//
//   sent ........ acknowledged                                        the broker may expire us
//   |<----------------------------- TTL ------------------------------>|
//   |<-- TTL/3 -->| next keepalive      deadline |<-- kill grace ----->|
#pragma once

#include <algorithm>

#include "common/error.hpp"
#include "common/types.hpp"

namespace muster::cli {

class Lease {
 public:
  /// `grace` is how long the child may take to end. At most a third of the TTL.
  Lease(Duration ttl, Duration grace) : ttl_(ttl), grace_(grace) { ENSURE(grace_ * 3 <= ttl_); }

  /// The broker has acknowledged what was sent then.
  void acknowledged(TimePoint sent) { sent_ = std::max(sent_, sent); }

  /// From here on the child has to be ended.
  TimePoint deadline() const { return sent_ + ttl_ - grace_; }
  bool lost(TimePoint now) const { return now >= deadline(); }
  /// When to send the next keepalive after one that was sent at `sent`.
  TimePoint next_keepalive(TimePoint sent) const { return sent + ttl_ / 3; }

  Duration ttl() const { return ttl_; }
  Duration grace() const { return grace_; }

 private:
  const Duration ttl_;
  const Duration grace_;
  TimePoint sent_;
};

}  // namespace muster::cli
