// duration: see duration.hpp.
#include "cli/duration.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace muster::cli {

std::string format_duration(Duration duration) {
  const auto count = duration.count();
  if (count == 0) return "0s";
  if (count % 3'600'000'000 == 0) return fmt::format("{}h", count / 3'600'000'000);
  if (count % 60'000'000 == 0) return fmt::format("{}m", count / 60'000'000);
  if (count % 1'000'000 == 0) return fmt::format("{}s", count / 1'000'000);
  if (count % 1000 == 0) return fmt::format("{}ms", count / 1000);
  return fmt::format("{}us", count);
}

std::string format_age(Duration age) {
  const auto total = std::max<Duration::rep>(0, std::chrono::duration_cast<seconds>(age).count());
  if (total < 60) return fmt::format("{}s", total);
  if (total < 3600) return fmt::format("{}m{}s", total / 60, total % 60);
  if (total < 86400) return fmt::format("{}h{}m", total / 3600, total / 60 % 60);
  return fmt::format("{}d{}h", total / 86400, total / 3600 % 24);
}

}  // namespace muster::cli
