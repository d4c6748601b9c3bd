// lease: the owner gives up before the broker may.
#include "cli/lease.hpp"

#include "test/support/catch.hpp"

namespace muster::cli {
namespace {

// [M22]
TEST_CASE("lease: counted from the sending, given up a grace before the TTL has passed", "[cli]") {
  const TimePoint start{seconds(100)};
  Lease lease(seconds(15));
  lease.acknowledged(start);
  CHECK(lease.deadline() + lease.grace() < start + seconds(15));
  CHECK(lease.deadline() > start + seconds(9));
  CHECK_FALSE(lease.lost(lease.deadline() - milliseconds(1)));
  CHECK(lease.lost(lease.deadline()));
}

TEST_CASE("lease: the grace is at most a third, and three keepalives fit before the deadline",
          "[cli]") {
  for (const Duration ttl :
       {Duration(limits::session_ttl_min), Duration(limits::session_ttl_max)}) {
    const Lease lease(ttl);
    CHECK(lease.grace() <= ttl / 3);
    CHECK(lease.deadline() - TimePoint() > 3 * lease.keepalive_interval());
  }
}

TEST_CASE("lease: an older acknowledgement that comes late shortens nothing", "[cli]") {
  const TimePoint start{seconds(100)};
  Lease lease(seconds(15));
  lease.acknowledged(start + seconds(5));
  const TimePoint deadline = lease.deadline();
  lease.acknowledged(start);
  CHECK(lease.deadline() == deadline);
}

}  // namespace
}  // namespace muster::cli
