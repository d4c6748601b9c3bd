// broker_test: kill -9 under load, and what a broker says when it cannot start.
#include <algorithm>
#include <csignal>
#include <fstream>
#include <map>

#include <fmt/format.h>

#include "common/net/client.hpp"
#include "common/protocol/kv.hpp"
#include "test/support/catch.hpp"
#include "test/support/cluster.hpp"

namespace muster::test {
namespace {

constexpr std::size_t writers = 64;
constexpr std::size_t lives = 5;
constexpr std::size_t puts_a_life = 20'000;

/// A connection that puts to a key of its own, one after the other, for as long as it is wanted.
class Writer {
 public:
  Writer(net::Reactor& reactor, zmq::context_t& context, const std::string& broker, std::size_t n)
      : key_(fmt::format("writer/{}", n)),
        client_(*net::Client::open(reactor, context, {.broker = broker})) {}

  void go() {
    busy_ = true;
    const std::uint64_t value = ++asked_;
    client_->request<proto::kv::Put>({.key = key_, .value = Bytes(std::to_string(value))},
                                     {.timeout = seconds(30)},
                                     [this, value](const Result<proto::kv::Written>& written) {
                                       busy_ = false;
                                       if (!written) {
                                         failed_ = written.error().message;
                                         return;
                                       }
                                       acknowledged_ = value;
                                       if (wanted) go();
                                     });
  }

  bool wanted = true;
  bool busy() const { return busy_; }
  const std::string& failed() const { return failed_; }
  const std::string& key() const { return key_; }
  std::uint64_t acknowledged() const { return acknowledged_; }

