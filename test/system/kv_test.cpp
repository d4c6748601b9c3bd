// kv_test: the kv commands against a real broker, over kill -9.
#include "common/protocol/kv.hpp"

#include <algorithm>
#include <sstream>

#include <fmt/format.h>

#include "common/net/client.hpp"
#include "common/protocol/admin.hpp"
#include "common/protocol/session.hpp"
#include "test/support/catch.hpp"
#include "test/support/cluster.hpp"

namespace muster::test {
namespace {

class Keys {
 public:
  explicit Keys(std::vector<std::string> options = {}) : options_(std::move(options)) {
    cluster_.start_broker(options_);
  }

  std::string run(std::vector<std::string> words) {
    words.insert(words.begin(), {"muster", "kv"});
    return cluster_.run(std::move(words));
  }
  /// Its output and its exit code.
  std::pair<std::string, int> outcome(std::vector<std::string> words) {
    words.insert(words.begin(), {"muster", "kv"});
    const auto process = cluster_.start(std::move(words));
    const int code = process->wait();
    return {process->output(), code};
  }
  void restart() {
    cluster_.kill_broker();
    cluster_.start_broker(options_);
  }
  Cluster& cluster() { return cluster_; }

 private:
  const std::vector<std::string> options_;
  Cluster cluster_;
};

TEST_CASE("kv: an export is imported in one transaction, and a bad one not at all", "[system]") {
  Keys keys;
  keys.run({"put", "-flags=9", "a/1", "one"});
  keys.run({"put", "a/2", "two"});
  const std::string exported = keys.run({"export", "a/"});
  keys.run({"delete", "-recurse", "a/"});
  CHECK(keys.run({"export", "a/"}) == "[]\n");
  CHECK(keys.run({"import", exported}) == "Imported: a/1\nImported: a/2\n");
  CHECK(keys.run({"export", "a/"}) == exported);
  CHECK(keys.run({"log", "a/1"}).find("put (kv.txn)") != std::string::npos);
  const auto [output, code] =
      keys.outcome({"import", R"([{"key":"b","value":""},{"key":"/c","value":""}])"});
  CHECK(code == 1);
  CHECK(output.find("key /c: ") != std::string::npos);
  CHECK(keys.outcome({"get", "b"}).second == 5);
}

TEST_CASE("kv: the past, and a TTL, outlive a broker that is killed", "[system]") {
  Keys keys;
  keys.run({"put", "k", "first"});
  keys.run({"put", "-ttl=300ms", "short", "x"});
  keys.run({"put", "-ttl=1h", "long", "x"});
  keys.restart();
  keys.run({"put", "k", "second"});
  CHECK(keys.run({"get", "-rev=2", "k"}) == "first\n");
  CHECK(keys.run({"revert", "-to=2", "k"}).find("Success! Reverted k: 1 written") == 0);
  CHECK(keys.run({"get", "k"}) == "first\n");
  wait_until(
      [&] {
        return keys.outcome({"get", "short"}).second == 5;
      },
      "the key to expire", seconds(30));
  CHECK(keys.run({"log", "short"}).find("expire") != std::string::npos);
  CHECK(keys.run({"get", "long"}) == "x\n");
}

TEST_CASE("kv: what was trimmed is gone, with the revision since when; what is kept is right",
          "[system]") {
  Keys keys({"--log-bytes", "1", "--keep", "keep/=1"});
  keys.run({"put", "old", "right"});
  zmq::context_t context;
  net::Reactor reactor;
  const auto client = *net::Client::open(reactor, context, {.broker = keys.cluster().endpoint()});
  const auto first = client->call(proto::kv::Put{.key = "keep/k", .value = Bytes("first")});
  keys.run({"put", "keep/k", "second"});
  const std::string value(512 * 1024, 'x');
  const auto floor = [&] { return client->call(proto::admin::Status{})->trim_floor.value; };
  wait_until(
      [&] {
        for (int i = 0; i < 8; ++i) {
          const std::string own = value + std::to_string(floor() + static_cast<std::uint64_t>(i));
          REQUIRE(client->call(proto::kv::Put{.key = "busy", .value = Bytes(own)}));
        }
        return floor() > 5;
      },
      "history to be trimmed", seconds(60));
  const auto [output, code] = keys.outcome({"get", "-rev=4", "busy"});
  CHECK(code == 1);
  CHECK(output.find("the past is kept since revision") != std::string::npos);
  const std::string now = std::to_string(client->call(proto::session::Ping{})->rev.value);
  keys.run({"put", "old", "wrong"});
  keys.restart();
  CHECK(keys.run({"get", "-rev=" + now, "old"}) == "right\n");
  keys.run({"revert", "-to=" + now, "old"});
  CHECK(keys.run({"get", "old"}) == "right\n");
  CHECK(keys.run({"get", fmt::format("-rev={}", first->rev.value), "keep/k"}) == "first\n");
}

}  // namespace
}  // namespace muster::test
