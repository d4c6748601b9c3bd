// subscription_test: watching a scripted broker on loopback: lost notices, restarts, pauses.
#include "common/net/subscription.hpp"

#include <fmt/format.h>

#include "test/net/fake_broker.hpp"
#include "test/support/catch.hpp"

namespace muster::net {
namespace {

using proto::watch::Item;

/// A broker with one topic, its log, and a watcher of it that notes what it is told.
struct Fixture {
  Fixture() {
    broker.on<proto::watch::Read>([this](const proto::watch::Read& read) { return answer(read); });
    broker.on<proto::watch::Sync>([this](const proto::watch::Sync& sync) {
      proto::watch::Synced synced{.history = broker.history, .rev = broker.rev};
      for (const auto& [name, seen] : sync.topics) {
        if (sync.history != broker.history || (!log.empty() && log.back().rev > seen))
          synced.behind.push_back(name);
      }
      return synced;
    });
  }

  proto::watch::Answer answer(const proto::watch::Read& read) {
    ++reads;
    proto::watch::Answer made{.history = broker.history, .rev = broker.rev};
    made.reset =
        read.after == Revision{} || (!read.history.empty() && read.history != broker.history);
    for (const Item& item : log) {
      if (made.reset || item.rev > read.after) made.items.push_back(item);
    }
    return made;
  }
  void change() {
    broker.rev = broker.rev.next();
    log.push_back({.rev = broker.rev, .op = "put", .name = "k"});
  }
  void change_and_tell() {
    const Revision prev = log.empty() ? Revision{} : log.back().rev;
    change();
    broker.publish(
        topic,
        codec::encode(proto::watch::Notice{
            .history = broker.history, .prev = prev, .rev = broker.rev, .items = {log.back()}}));
  }
  void watch(Cursor from) {
    subscription.add(topic, std::move(from),
                     {.changes = [this](const WatchRule::Changes& changes) { note(changes.items); },
                      .reset =
                          [this](const WatchRule::Reset& reset) {
                            told += "reset ";
                            note(reset.items);
                          }});
  }
  void note(const std::vector<Item>& items) {
    for (const Item& item : items) told += fmt::format("{} ", item.rev.value);
  }
  bool wait(const std::function<bool()>& done) {
    return reactor.run_until(BootClock::now() + seconds(15), done) == Ended::satisfied;
  }
  bool told_is(const std::string& text) {
    return wait([&] { return told == text; });
  }
  bool subscribed() {
    return wait([&] { return broker.topics.contains(topic); });
  }

  const std::string topic = proto::watch::topic("key:", "k");
  std::vector<Item> log;
  std::string told;
  int reads = 0;
  zmq::context_t context;
  Reactor reactor;
  FakeBroker broker{reactor, context};
  std::unique_ptr<Client> client =
      *Client::open(reactor, context, {.broker = broker.endpoint(), .kind = "test"});
  Subscription subscription{*client};
};

}  // namespace

TEST_CASE("subscription: the state first, then each change as it is told", "[net]") {
  Fixture f;
  f.change();
  f.watch({.after = Revision{0}});
  REQUIRE(f.told_is("reset 2 "));
  REQUIRE(f.subscribed());
  f.change_and_tell();
  f.change_and_tell();
  REQUIRE(f.told_is("reset 2 3 4 "));
  CHECK(f.reads == 1);
  CHECK(f.subscription.seen(f.topic) == Revision{4});
}

TEST_CASE("subscription: from now on, nothing of before", "[net]") {
  Fixture f;
  f.change();
  f.watch({});
  REQUIRE(f.subscribed());
  REQUIRE(f.wait([&] { return f.subscription.seen(f.topic).has_value(); }));
  f.change_and_tell();
  REQUIRE(f.told_is("3 "));
}

TEST_CASE("subscription: one added later begins at the present too", "[net]") {
  Fixture f;
  REQUIRE(f.wait([&] { return f.client->reached(); }));
  f.change();
  f.watch({});
  REQUIRE(f.subscribed());
  REQUIRE(f.wait([&] { return f.subscription.seen(f.topic).has_value(); }));
  f.change_and_tell();
  REQUIRE(f.told_is("3 "));
}

TEST_CASE("subscription: a lost notice is found by the next one", "[net]") {
  Fixture f;
  f.watch({.after = Revision{1}});
  REQUIRE(f.subscribed());
  f.change();
  f.change_and_tell();
  REQUIRE(f.told_is("2 3 "));
}

TEST_CASE("subscription: where every notice is lost, the syncs find the changes", "[net]") {
  Fixture f;
  f.broker.deaf_to_subscriptions = true;
  f.watch({.after = Revision{1}});
  REQUIRE(f.subscribed());
  f.change_and_tell();
  f.change_and_tell();
  REQUIRE(f.told_is("2 3 "));
}

TEST_CASE("subscription: what happens while the broker restarts is found after its hello",
          "[net]") {
  Fixture f;
  f.watch({.after = Revision{1}});
  REQUIRE(f.subscribed());
  f.change_and_tell();
  REQUIRE(f.told_is("2 "));
  const TimePoint restarted = BootClock::now();
  f.broker.restart();
  f.change();
  REQUIRE(f.told_is("2 3 "));
  CHECK(BootClock::now() - restarted < seconds(2));
  REQUIRE(f.subscribed());
  f.change_and_tell();
  REQUIRE(f.told_is("2 3 4 "));
}

TEST_CASE("subscription: a broker with another history resets what is watched", "[net]") {
  Fixture f;
  f.watch({.after = Revision{1}});
  REQUIRE(f.subscribed());
  f.change_and_tell();
  REQUIRE(f.told_is("2 "));
  f.broker.history = "restored";
  f.broker.rev = Revision{1};
  f.log = {{.rev = Revision{1}, .op = "put"}};
  f.broker.restart();
  REQUIRE(f.told_is("2 reset 1 "));
  CHECK(f.subscription.seen(f.topic) == Revision{1});
}

TEST_CASE("subscription: a paused topic tells nothing, and all of it afterwards", "[net]") {
  Fixture f;
  f.watch({.after = Revision{1}});
  REQUIRE(f.subscribed());
  f.subscription.pause(f.topic);
  for (int i = 0; i < 100; ++i) f.change_and_tell();
  std::string all;
  f.note(f.log);
  std::swap(all, f.told);
  f.broker.publish(f.topic, "\xc1 garbage");
  REQUIRE(f.wait([&] { return f.client->outstanding() == 0; }));
  CHECK(f.told.empty());
  f.subscription.resume(f.topic);
  f.change_and_tell();
  REQUIRE(f.told_is(all + "102 "));
}

TEST_CASE("subscription: a removed topic tells nothing more", "[net]") {
  Fixture f;
  f.watch({.after = Revision{1}});
  REQUIRE(f.subscribed());
  f.subscription.remove(f.topic);
  REQUIRE(f.wait([&] { return f.broker.topics.empty(); }));
  f.change_and_tell();
  f.watch({.after = Revision{2}});
  REQUIRE(f.subscribed());
  f.change_and_tell();
  REQUIRE(f.told_is("3 "));
}

}  // namespace muster::net
