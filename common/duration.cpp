// duration: see duration.hpp.
#include "common/duration.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdlib>
#include <string>

#include <fmt/format.h>

namespace muster {
namespace {

struct Unit {
  std::string_view name;
  Duration length;
};

/// Longest names first where one is the beginning of another.
constexpr std::array<Unit, 5> units = {{
    {"ms", milliseconds(1)},
    {"us", Duration(1)},
    {"h", std::chrono::hours(1)},
    {"m", std::chrono::minutes(1)},
    {"s", seconds(1)},
}};

constexpr Duration longest = std::chrono::hours(24 * 365 * 10);

Error refused(std::string_view text) {
  return {Code::invalid, fmt::format("invalid duration \"{}\": write 5s, 500ms or 1h30m", text)};
}

std::size_t number_length(std::string_view text) {
  return std::min(text.find_first_not_of("0123456789."), text.size());
}

}  // namespace

Result<Duration> parse_duration(std::string_view text) {
  if (text == "0") return Duration(0);
  if (text.empty()) return refused(text);
  double total = 0;
  for (std::string_view rest = text; !rest.empty();) {
    const std::size_t length = number_length(rest);
    const std::string number(rest.substr(0, length));
    if (number.empty() || std::count(number.begin(), number.end(), '.') > 1 || number == ".")
      return refused(text);
    rest.remove_prefix(length);
    const auto* unit = std::find_if(units.begin(), units.end(),
                                    [&](const Unit& u) { return rest.starts_with(u.name); });
    if (unit == units.end()) return refused(text);
    rest.remove_prefix(unit->name.size());
    total += std::strtod(number.c_str(), nullptr) * static_cast<double>(unit->length.count());
    if (total > static_cast<double>(longest.count())) return refused(text);
  }
  return Duration(static_cast<Duration::rep>(std::llround(total)));
}

}  // namespace muster
