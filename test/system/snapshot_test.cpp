// snapshot_test: a backup of a broker that serves, put back while everybody is there; and what a
// kill leaves of either.
#include <csignal>
#include <filesystem>
#include <fstream>

#include <fmt/format.h>

#include "common/net/client.hpp"
#include "common/protocol/admin.hpp"
#include "common/protocol/kv.hpp"
#include "test/support/catch.hpp"
#include "test/support/cluster.hpp"

namespace muster::test {
namespace fs = std::filesystem;
namespace {

/// A broker and someone who writes to it.
class Served {
 public:
  Served() {
    cluster.start_broker();
    connect();
  }

  /// A program's client outlives restarts; this one begins anew, so as not to wait.
  void connect() {
    client_ = *net::Client::open(reactor_, context_, {.broker = cluster.endpoint()});
  }

  std::uint64_t put(const std::string& key, const std::string& value) {
    const auto written =
        client_->call(proto::kv::Put{.key = key, .value = Bytes(value)}, {.timeout = seconds(30)});
    REQUIRE(written);
    return written->rev.value;
  }
  std::string get(const std::string& key) {
    const auto entry = client_->call(proto::kv::Get{.key = key}, {.timeout = seconds(30)});
    return entry ? entry->value.data : entry.error().message;
  }
  proto::admin::State status() {
    const auto state = client_->call(proto::admin::Status{}, {.timeout = seconds(30)});
    REQUIRE(state);
    return *state;
  }
  /// Writes, 32 at a time, until `done`; gives how many were acknowledged.
  std::size_t flood(const std::function<bool()>& done) {
    std::size_t sent = 0;
    std::size_t answered = 0;
    while (!done()) {
      client_->request<proto::kv::Put>(
          {.key = fmt::format("flood/{}", sent % 1000), .value = Bytes(std::string(1024, 'x'))},
          {.timeout = seconds(30)}, [&](const Result<proto::kv::Written>& written) {
            CHECK(written);
            ++answered;
          });
      ++sent;
      reactor_.run_until(TimePoint::max(), [&] { return sent < answered + 32; });
    }
    reactor_.run_until(TimePoint::max(), [&] { return answered == sent; });
    return answered;
  }

  std::string file() const { return cluster.folder("backup.snap"); }
  void save() { cluster.run({"muster", "snapshot", "save", file()}); }
  void restore() { cluster.run({"muster", "snapshot", "restore", file()}); }
  std::string data() const { return cluster.folder("broker"); }

  Cluster cluster;

