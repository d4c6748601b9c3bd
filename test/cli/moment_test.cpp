// moment: revisions and times, as people write them.
#include "cli/moment.hpp"

#include <cstdlib>
#include <ctime>

#include "test/support/catch.hpp"

using namespace muster;
using namespace muster::cli;

namespace {

constexpr WallTime now{1'795'446'000'000};  // 2026-11-23T15:00:00Z

/// In a zone that is an hour east.
struct Zone {
  Zone() { set("CET-1"); }
  ~Zone() { set("UTC0"); }
  Zone(const Zone&) = delete;
  Zone& operator=(const Zone&) = delete;
  static void set(const char* name) {
    setenv("TZ", name, 1);
    tzset();
  }
};

std::uint64_t ms(std::string_view text) {
  const Result<WallTime> time = parse_time(text, now);
  REQUIRE(time);
  return time->ms;
}

}  // namespace

TEST_CASE("moment: ages, dates and zones") {
  const Zone zone;
  CHECK(ms("10m ago") == now.ms - 600'000);
  CHECK(ms("1h30m ago") == now.ms - 5'400'000);
  CHECK(ms("2d ago") == now.ms - 172'800'000);
  CHECK(ms("2026-11-23T15:00:00Z") == now.ms);
  CHECK(ms("2026-11-23T16:00") == now.ms);
  CHECK(ms("2026-11-23 15:59:30") == now.ms - 30'000);
  CHECK(ms("2026-11-23T14:59:30.123+00:00") == now.ms - 30'000);
  CHECK(ms("1900-01-01") == 1000);  // before all that is kept
  CHECK(ms("2026-11-23T17:30+02:30") == now.ms);
  CHECK(ms("2026-11-23T14:00-0100") == now.ms);
  CHECK(ms("2026-11-23") == now.ms - 16 * 3'600'000);
}

TEST_CASE("moment: what is no time is refused, and says how to write one") {
  for (const char* text :
       {"", "yesterday", "ago", " ago", "x ago", "10 ago", "2026", "2026-13-01", "2026-02-30",
        "2026-11-23T25:00", "2026-11-23T15:00X", "2026-11-23T15:00+1", "-1d ago", "99999d ago"}) {
    CAPTURE(text);
    const Result<WallTime> time = parse_time(text, now);
    REQUIRE_FALSE(time);
    CHECK(time.error().message.find("2026-11-22T09:00") != std::string::npos);
  }
}

TEST_CASE("moment: what is to come is refused, not taken for now") {
  const auto moment = parse_moment("2026-11-24", now);
  REQUIRE_FALSE(moment);
  CHECK(moment.error().message == "2026-11-24 has not come yet");
}

TEST_CASE("moment: a number is a revision, and they begin with 1") {
  CHECK(parse_moment("1234", now)->rev == Revision{1234});
  CHECK(parse_moment("10m ago", now)->at_ms == now.ms - 600'000);
  CHECK_FALSE(parse_moment("0", now));
  CHECK_FALSE(parse_moment("-5", now));
}
