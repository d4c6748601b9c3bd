// check_runs: checks as real programs, in the reactor.
#include "node/check_runs.hpp"

#include <cstdlib>
#include <map>

#include "test/support/catch.hpp"

namespace muster::node {
namespace {

class Runs {
 public:
  Runs()
      : runs_(reactor_, os::environment_with({}), 1, [this](auto findings) {
          for (auto& finding : findings) told_[finding.id] = std::move(finding);
        }) {
    runs_.registered();
  }
  void define(const std::vector<proto::health::Check>& checks) { runs_.define(checks); }
  /// What was found out about a check. Fails the test when nothing is in time.
  proto::health::Finding finding(const std::string& id) {
    reactor_.run_until(BootClock::now() + seconds(30), [&] { return told_.contains(id); });
    REQUIRE(told_.contains(id));
    return told_.at(id);
  }
  void stop() {
    runs_.stop();
    reactor_.run_until(BootClock::now() + seconds(30), [&] { return runs_.idle(); });
    CHECK(runs_.idle());
  }

 private:
  net::Reactor reactor_;
  std::map<std::string, proto::health::Finding> told_;
  CheckRuns runs_;
};

proto::health::Check script(std::string id, std::vector<std::string> args) {
  proto::health::Check check{.id = std::move(id)};
  check.definition.args = std::move(args);
  check.definition.interval_ms = 10;
  return check;
}

}  // namespace

TEST_CASE("check_runs: a program's exit code is its status, both streams its output", "[node]") {
  Runs runs;
  runs.define(
      {script("fine", {"/bin/sh", "-c", "echo out; echo $MUSTER_CHECK >&2"}),
       script("odd", {"/bin/sh", "-c", "exit 1"}), script("bad", {"/bin/sh", "-c", "exit 7"}),
       script("killed", {"/bin/sh", "-c", "kill -9 $$"}), script("none", {"/no/such/program"}),
       script("long", {"/bin/sh", "-c", "seq 3000; exit 2"})});
  CHECK(runs.finding("fine").status == "passing");
  CHECK(runs.finding("fine").output.data.find("out\n") != std::string::npos);
  CHECK(runs.finding("fine").output.data.find("fine\n") != std::string::npos);
  CHECK(runs.finding("odd").status == "warning");
  CHECK(runs.finding("bad").status == "critical");
  CHECK(runs.finding("killed").status == "critical");
  CHECK(runs.finding("killed").output.data.find("killed by signal 9") == 0);
  CHECK(runs.finding("none").output.data == "cannot be run: No such file or directory");
  const auto output = runs.finding("long").output.data;
  CHECK(output.find("Captured 4096 of 13893 bytes\n...\n") == 0);
  CHECK(output.ends_with("2999\n3000\n"));
  runs.stop();
}

TEST_CASE("check_runs: a check that takes too long is ended with all its processes", "[node]") {
  Runs runs;
  auto slow = script("slow", {"/bin/sh", "-c", "echo begun; sleep 1000 & sleep 1000"});
  slow.definition.timeout_ms = 300;
  runs.define({slow});
  const auto found = runs.finding("slow");
  CHECK(found.status == "critical");
  CHECK(found.output.data == "timed out after 300ms\nbegun\n");
  runs.stop();
}

TEST_CASE("check_runs: a URL, a place and a unit are looked at by programs of their own",
          "[node]") {
  proto::health::Check check{.id = "c"};
  check.definition.http = "http://127.0.0.1/";
  check.definition.method = "PUT";
  check.definition.body = "hello";
  check.definition.header = {{"X-A", {"1", "2"}}};
  check.definition.tls_skip_verify = true;
  const auto words = program_of(check);
  REQUIRE(words.size() == 14);
  CHECK(words[0].ends_with("/muster-probe"));
  CHECK(std::vector<std::string>(words.begin() + 1, words.end()) ==
        std::vector<std::string>{"--timeout", "10s", "--http", "http://127.0.0.1/", "--method",
                                 "PUT", "--header", "X-A: 1", "--header", "X-A: 2", "--body",
                                 "hello", "--skip-verify"});
  proto::health::Check unit{.id = "u"};
  unit.definition.unit = "no-such-unit.service";
  unit.definition.interval_ms = 10;
  Runs runs;
  runs.define({unit});
  CHECK(runs.finding("u").status == "critical");
  CHECK(runs.finding("u").output.data.find("no-such-unit.service: ") == 0);
  runs.stop();
}

}  // namespace muster::node