 private:
  zmq::context_t context_;
  net::Reactor reactor_;
  std::unique_ptr<net::Client> client_;
};

std::uint64_t index_in(const std::string& said) {
  const std::string before = "to index ";
  REQUIRE(said.find(before) != std::string::npos);
  return std::stoull(said.substr(said.find(before) + before.size()));
}

std::size_t replaced_in(const std::string& data) {
  std::size_t count = 0;
  for (const auto& entry : fs::directory_iterator(data))
    count += entry.path().filename().string().starts_with("replaced-") ? 1 : 0;
  return count;
}

TEST_CASE("snapshot: saved under a flood of writes it has all that was answered before",
          "[system]") {
  Served served;
  served.put("before", "1");
  served.flood([n = 0]() mutable { return ++n > 2000; });
  const std::uint64_t before = served.put("last", "1");
  const auto save = served.cluster.start({"muster", "snapshot", "save", served.file()});
  const std::size_t written = served.flood([&] { return !save->running(); });
  CHECK(save->wait() == 0);
  CHECK(written > 0);
  CHECK(index_in(save->output()) >= before);
  served.put("last", "2");
  served.restore();
  CHECK(served.get("before") == "1");
  CHECK(served.get("last") == "1");
  CHECK(served.get("flood/999") == std::string(1024, 'x'));
}

TEST_CASE("[M42] snapshot: restored, the watch, the node and the lock's holder notice",
          "[system]") {
  Served served;
  served.cluster.start_node("n1");
  served.put("k", "old");
  served.save();
  const std::uint64_t newest = served.put("k", "new");
  const std::string history = served.status().history;
  const auto watch = served.cluster.start({"muster", "watch", "-type=key", "-key=k", "cat; echo"});
  watch->wait_for_output("\"Value\":\"bmV3\"");
  const auto holder = served.cluster.start({"muster", "lock", "l", "echo held; exec sleep 1000"});
  holder->wait_for_output("held");

  served.restore();
  const proto::admin::State state = served.status();
  CHECK(state.history != history);
  CHECK(state.rev.value > newest);
  CHECK(state.trim_floor.value >= newest);
  CHECK(served.get("k") == "old");
  watch->wait_for_output("\"Value\":\"b2xk\"");
  CHECK(holder->wait() != 0);
  wait_until(
      [&] {
        return served.cluster.run({"muster", "exec", "echo", "here"}).find("n1: here") !=
               std::string::npos;
      },
      "the node to be back", seconds(30));
  served.put("k", "later");
  watch->wait_for_output("\"Value\":\"bGF0ZXI=\"");
  CHECK(replaced_in(served.data()) == 1);
}

TEST_CASE("snapshot: the past before a restore is gone, not made up", "[system]") {
  Served served;
  const std::uint64_t first = served.put("k", "1");
  served.put("k", "2");
  served.save();
  served.restore();
  const auto past =
      served.cluster.start({"muster", "kv", "get", fmt::format("-rev={}", first), "k"});
  CHECK(past->wait() == 1);
  CHECK(past->output().find("kept since revision") != std::string::npos);
}

TEST_CASE("snapshot: rubbish, half a file and a turned bit restore nothing", "[system]") {
  Served served;
  served.put("k", "v");
  served.save();
  const std::string history = served.status().history;
  std::ifstream saved(served.file(), std::ios::binary);
  const std::string whole{std::istreambuf_iterator<char>(saved), {}};
  std::string turned = whole;
  turned[turned.size() / 2] = static_cast<char>(turned[turned.size() / 2] ^ 1);
  const std::string bad = served.cluster.folder("bad.snap");
  for (const std::string& bytes :
       {std::string(), std::string("rubbish"), whole.substr(0, 10), whole.substr(0, 300),
        whole.substr(0, whole.size() - 1), turned, whole + "x"}) {
    std::ofstream(bad, std::ios::binary | std::ios::trunc) << bytes;
    CHECK(served.cluster.start({"muster", "snapshot", "inspect", bad})->wait() == 1);
    CHECK(served.cluster.start({"muster", "snapshot", "restore", bad})->wait() == 1);
    CHECK(served.cluster
              .start({program("muster-broker"), "--data", served.cluster.folder("other"),
                      "--restore", bad})
              ->wait() == 1);
  }
  CHECK_FALSE(fs::exists(served.cluster.folder("other")));
  CHECK(served.status().history == history);
  CHECK(served.get("k") == "v");
  CHECK(fs::is_empty(served.data() + "/snapshots"));
}

TEST_CASE("snapshot: a broker killed while it saves leaves no file that is not whole", "[system]") {
  Served served;
  served.flood([n = 0]() mutable { return ++n > 3000; });
  const auto save = served.cluster.start({"muster", "snapshot", "save", served.file()});
  wait_until([&] { return !save->running() || fs::exists(served.data() + "/snapshots"); },
             "the save to begin", seconds(30));
  served.cluster.kill_broker();
  served.cluster.start_broker();
  if (save->wait(seconds(60)) == 0) {
    served.cluster.run({"muster", "snapshot", "inspect", served.file()});
  } else {
    CHECK_FALSE(fs::exists(served.file()));
  }
  served.connect();
  CHECK(served.get("flood/0") == std::string(1024, 'x'));
  served.save();
}

/// Kills the broker when `moment` has come; old or new, the state must be whole, and the command
/// must say which.
void kill_during_restore(const std::function<bool(const Served&)>& moment) {
  Served served;
  served.put("a", "old");
  served.put("b", "old");
  served.flood([n = 0]() mutable { return ++n > 1000; });
  served.save();
  served.put("a", "new");
  served.put("b", "new");
  const auto restore = served.cluster.start({"muster", "snapshot", "restore", served.file()});
  wait_until([&] { return !restore->running() || moment(served); }, "the moment", seconds(30));
  served.cluster.kill_broker();
  served.cluster.start_broker();
  const int code = restore->wait(seconds(60));
  INFO(restore->output());
  served.connect();
  const std::string expected = code == 0 ? "old" : "new";
  CHECK(served.get("a") == expected);
  CHECK(served.get("b") == expected);
  CHECK(replaced_in(served.data()) == (code == 0 ? 1 : 0));
  CHECK_FALSE(fs::exists(served.data() + "/restore.pending"));
}

TEST_CASE("snapshot: a broker killed while a snapshot is brought has the old state", "[system]") {
  kill_during_restore([](const Served& served) {
    return fs::exists(served.data() + "/snapshots") && !fs::is_empty(served.data() + "/snapshots");
  });
}

TEST_CASE("snapshot: a broker killed when the restore is decided has the new state", "[system]") {
  kill_during_restore(
      [](const Served& served) { return fs::exists(served.data() + "/restore.pending"); });
}

TEST_CASE("snapshot: restored without a broker, into its folder and into a new one", "[system]") {
  Served served;
  served.put("k", "old");
  served.save();
  const std::uint64_t newest = served.put("k", "new");
  const auto running = served.cluster.start(
      {program("muster-broker"), "--data", served.data(), "--restore", served.file()});
  CHECK(running->wait() == 1);
  CHECK(running->output().find("another broker runs on it") != std::string::npos);
  served.cluster.kill_broker();
  served.cluster.run(
      {program("muster-broker"), "--data", served.data(), "--restore", served.file()});
  served.cluster.start_broker();
  served.connect();
  CHECK(served.get("k") == "old");
  CHECK(served.status().rev.value > newest);
  CHECK(replaced_in(served.data()) == 1);

  Cluster other;
  other.run(
      {program("muster-broker"), "--data", other.folder("broker"), "--restore", served.file()});
  other.start_broker();
  CHECK(other.run({"muster", "kv", "get", "k"}) == "old\n");
  CHECK(replaced_in(other.folder("broker")) == 0);
}

}  // namespace
}  // namespace muster::test
