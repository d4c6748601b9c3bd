// types: the clocks, and ids as text.
#include "common/types.hpp"

#include <ctime>

#include <fmt/format.h>

#include "common/error.hpp"

namespace muster {

BootClock::time_point BootClock::now() {
  timespec now{};
  ENSURE(clock_gettime(CLOCK_BOOTTIME, &now) == 0);
  return time_point(std::chrono::duration_cast<Duration>(std::chrono::seconds(now.tv_sec) +
                                                         std::chrono::nanoseconds(now.tv_nsec)));
}

WallTime WallTime::now() {
  const auto since = std::chrono::system_clock::now().time_since_epoch();
  return WallTime{static_cast<std::uint64_t>(
      std::chrono::duration_cast<std::chrono::milliseconds>(since).count())};
}

std::string uuid_from(const std::array<std::uint8_t, 16>& random) {
  auto b = random;
  b[6] = static_cast<std::uint8_t>((b[6] & 0x0f) | 0x40);  // RFC 9562: version 4,
  b[8] = static_cast<std::uint8_t>((b[8] & 0x3f) | 0x80);  // variant 10
  return fmt::format(
      "{:02x}{:02x}{:02x}{:02x}-{:02x}{:02x}-{:02x}{:02x}-{:02x}{:02x}-{:02x}{:02x}{:02x}{:02x}{:02x}{:02x}",
      b[0], b[1], b[2], b[3], b[4], b[5], b[6], b[7], b[8], b[9], b[10], b[11], b[12], b[13], b[14],
      b[15]);
}

}  // namespace muster
