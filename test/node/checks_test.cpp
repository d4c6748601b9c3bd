// checks: when they run, when a status changes, what is told.
#include "node/checks.hpp"

#include <fmt/format.h>

#include "common/limits.hpp"
#include "test/support/catch.hpp"

namespace muster::node {
namespace {

proto::health::Check script(std::string id, std::uint64_t interval_ms = 1000) {
  proto::health::Check check{.id = std::move(id)};
  check.definition.args = {"/bin/true"};
  check.definition.interval_ms = interval_ms;
  return check;
}

/// The scheduler and a clock; what it asks for as lines.
class Play {
 public:
  void define(const std::vector<proto::health::Check>& checks) {
    checks_.define(checks, now_);
    take();
  }
  void pass(Duration time) {
    const TimePoint until = now_ + time;
    for (auto due = checks_.next_due(); due && *due <= until; due = checks_.next_due()) {
      now_ = std::max(now_, *due);
      checks_.tick(now_);
      take();
      if (checks_.next_due() == due) break;
    }
    now_ = until;
    checks_.tick(now_);
    take();
  }
  /// Runs until the check is started once more, and ends that.
  void run(const std::string& id, const CheckEnd& end) {
    const std::string wanted = "start " + id + "\n";
    for (int i = 0; i < 1000 && said_.find(wanted) == std::string::npos; ++i)
      pass(milliseconds(100));
    said_.clear();
    checks_.ended(id, end, now_);
    take();
  }
  void run(const std::string& id, int code, std::string output = "out") {
    run(id, CheckEnd{.code = code, .output = output, .output_bytes = output.size()});
  }
  void ended(const std::string& id, const CheckEnd& end = {}) {
    checks_.ended(id, end, now_);
    take();
  }
  void registered() {
    checks_.registered(now_);
    take();
  }
  std::string said() { return std::exchange(said_, {}); }
  std::string noted() { return std::exchange(noted_, {}); }
  Checks& checks() { return checks_; }

 private:
  void take() {
    for (const Checks::Effect& effect : checks_.take()) {
      if (const auto* start = std::get_if<Checks::Start>(&effect)) {
        said_ += fmt::format("start {}\n", start->id);
      } else if (const auto* end = std::get_if<Checks::End>(&effect)) {
        said_ += fmt::format("end {}\n", end->id);
      } else if (const auto* note = std::get_if<Checks::Note>(&effect)) {
        noted_ += fmt::format("{} {} was {}\n", note->id, note->status, note->was);
      } else {
        const auto& finding = std::get<Checks::Tell>(effect).finding;
        said_ += fmt::format("tell {} {} {}\n", finding.id, finding.status, finding.output.data);
      }
    }
  }

