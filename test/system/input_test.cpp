// input_test: what bad input gets from the tool: a line that says what to do, and its exit code.
#include <fmt/format.h>

#include "test/support/catch.hpp"
#include "test/support/cluster.hpp"

namespace muster::test {
namespace {

/// What it says, on both streams; checks that it ends with `code`.
std::string refusal(Cluster& cluster, int code, std::vector<std::string> words) {
  const auto process = cluster.start(std::move(words));
  CHECK(process->wait() == code);
  return process->output();
}

bool says(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

TEST_CASE("input: bad options are one line, exit 64", "[system]") {
  Cluster cluster;
  for (const std::vector<std::string>& words : {std::vector<std::string>{"muster", "nonsense"},
                                                {"muster", "kv", "nonsense"},
                                                {"muster", "kv", "put", "-nonsense", "k", "v"},
                                                {"muster", "watch", "-type=nonsense", "cat"},
                                                {"muster", "lock", "-n=0", "l", "true"},
                                                {"muster", "exec", "-timeout=5", "true"}}) {
    CAPTURE(words);
    const std::string said = refusal(cluster, 64, words);
    CHECK(says(said, "help"));
  }
}

TEST_CASE("input: no broker is said within the timeout, exit 3", "[system]") {
  Cluster cluster;  // without one
  const TimePoint start = BootClock::now();
  CHECK(says(refusal(cluster, 3, {"muster", "kv", "get", "--timeout", "300ms", "k"}),
             "no broker answered at " + cluster.endpoint() + " within 0.3 s"));
  CHECK(BootClock::now() - start < seconds(5));
}

TEST_CASE("input: keys and values that are refused, and nothing is written", "[system]") {
  Cluster cluster;
  cluster.start_broker();
  CHECK(says(refusal(cluster, 5, {"muster", "kv", "get", "absent"}),
             "Error! No key exists at: absent"));
  const std::string file = cluster.folder("large");
  cluster.run({"truncate", "-s", "1048577", file});
  const std::string large = refusal(cluster, 1, {"muster", "kv", "put", "large", "@" + file});
  CHECK(says(large, "1048577"));
  CHECK(says(large, "1048576"));
  refusal(cluster, 5, {"muster", "kv", "get", "large"});
  const std::string long_key(401, 'k');
  CHECK(says(refusal(cluster, 1, {"muster", "kv", "put", long_key, "v"}), "400"));
  refusal(cluster, 5, {"muster", "kv", "get", long_key.substr(0, 400)});
  CHECK(cluster.run({"muster", "kv", "list"}).find("large") == std::string::npos);
}

}  // namespace
}  // namespace muster::test