 private:
  const std::string key_;
  std::unique_ptr<net::Client> client_;
  std::uint64_t asked_ = 0;
  std::uint64_t acknowledged_ = 0;
  std::string failed_;
  bool busy_ = false;
};

TEST_CASE("broker: killed again and again under 64 writers, every acknowledged put is there",
          "[system][M13]") {
  Cluster cluster;
  cluster.start_broker();
  zmq::context_t context;
  net::Reactor reactor;
  std::vector<std::unique_ptr<Writer>> all;
  for (std::size_t n = 0; n < writers; ++n)
    all.push_back(std::make_unique<Writer>(reactor, context, cluster.endpoint(), n));
  for (const auto& writer : all) writer->go();
  const auto sum = [&] {
    std::uint64_t total = 0;
    for (const auto& writer : all) total += writer->acknowledged();
    return total;
  };
  const auto reader = *net::Client::open(reactor, context, {.broker = cluster.endpoint()});
  for (std::size_t life = 1; life <= lives; ++life) {
    const std::uint64_t goal = sum() + puts_a_life;
    REQUIRE(reactor.run_until(BootClock::now() + seconds(60), [&] { return sum() >= goal; }) ==
            net::Ended::satisfied);
    cluster.kill_broker();
    std::map<std::string, std::uint64_t> known;
    for (const auto& writer : all) known[writer->key()] = writer->acknowledged();
    cluster.start_broker();
    for (const auto& [key, value] : known) {
      const auto got = reader->call(proto::kv::Get{.key = key}, {.timeout = seconds(30)});
      REQUIRE(got);
      CHECK(std::stoull(got->value.data) >= value);
    }
  }
  for (const auto& writer : all) writer->wanted = false;
  REQUIRE(reactor.run_until(BootClock::now() + seconds(30), [&] {
    return std::none_of(all.begin(), all.end(), [](const auto& one) { return one->busy(); });
  }) == net::Ended::satisfied);
  for (const auto& writer : all) {
    CHECK(writer->failed().empty());
    CHECK(cluster.run({"muster", "kv", "get", writer->key()}) ==
          std::to_string(writer->acknowledged()) + "\n");
  }
}

/// With a small disk of its own, which needs root: elsewhere `nullptr`.
std::unique_ptr<Process> broker_on_small_disk(Cluster& cluster) {
  const std::string folder = cluster.folder("broker");
  cluster.run({"mkdir", folder});
  const auto probe = cluster.start({"unshare", "--mount", "mount", "-t", "tmpfs", "none", folder});
  if (probe->wait() != 0) return nullptr;
  auto broker = cluster.start(
      {"unshare", "--mount", "sh", "-c",
       fmt::format("mount -t tmpfs -o size=40m none {0} && exec muster-broker --data {0} "
                   "--listen {1} --notices {2}",
                   folder, cluster.endpoint(), cluster.notices())});
  broker->wait_for_output(" ready ");
  return broker;
}

TEST_CASE("broker: a full disk refuses puts, serves the rest, and is over by itself", "[system]") {
  Cluster cluster;
  const auto broker = broker_on_small_disk(cluster);
  if (!broker) {
    WARN("not root: no disk could be mounted, nothing was tested");
    return;
  }
  zmq::context_t context;
  net::Reactor reactor;
  const auto client = *net::Client::open(reactor, context, {.broker = cluster.endpoint()});
  const auto put = [&](std::size_t n) {
    return client->call(
        proto::kv::Put{.key = fmt::format("k{}", n), .value = Bytes(std::string(500'000, 'x'))});
  };
  std::size_t there = 0;
  auto last = put(there);
  for (; last && there < 200; last = put(++there)) continue;
  REQUIRE_FALSE(last);
  CHECK(last.error().code == Code::unavailable);
  CHECK(last.error().message.find("disk full") != std::string::npos);
  for (std::size_t n = 0; n < there; ++n)
    CHECK(client->call(proto::kv::Get{.key = fmt::format("k{}", n)}));
  CHECK_FALSE(client->call(proto::kv::Get{.key = fmt::format("k{}", there)}));
  CHECK(client->call(proto::kv::Delete{.key = "k0"}));
  cluster.run({"nsenter", "-t", std::to_string(broker->pid()), "--mount", "mount", "-o",
               "remount,size=200m", cluster.folder("broker")});
  wait_until([&] { return static_cast<bool>(put(there)); }, "puts to be taken again", seconds(30));
}

/// Runs a broker that must not start; gives its last line.
std::string refusal(Cluster& cluster, const std::vector<std::string>& options) {
  std::vector<std::string> words{program("muster-broker")};
  words.insert(words.end(), options.begin(), options.end());
  const auto broker = cluster.start(std::move(words));
  CHECK(broker->wait() != 0);
  const std::string said = broker->output();
  const std::size_t last = said.find_last_of('\n', said.size() - 2);
  return said.substr(last == std::string::npos ? 0 : last + 1);
}

TEST_CASE("broker: what keeps it from starting is one line", "[system]") {
  Cluster cluster;
  cluster.start_broker();
  const std::string any = "tcp://127.0.0.1:*";
  CHECK(refusal(cluster, {"--data", cluster.folder("broker"), "--listen", any, "--notices", any})
            .find("another broker runs on it") != std::string::npos);
  CHECK(refusal(cluster,
                {"--data", cluster.folder("b2"), "--listen", cluster.endpoint(), "--notices", any})
            .find("cannot listen on " + cluster.endpoint()) != std::string::npos);
  CHECK(refusal(cluster,
                {"--data", cluster.folder("b2"), "--listen", "tcp://0.0.0.0:*", "--notices", any})
            .find("--insecure") != std::string::npos);
  CHECK(refusal(cluster, {"--nonsense"}).find("--help") != std::string::npos);
}

TEST_CASE("broker: a damaged log is refused with its place, and let go only when told",
          "[system]") {
  Cluster cluster;
  cluster.start_broker();
  for (const char* value : {"1", "2", "3"}) cluster.run({"muster", "kv", "put", "k", value});
  cluster.kill_broker();
  const std::string path = cluster.folder("broker/log/00000000000000000001.log");
  {
    std::fstream log(path, std::ios::in | std::ios::out | std::ios::binary);
    log.seekp(200);
    log.put('\xff');
  }
  const std::vector<std::string> options{"--data",    cluster.folder("broker"),
                                         "--listen",  "tcp://127.0.0.1:*",
                                         "--notices", "tcp://127.0.0.1:*"};
  const std::string said = refusal(cluster, options);
  CHECK(said.find("00000000000000000001.log") != std::string::npos);
  CHECK(said.find("--accept-loss") != std::string::npos);
  cluster.start_broker({"--accept-loss"});
  CHECK(cluster.run({"muster", "kv", "put", "k", "4"}) == "Success! Data written to: k\n");
}

}  // namespace
}  // namespace muster::test
