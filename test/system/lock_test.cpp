// lock_test: many `muster lock` processes on one lock, killed and stopped while they hold and wait.
#include "common/protocol/lock.hpp"

#include <algorithm>
#include <csignal>
#include <fstream>
#include <map>
#include <random>
#include <set>
#include <sstream>

#include <fmt/format.h>

#include "common/net/client.hpp"
#include "common/protocol/kv.hpp"
#include "test/support/catch.hpp"
#include "test/support/cluster.hpp"

namespace muster::test {
namespace {

/// Says in the log that it holds, with which token and how many processes of other holders live;
/// writes under the fence, and says how that ended; then exits, or stays with a deaf process beside
/// it until both are killed.
constexpr std::string_view contender_script = R"(#!/bin/sh
number=$1 fate=$2
others=0
for file in alive/*; do
  [ -e "$file" ] && kill -0 "${file##*/}" 2>/dev/null && others=$((others + 1))
done
echo > "alive/$$"
[ "$fate" = exits ] || (setsid sh -c 'trap "" TERM; echo > "alive/$$"; exec sleep 1000' &)
echo "start $number $MUSTER_LOCK_TOKEN $others" >> log
muster kv put "written/$number" x >/dev/null 2>&1
echo "put $number $?" >> log
[ "$fate" = exits ] || sleep 1000
)";

enum class Fate {
  exits,
  is_killed,   ///< its `muster lock`, while it holds
  is_stopped,  ///< the same, until the next one holds
  leaves,      ///< killed while it waits
};

struct Contender {
  Fate fate = Fate::exits;
  std::unique_ptr<Process> process;
  Revision ticket;
};

struct Started {
  std::size_t contender = 0;
  Revision token;
  std::size_t others = 0;  ///< processes of other holders
};

class Contest {
 public:
  Contest(std::uint32_t limit, std::vector<Fate> fates) : limit_(limit), contenders_(fates.size()) {
    for (std::size_t i = 0; i < fates.size(); ++i) contenders_[i].fate = fates[i];
    cluster_.start_broker();
    client_ = *net::Client::open(reactor_, context_, {.broker = cluster_.endpoint()});
    cluster_.run({"mkdir", "-p", cluster_.folder("contest/alive")});
    std::ofstream(file("contender")) << contender_script;
    cluster_.run({"chmod", "+x", file("contender")});
  }

