// duration: durations for people (common/duration reads them).
#pragma once

#include <string>

#include "common/duration.hpp"
#include "common/types.hpp"

namespace muster::cli {

/// The shortest of "2h", "5s", "500ms" that says it exactly.
std::string format_duration(Duration duration);

/// For tables: how long ago, in one or two units ("3s", "5m12s", "2d4h").
std::string format_age(Duration age);

}  // namespace muster::cli
