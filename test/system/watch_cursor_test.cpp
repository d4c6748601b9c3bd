// watch_cursor_test: handlers with a cursor, while whoever takes part is killed: each revision is
// acknowledged once, and in order.
#include <algorithm>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <random>

#include <fmt/format.h>

#include "common/net/client.hpp"
#include "common/protocol/cursor.hpp"
#include "common/protocol/kv.hpp"
#include "test/support/catch.hpp"
#include "test/support/cluster.hpp"

namespace muster::test {
namespace {

/// Puts over many keys, a watch of all of them, and who is killed meanwhile: from a seed.
class Ordeal {
 public:
  /// Two of the tool with one cursor, or one of a node's definitions.
  enum class Watcher { tools, node };

  Ordeal(Watcher watcher, std::size_t keys, unsigned seed)
      : watcher_(watcher), keys_(keys), random_(seed), watches_(watcher == Watcher::node ? 1 : 2) {
    cluster_.start_broker();
    std::filesystem::create_directory(cluster_.folder("definitions"));
    std::ofstream(cluster_.folder("definitions/watches.json")) << fmt::format(
        R"({{"watches": [{{"id": "ordeal", "type": "keyprefix", "prefix": "p/", "mode": "each",
                          "on_error": "retry", "handler": "{}"}}]}})",
        handler());
    client_ = *net::Client::open(reactor_, context_, {.broker = cluster_.endpoint()});
    for (std::size_t each = 0; each < watches_.size(); ++each) start_watch(each);
    wait_until([&] { return cursors() == 1 && cursor().acknowledged == 1; }, "the first call",
               seconds(30));
    first_ = cursor().rev.value;
  }

  void put() {
    const auto written =
        client_->call(proto::kv::Put{.key = fmt::format("p/{}", random_() % keys_),
                                     .value = Bytes(fmt::format("v{}", puts_.size()))},
                      {.timeout = seconds(30)});
    REQUIRE(written);
    puts_.push_back(written->rev.value);
  }

  void kill_somebody() {
    switch (random_() % 3) {
      case 0:
        cluster_.kill_broker();
        cluster_.start_broker();
        break;
      case 1: kill_watch(random_() % watches_.size()); break;
      default: kill_handler();
    }
  }

  void check() {
    wait_until([&] { return cursor().rev.value >= puts_.back(); }, "the last acknowledgement",
               seconds(300));
    std::vector<std::uint64_t> acknowledged;
    for (const std::uint64_t rev : lines("begun")) {
      if (rev > first_) acknowledged.push_back(rev);
    }
    std::sort(acknowledged.begin(), acknowledged.end());
    acknowledged.erase(std::unique(acknowledged.begin(), acknowledged.end()), acknowledged.end());
    CHECK(acknowledged == puts_);                      // none was missed
    CHECK(cursor().acknowledged == puts_.size() + 1);  // none twice; one is the first state
    CHECK(in_order(lines("begun")));
  }

 private:
  /// Notes its revision when it begins.
  std::string handler() const { return "echo $MUSTER_REV $$ >> " + cluster_.folder("begun"); }

  void start_watch(std::size_t which) {
    if (watcher_ == Watcher::node) {
      watches_[which] =
          cluster_.start({"muster-node", "--name", "n1", "--data", cluster_.folder("n1-data"),
                          "--definitions", cluster_.folder("definitions")});
      return;
    }
    watches_[which] = cluster_.start({"muster", "watch", "-type=keyprefix", "-prefix=p/", "-each",
                                      "-cursor=ordeal", "-on-error=retry", handler()});
  }
  void kill_watch(std::size_t which) {
    watches_[which]->signal(SIGKILL);
    watches_[which]->wait();
    start_watch(which);
  }
  /// The one that began last, if it still runs.
  void kill_handler() {
    std::ifstream file(cluster_.folder("begun"));
    pid_t last = 0;
    for (std::uint64_t rev = 0, pid = 0; file >> rev >> pid;) last = static_cast<pid_t>(pid);
    if (last > 1) kill(last, SIGKILL);
  }

  std::vector<std::uint64_t> lines(const std::string& name) const {
    std::ifstream file(cluster_.folder(name));
    std::vector<std::uint64_t> revisions;
    for (std::uint64_t rev = 0, pid = 0; file >> rev >> pid;) revisions.push_back(rev);
    return revisions;
  }

  /// A revision may begin again, with the other watch or after a kill, but never before one that
  /// precedes it was begun.
  bool in_order(const std::vector<std::uint64_t>& begun) const {
    std::size_t reached = 0;
    for (const std::uint64_t rev : begun) {
      if (rev <= first_ || (reached > 0 && rev <= puts_[reached - 1])) continue;
      if (reached == puts_.size() || rev != puts_[reached]) return false;
      ++reached;
    }
    return true;
  }

  std::size_t cursors() {
    const auto listing = client_->call(proto::cursor::List{}, {.timeout = seconds(30)});
    REQUIRE(listing);
    return listing->cursors.size();
  }
  proto::cursor::Cursor cursor() {
    const auto listing = client_->call(proto::cursor::List{}, {.timeout = seconds(30)});
    REQUIRE(listing);
    REQUIRE(listing->cursors.size() == 1);
    return listing->cursors[0];
  }

  const Watcher watcher_;
  const std::size_t keys_;
  std::mt19937 random_;
  Cluster cluster_;
  zmq::context_t context_;
  net::Reactor reactor_;
  std::unique_ptr<net::Client> client_;
  std::vector<std::unique_ptr<Process>> watches_;
  std::vector<std::uint64_t> puts_;
  std::uint64_t first_ = 0;
};

struct Size {
  std::size_t puts;
  std::size_t keys;
  std::size_t kills;
};

void endure(Ordeal::Watcher watcher, const Size& size, unsigned seed) {
  Ordeal ordeal(watcher, size.keys, seed);
  const std::size_t every = size.puts / size.kills;
  for (std::size_t n = 0; n < size.puts; ++n) {
    ordeal.put();
    if (n % every == every - 1) ordeal.kill_somebody();
  }
  ordeal.check();
}

TEST_CASE("cursor: two watches, broker and handlers are killed: each revision acknowledged once",
          "[system][M34]") {
  endure(Ordeal::Watcher::tools, {.puts = 200, .keys = 10, .kills = 10}, 3);
}

TEST_CASE("cursor: 10,000 puts over 100 keys, 100 kills: each revision acknowledged once",
          "[.long]") {
  endure(Ordeal::Watcher::tools, {.puts = 10'000, .keys = 100, .kills = 100}, 4);
}

TEST_CASE("cursor: node, broker and handlers are killed: each revision acknowledged once",
          "[system][M34]") {
  endure(Ordeal::Watcher::node, {.puts = 200, .keys = 10, .kills = 10}, 5);
}

TEST_CASE("cursor: a node's watch, 10,000 puts over 100 keys, 100 kills", "[.long]") {
  endure(Ordeal::Watcher::node, {.puts = 10'000, .keys = 100, .kills = 100}, 6);
}

}  // namespace
}  // namespace muster::test