  /// All wait behind a holder of ours; then it gives the lock up.
  void line_up() {
    const auto session = ask(proto::session::Open{.name = "first", .ttl_ms = 60'000}).id;
    std::vector<proto::lock::Acquire> first;
    for (std::uint32_t place = 0; place < limit_; ++place) {
      first.push_back({.name = "l", .limit = limit_, .session = place_session(place, session)});
      ask(first.back());
    }
    for (std::size_t i = 0; i < contenders_.size(); ++i) start(i);
    wait_until([&] { return listing().waiters.size() == contenders_.size(); }, "all to wait",
               seconds(60));
    for (const proto::lock::Ticket& ticket : listing().waiters)
      by_pid(ticket.pid).ticket = ticket.ticket;
    for (Contender& contender : contenders_) {
      if (contender.fate == Fate::leaves) contender.process->signal(SIGKILL);
    }
    for (const auto& held : first) ask(proto::lock::Release{.name = "l", .session = held.session});
  }

  /// Until all that may hold have held and are gone.
  void run() {
    const auto leaving = static_cast<std::size_t>(
        std::count_if(contenders_.begin(), contenders_.end(),
                      [](const Contender& one) { return one.fate == Fate::leaves; }));
    const std::size_t expected = contenders_.size() - leaving;
    while (started_.size() < expected) {
      const std::size_t before = started_.size();
      wait_until([&] { return read_log() > before; }, "the next to hold", seconds(30));
      for (std::size_t n = before; n < started_.size(); ++n) on_start(started_[n]);
      if (!restarted_ && started_.size() > expected / 2) restart();
    }
    wait_until([&] { return wake(held()); }, "the stopped ones to lose it", seconds(30));
    for (const Contender& one : contenders_) check_ended(one);
  }

  void check() {
    for (const Started& one : started_) CHECK(one.others <= 2 * (limit_ - 1));
    std::sort(started_.begin(), started_.end(),
              [](const Started& a, const Started& b) { return a.token < b.token; });
    Revision last;
    for (const Started& one : started_) {
      CHECK(last < contenders_[one.contender].ticket);
      last = contenders_[one.contender].ticket;
    }
    for (const auto& [contender, code] : puts_) CHECK(code == 0);
    CHECK(refused_ > started_.size() / 2);
  }

 private:
  std::string file(const std::string& name) const { return cluster_.folder("contest/" + name); }

  template <class Request>
  typename Request::Reply ask(const Request& request) {
    auto answer = client_->call(request, {.timeout = seconds(20)});
    REQUIRE(answer);
    return *answer;
  }

  /// A session holds a place once.
  std::string place_session(std::uint32_t place, const std::string& first) {
    if (place == 0) return first;
    return ask(proto::session::Open{.name = "first", .ttl_ms = 60'000}).id;
  }

  proto::lock::Info listing() {
    const auto locks = ask(proto::lock::List{}).locks;
    return locks.empty() ? proto::lock::Info{} : locks.front();
  }

  void start(std::size_t number) {
    const std::string fate = contenders_[number].fate == Fate::exits ? "exits" : "stays";
    contenders_[number].process = cluster_.start(
        {"env", "-C", cluster_.folder("contest"), "muster", "lock", "-ttl=2s",
         fmt::format("-n={}", limit_), "l", fmt::format("exec ./contender {} {}", number, fate)});
  }

  Contender& by_pid(std::uint64_t pid) {
    const auto found = std::find_if(contenders_.begin(), contenders_.end(), [&](const auto& one) {
      return static_cast<std::uint64_t>(one.process->pid()) == pid;
    });
    REQUIRE(found != contenders_.end());
    return *found;
  }

  std::size_t read_log() {
    std::ifstream log(file("log"));
    std::string line;
    started_.clear();
    puts_.clear();
    while (std::getline(log, line) && !log.eof()) {
      std::istringstream words(line);
      std::string what;
      std::size_t number = 0;
      words >> what >> number;
      if (what == "put") {
        words >> puts_[number];
        continue;
      }
      Started one{.contender = number};
      words >> one.token.value >> one.others;
      started_.push_back(one);
    }
    return started_.size();
  }

  void on_start(const Started& one) {
    const std::set<Revision> holding = held();
    check_fences(holding);
    wake(holding);
    const Contender& contender = contenders_[one.contender];
    if (contender.fate == Fate::is_killed) contender.process->signal(SIGKILL);
    if (contender.fate != Fate::is_stopped) return;
    contender.process->signal(SIGSTOP);
    stopped_[one.token] = contender.process.get();
  }

  std::set<Revision> held() {
    std::set<Revision> tokens;
    for (const proto::lock::Ticket& holder : listing().holders) tokens.insert(holder.token);
    return tokens;
  }

  /// Those of the stopped that have lost it may go on. Whether that is all of them.
  bool wake(const std::set<Revision>& holding) {
    std::erase_if(stopped_, [&](const auto& one) {
      if (holding.contains(one.first)) return false;
      one.second->signal(SIGCONT);
      return true;
    });
    return stopped_.empty();
  }

  /// A token that is not among the holders' any more is refused for ever.
  void check_fences(const std::set<Revision>& holding) {
    const std::size_t from = started_.size() - std::min<std::size_t>(started_.size(), 5);
    for (std::size_t n = from; n < started_.size(); ++n) {
      const Revision token = started_[n].token;
      if (holding.contains(token)) continue;
      const auto put = client_->call(proto::kv::Put{.key = "late", .value = Bytes("x")},
                                     {.fence = proto::Fence{.lock = "l", .token = token}});
      REQUIRE_FALSE(put);
      CHECK(put.error().code == Code::fenced);
      ++refused_;
    }
  }

  void restart() {
    restarted_ = true;
    cluster_.kill_broker();
    cluster_.start_broker();
  }

  static void check_ended(const Contender& one) {
    const int code = one.process->wait();
    if (one.fate == Fate::exits) CHECK(code == 0);
    else CHECK(code != 0);
  }

  const std::uint32_t limit_;
  Cluster cluster_;
  zmq::context_t context_;
  net::Reactor reactor_;
  std::unique_ptr<net::Client> client_;
  std::vector<Contender> contenders_;
  std::map<Revision, Process*> stopped_;  ///< by token
  std::vector<Started> started_;
  std::map<std::size_t, int> puts_;  ///< exit codes of the fenced ones
  std::size_t refused_ = 0;
  bool restarted_ = false;
};

std::vector<Fate> fates(std::size_t killed, std::size_t stopped, std::size_t leaving,
                        std::size_t all) {
  std::vector<Fate> fates(all, Fate::exits);
  std::fill_n(fates.begin(), killed, Fate::is_killed);
  std::fill_n(fates.begin() + static_cast<std::ptrdiff_t>(killed), stopped, Fate::is_stopped);
  std::fill_n(fates.rbegin(), leaving, Fate::leaves);
  std::shuffle(fates.begin(), fates.end(), std::mt19937(Catch::rngSeed()));
  return fates;
}

TEST_CASE("lock: 200 contenders, holders killed and stopped, one broker restart",
          "[system][M21][M22]") {
  Contest contest(1, fates(20, 4, 10, 200));
  contest.line_up();
  contest.run();
  contest.check();
}

TEST_CASE("lock: the same with two places", "[system][M21][M22]") {
  Contest contest(2, fates(10, 3, 5, 80));
  contest.line_up();
  contest.run();
  contest.check();
}

}  // namespace
}  // namespace muster::test
