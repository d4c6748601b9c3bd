// duration: `2s`, `500ms`, `1h30m`: durations as Go and Consul write them.
#pragma once

#include <string_view>

#include "common/error.hpp"
#include "common/types.hpp"

namespace muster {

/// Units: h m s ms us; fractions (`1.5s`); `0` alone. A bare number is refused, since nobody knows
/// what it counts. Errors: invalid.
Result<Duration> parse_duration(std::string_view text);

}  // namespace muster