  Checks checks_{7};
  TimePoint now_{std::chrono::hours(1)};
  std::string said_;
  std::string noted_;
};

}  // namespace

TEST_CASE("checks: the first run comes within the interval, the next an interval later", "[node]") {
  Play play;
  play.define({script("a")});
  play.pass(seconds(1));
  CHECK(play.said() == "start a\n");
  play.pass(milliseconds(500));
  play.ended("a");
  CHECK(play.said().empty());
  play.pass(seconds(1));
  CHECK(play.said() == "start a\n");
}

TEST_CASE("checks: runs of one check never overlap", "[node]") {
  Play play;
  play.define({script("a")});
  play.pass(seconds(20));
  CHECK(play.said() == "start a\n");
  play.ended("a");
  play.pass(milliseconds(1));
  CHECK(play.said() == "start a\n");
}

TEST_CASE("checks: each change of status is told at once, the same status not again", "[node]") {
  Play play;
  play.define({script("a")});
  play.registered();
  play.run("a", 0);
  CHECK(play.said() == "tell a passing out\n");
  play.run("a", 0);
  CHECK(play.said().empty());
  play.run("a", 1);
  CHECK(play.said() == "tell a warning out\n");
  for (int flap = 0; flap < 20; ++flap) {
    play.run("a", flap % 2 == 0 ? 2 : 0);
    CHECK(play.said() == (flap % 2 == 0 ? "tell a critical out\n" : "tell a passing out\n"));
  }
}

TEST_CASE("checks: an output that changed alone is told at most once a minute", "[node]") {
  Play play;
  play.define({script("a", 40'000)});
  play.registered();
  play.run("a", 0, "1");
  play.said();
  play.run("a", 0, "2");
  CHECK(play.said().empty());
  play.run("a", 0, "3");
  CHECK(play.said() == "tell a passing 3\n");
}

TEST_CASE("checks: thresholds count runs in a row", "[node]") {
  Play play;
  auto check = script("a");
  check.definition.success_before_passing = 3;
  check.definition.failures_before_warning = 2;
  check.definition.failures_before_critical = 3;
  play.define({check});
  play.registered();
  for (const int code : {0, 0, 2, 0, 0}) play.run("a", code);
  CHECK(play.said().empty());
  play.run("a", 0);
  CHECK(play.said() == "tell a passing out\n");
  play.run("a", 2);
  CHECK(play.said().empty());
  play.run("a", 2);
  CHECK(play.said() == "tell a warning out\n");
  play.run("a", 2);
  CHECK(play.said() == "tell a critical out\n");
}

TEST_CASE("checks: what cannot be started, is killed or takes too long is critical, and says so",
          "[node]") {
  Play play;
  play.define({script("a"), script("b"), script("c")});
  play.registered();
  play.run("a", CheckEnd{.refused = "cannot be run: no such file"});
  CHECK(play.said() == "tell a critical cannot be run: no such file\n");
  play.run("b", CheckEnd{.signal = 9, .output = "half", .output_bytes = 4});
  CHECK(play.said() == "tell b critical killed by signal 9\nhalf\n");
  play.pass(limits::check_script_timeout + seconds(2));
  CHECK(play.said().find("end c\n") != std::string::npos);
  play.ended("c", CheckEnd{.signal = 15});
  CHECK(play.said().find("tell c critical timed out after 30s") != std::string::npos);
}

TEST_CASE("checks: of a long output the end is told, with Consul's line in front", "[node]") {
  Play play;
  play.define({script("a")});
  play.registered();
  play.run("a", CheckEnd{.output = "tail", .output_bytes = 9000});
  CHECK(play.said() == "tell a passing Captured 4 of 9000 bytes\n...\ntail\n");
}

TEST_CASE("checks: each change of status is noted for the log, told or not", "[node]") {
  Play play;
  play.define({script("a")});
  for (const int code : {0, 0, 2, 2, 0}) play.run("a", code);
  CHECK(play.noted() == "a passing was \na critical was passing\na passing was critical\n");
}

TEST_CASE("checks: nothing is told before the registration, everything with each", "[node]") {
  Play play;
  play.define({script("a"), script("b")});
  play.run("a", 0);
  CHECK(play.said().find("tell") == std::string::npos);
  play.registered();
  CHECK(play.said() == "tell a passing out\n");
  play.registered();
  CHECK(play.said() == "tell a passing out\n");
}

TEST_CASE("checks: a reload disturbs no check that is the same, and ends one that is gone",
          "[node]") {
  Play play;
  play.define({script("a"), script("b"), script("c")});
  play.registered();
  play.run("a", 0);
  play.pass(seconds(1));
  play.said();
  auto changed = script("c", 2000);
  play.define({script("a"), changed});
  CHECK(play.said() == "end c\nend b\n");
  play.ended("b");
  play.ended("c", CheckEnd{.signal = 15});
  CHECK(play.said().empty());
  CHECK(play.checks().size() == 2);
  play.registered();
  CHECK(play.said() == "tell a passing out\n");
  play.run("c", 0);
  CHECK(play.said() == "tell c passing out\n");
}

TEST_CASE("checks: at most so many run at once, who waited longest is next", "[node]") {
  Play play;
  std::vector<proto::health::Check> many;
  for (std::size_t i = 0; i < limits::checks_running_max + 5; ++i)
    many.push_back(script(fmt::format("c{:03}", i)));
  play.define(many);
  play.pass(seconds(2));
  CHECK(play.checks().running() == limits::checks_running_max);
  const std::string first = play.said();
  play.ended(first.substr(6, 4));
  play.pass(milliseconds(1));
  const std::string next = play.said();
  CHECK(next.starts_with("start "));
  CHECK(first.find(next) == std::string::npos);
}

TEST_CASE("checks: TTL checks are not run", "[node]") {
  Play play;
  auto check = script("a");
  check.definition = {.ttl_ms = 1000};
  play.define({check});
  play.pass(seconds(60));
  CHECK(play.said().empty());
  CHECK_FALSE(play.checks().next_due());
}

}  // namespace muster::node
