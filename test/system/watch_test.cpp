// watch_test: a handler has every change once and in order, whoever is killed or stopped meanwhile.
#include <algorithm>
#include <csignal>
#include <fstream>

#include <fmt/format.h>

#include "common/net/client.hpp"
#include "common/protocol/kv.hpp"
#include "test/support/catch.hpp"
#include "test/support/cluster.hpp"

namespace muster::test {
namespace {

class Watched {
 public:
  Watched() {
    cluster_.start_broker();
    client_ = *net::Client::open(reactor_, context_, {.broker = cluster_.endpoint()});
    watch({});
    watch_->wait_for_output("began");
  }

  /// Each acknowledged before the next.
  void put(std::size_t count) {
    for (std::size_t n = 0; n < count; ++n) {
      const auto written = client_->call(
          proto::kv::Put{.key = "k", .value = Bytes(fmt::format("v{}", acknowledged_.size()))},
          {.timeout = seconds(30)});
      REQUIRE(written);
      acknowledged_.push_back(written->rev.value);
    }
  }

  void flood(std::size_t count) {
    const std::string value(1024, 'x');
    std::size_t answered = 0;
    for (std::size_t n = 0; n < count; ++n) {
      client_->request<proto::kv::Put>({.key = fmt::format("other/{}", n), .value = Bytes(value)},
                                       {.timeout = seconds(30)},
                                       [&](const Result<proto::kv::Written>& written) {
                                         CHECK(written);
                                         ++answered;
                                       });
      reactor_.run_until(TimePoint::max(), [&] { return n < answered + 64; });
    }
    reactor_.run_until(TimePoint::max(), [&] { return answered == count; });
  }

  void until_handled(std::size_t count) {
    wait_until([&] { return handled().size() >= count; }, "changes to be handled", seconds(60));
  }

  /// While changes wait; `away` more come before it is back.
  void kill_watch(std::size_t away) {
    watch_->signal(SIGKILL);
    watch_->wait();
    put(away);
    watch({"--after", std::to_string(handled().back())});
    ++kills_;
  }
  void signal(int number) { watch_->signal(number); }
  void restart_broker() {
    cluster_.kill_broker();
    cluster_.start_broker();
  }

  void check() {
    wait_until([&] { return !handled().empty() && handled().back() == acknowledged_.back(); },
               "the last change to be handled", seconds(120));
    std::vector<std::uint64_t> seen = handled();
    CHECK(std::is_sorted(seen.begin(), seen.end()));
    const std::size_t all = seen.size();
    seen.erase(std::unique(seen.begin(), seen.end()), seen.end());
    CHECK(all - seen.size() <= kills_);  // that a killed handler had begun
    CHECK(seen == acknowledged_);
  }

 private:
  void watch(const std::vector<std::string>& options) {
    std::vector<std::string> words{"muster", "watch", "-type=key", "-key=k"};
    words.insert(words.end(), options.begin(), options.end());
    words.push_back(
        "read -r line; if [ \"$line\" = null ]; then echo began; else echo "
        "$MUSTER_REV >> " +
        cluster_.folder("handled") + "; fi");
    watch_ = cluster_.start(std::move(words));
  }

  std::vector<std::uint64_t> handled() const {
    std::ifstream file(cluster_.folder("handled"));
    std::vector<std::uint64_t> revisions;
    for (std::string line; std::getline(file, line) && !file.eof();)
      revisions.push_back(std::stoull(line));
    return revisions;
  }

  Cluster cluster_;
  zmq::context_t context_;
  net::Reactor reactor_;
  std::unique_ptr<net::Client> client_;
  std::unique_ptr<Process> watch_;
  std::vector<std::uint64_t> acknowledged_;
  std::size_t kills_ = 0;
};

TEST_CASE("watch: killed twice, stopped in a flood, the broker killed twice: all handled in order",
          "[system][M18][M19]") {
  Watched watched;
  watched.put(400);
  watched.until_handled(100);
  watched.kill_watch(50);
  watched.restart_broker();
  watched.put(450);
  watched.signal(SIGSTOP);
  watched.put(100);
  watched.flood(20'000);
  watched.signal(SIGCONT);
  watched.put(300);
  watched.until_handled(1000);
  watched.kill_watch(50);
  watched.put(300);
  watched.restart_broker();
  watched.put(350);
  watched.check();
}

TEST_CASE("watch: a handler that runs when its watch is ended by Ctrl-C leaves no process",
          "[system]") {
  Cluster cluster;
  cluster.start_broker();
  const auto watch = cluster.start({"muster", "watch", "-type=key", "-key=k",
                                    "(setsid sleep 1000 & echo child $!); sleep 1000"});
  watch->wait_for_output("child ");
  const std::string output = watch->output();
  const int child = std::stoi(output.substr(output.find("child ") + 6));
  REQUIRE(kill(child, 0) == 0);
  watch->signal(SIGINT);
  CHECK(watch->wait() == 0);
  CHECK(kill(child, 0) != 0);
}

}  // namespace
}  // namespace muster::test
