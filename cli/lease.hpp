// lease: how long we may believe that our session is alive.
//
// The broker counts a TTL from when it hears of us; we count from when we *sent* the message that
// it acknowledged, which was earlier, and stop before: what we guard must have ended when the TTL
// has.
//
//   sent                                                                the broker may expire us
//   |<------------------------------- TTL ----------------------------------->|
//   |<- TTL/5 ->| next keepalive          deadline |<- grace ->|<- slack ->|
//                                                  TERM        KILL
#pragma once

#include <algorithm>

#include "common/limits.hpp"
#include "common/types.hpp"

namespace muster::cli {

class Lease {
 public:
  explicit Lease(Duration ttl)
      : ttl_(ttl),
        grace_(std::min<Duration>(limits::kill_grace_default, ttl / 3)),
        slack_(std::min<Duration>(milliseconds(200), ttl / 20)) {}

  /// The broker has acknowledged what was sent then.
  void acknowledged(TimePoint sent) { sent_ = std::max(sent_, sent); }

  /// From here on the child has to be ended.
  TimePoint deadline() const { return sent_ + ttl_ - grace_ - slack_; }
  bool lost(TimePoint now) const { return now >= deadline(); }

  Duration ttl() const { return ttl_; }
  /// How long the child may take to end.
  Duration grace() const { return grace_; }
  Duration keepalive_interval() const { return ttl_ / 5; }

 private:
  const Duration ttl_;
  const Duration grace_;
  const Duration slack_;
  TimePoint sent_;
};

}  // namespace muster::cli
