// duration: as Go writes them.
#include "cli/duration.hpp"

#include "test/support/catch.hpp"

using namespace muster;
using namespace muster::cli;

TEST_CASE("duration: Go's forms are read") {
  CHECK(*parse_duration("2s") == seconds(2));
  CHECK(*parse_duration("500ms") == milliseconds(500));
  CHECK(*parse_duration("1h30m") == std::chrono::minutes(90));
  CHECK(*parse_duration("1.5s") == milliseconds(1500));
  CHECK(*parse_duration("7us") == Duration(7));
  CHECK(*parse_duration("0") == Duration(0));
}

TEST_CASE("duration: what nobody can be sure of is refused") {
  for (const char* text : {"", "5", "s", "5x", "-5s", "1..5s", ".s", "5 s", "99999999999999999h"}) {
    INFO(text);
    CHECK_FALSE(parse_duration(text));
  }
}

TEST_CASE("duration: written in the unit that says it exactly") {
  CHECK(format_duration(seconds(15)) == "15s");
  CHECK(format_duration(seconds(120)) == "2m");
  CHECK(format_duration(milliseconds(1500)) == "1500ms");
  CHECK(format_duration(Duration(0)) == "0s");
}

TEST_CASE("duration: an age has two units at most") {
  CHECK(format_age(milliseconds(900)) == "0s");
  CHECK(format_age(seconds(312)) == "5m12s");
  CHECK(format_age(seconds(2 * 86400 + 4 * 3600 + 5)) == "2d4h");
}
