// moment: see moment.hpp.
#include "cli/moment.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <ctime>

#include <fmt/format.h>

#include "cli/duration.hpp"

namespace muster::cli {
namespace {

Error refused(std::string_view text) {
  return {
      Code::invalid,
      fmt::format("invalid time \"{}\": write \"10m ago\", 2026-11-22 or 2026-11-22T09:00", text)};
}

std::optional<int> digits(std::string_view& text, std::size_t count) {
  int value = 0;
  if (text.size() < count) return std::nullopt;
  const auto [end, error] = std::from_chars(text.data(), text.data() + count, value);
  if (error != std::errc() || end != text.data() + count || text.front() == '-')
    return std::nullopt;
  text.remove_prefix(count);
  return value;
}

bool skip(std::string_view& text, std::string_view any_of) {
  if (text.empty() || any_of.find(text.front()) == std::string_view::npos) return false;
  text.remove_prefix(1);
  return true;
}

/// "2026-11-22", then perhaps "T09:00", then perhaps ":30".
bool read_date(std::string_view& text, std::tm& date) {
  const auto year = digits(text, 4);
  if (!year || !skip(text, "-")) return false;
  const auto month = digits(text, 2);
  if (!month || !skip(text, "-")) return false;
  const auto day = digits(text, 2);
  if (!day || *month < 1 || *month > 12 || *day < 1 || *day > 31) return false;
  date.tm_year = *year - 1900;
  date.tm_mon = *month - 1;
  date.tm_mday = *day;
  if (!skip(text, "T ")) return true;
  const auto hour = digits(text, 2);
  if (!hour || !skip(text, ":")) return false;
  const auto minute = digits(text, 2);
  if (!minute || *hour > 23 || *minute > 59) return false;
  date.tm_hour = *hour;
  date.tm_min = *minute;
  if (!skip(text, ":")) return true;
  const auto second = digits(text, 2);
  if (!second || *second > 60) return false;
  date.tm_sec = *second;
  if (!skip(text, ".")) return true;
  while (skip(text, "0123456789")) continue;  // to the second is near enough
  return true;
}

/// East of Greenwich, in seconds; none: the text names no zone, or not rightly.
std::optional<int> read_zone(std::string_view& text) {
  if (skip(text, "Zz")) return 0;
  const int sign = text.starts_with('-') ? -1 : 1;
  if (!skip(text, "+-")) return std::nullopt;
  const auto hours = digits(text, 2);
  skip(text, ":");
  const auto minutes = digits(text, 2);
  if (!hours || !minutes) return std::nullopt;
  return sign * (*hours * 3600 + *minutes * 60);
}

Result<WallTime> parse_date(std::string_view text) {
  std::string_view rest = text;
  std::tm date{};
  date.tm_isdst = -1;
  if (!read_date(rest, date)) return refused(text);
  const std::tm asked = date;
  std::time_t time = 0;
  if (rest.empty()) {
    time = std::mktime(&date);
  } else {
    const auto zone = read_zone(rest);
    if (!zone || !rest.empty()) return refused(text);
    time = ::timegm(&date) - *zone;
  }
  if (date.tm_mday != asked.tm_mday) return refused(text);  // February 30
  return WallTime{static_cast<std::uint64_t>(std::max<std::time_t>(time, 1)) * 1000};
}

/// As parse_duration, and days.
Result<Duration> parse_age(std::string_view text) {
  if (text.ends_with('d')) {
    std::string_view number = text.substr(0, text.size() - 1);
    const auto days = digits(number, number.size());
    if (days && *days < 36'500) return Duration(std::chrono::hours(24) * *days);
  }
  return parse_duration(text);
}

/// What was then is only known of what has been.
Result<proto::kv::Moment> moment_at(std::string_view text, WallTime now) {
  const Result<WallTime> time = parse_time(text, now);
  if (!time) return time.error();
  if (time->ms > now.ms) return Error{Code::invalid, fmt::format("{} has not come yet", text)};
  return proto::kv::Moment{.rev = {}, .at_ms = time->ms};
}

}  // namespace

Result<WallTime> parse_time(std::string_view text, WallTime now) {
  constexpr std::string_view ago = " ago";
  if (!text.ends_with(ago)) return parse_date(text);
  const Result<Duration> age = parse_age(text.substr(0, text.size() - ago.size()));
  if (!age) return refused(text);
  const auto ms = std::chrono::duration_cast<milliseconds>(*age).count();
  if (static_cast<std::uint64_t>(ms) >= now.ms) return refused(text);
  return WallTime{now.ms - static_cast<std::uint64_t>(ms)};
}

Result<proto::kv::Moment> parse_moment(std::string_view text, WallTime now) {
  std::uint64_t rev = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), rev);
  if (error == std::errc() && end == text.data() + text.size()) {
    if (rev == 0) return Error{Code::invalid, "revisions begin with 1"};
    return proto::kv::Moment{.rev = Revision{rev}};
  }
  return moment_at(text, now);
}

void MomentOptions::declare(Command& command) {
  command_ = &command;
  command.number("rev", rev_, "as it was at this revision", "REVISION");
  command.text("at", at_, "as it was then: \"10m ago\", 2026-11-22T09:00", "TIME");
}

/// An option without a value, as of an empty variable, must not mean the present.
Result<std::optional<proto::kv::Moment>> MomentOptions::moment() const {
  const bool by_rev = command_->given("rev");
  const bool by_time = command_->given("at");
  if (by_rev && by_time) return Error{Code::invalid, "-rev or -at, not both"};
  if (!by_rev && !by_time) return std::optional<proto::kv::Moment>();
  if (by_rev && rev_ == 0) return Error{Code::invalid, "revisions begin with 1"};
  if (by_rev) return std::optional(proto::kv::Moment{.rev = Revision{rev_}});
  const Result<proto::kv::Moment> moment = moment_at(at_, WallTime::now());
  if (!moment) return moment.error();
  return std::optional(*moment);
}

}  // namespace muster::cli
