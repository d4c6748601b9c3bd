// duration: `2s`, `500ms`, `1h30m`: durations as Go and Consul write them.
#pragma once

#include <string>
#include <string_view>

#include "common/error.hpp"
#include "common/types.hpp"

namespace muster::cli {

/// Units: h m s ms us; fractions (`1.5s`); `0` alone. A bare number is refused, since nobody knows
/// what it counts. Errors: invalid.
Result<Duration> parse_duration(std::string_view text);

/// The shortest of "2h", "5s", "500ms" that says it exactly.
std::string format_duration(Duration duration);

/// For tables: how long ago, in one or two units ("3s", "5m12s", "2d4h").
std::string format_age(Duration age);

}  // namespace muster::cli
