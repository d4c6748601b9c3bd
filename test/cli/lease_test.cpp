// lease: the owner gives up before the broker may.
#include "cli/lease.hpp"

#include "test/support/catch.hpp"

namespace muster::cli {
namespace {

// [M22]
TEST_CASE("lease: counted from the sending, given up a grace before the TTL has passed", "[cli]") {
  const TimePoint start{seconds(100)};
  Lease lease(seconds(15), seconds(5));
  lease.acknowledged(start);
  CHECK(lease.deadline() == start + seconds(10));
  CHECK(lease.next_keepalive(start) == start + seconds(5));
  CHECK_FALSE(lease.lost(start + seconds(10) - milliseconds(1)));
  CHECK(lease.lost(start + seconds(10)));
}

TEST_CASE("lease: an older acknowledgement that comes late shortens nothing", "[cli]") {
  const TimePoint start{seconds(100)};
  Lease lease(seconds(15), seconds(5));
  lease.acknowledged(start + seconds(5));
  lease.acknowledged(start);
  CHECK(lease.deadline() == start + seconds(15));
}

}  // namespace
}  // namespace muster::cli
