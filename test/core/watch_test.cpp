// watch: notices form a chain, reads fill every gap, sync finds a lost last notice.
#include "common/protocol/watch.hpp"

#include "common/protocol/event.hpp"
#include "common/protocol/kv.hpp"
#include "test/support/catch.hpp"
#include "test/support/world.hpp"

namespace muster::test {
namespace {

using proto::watch::Notice;
using proto::watch::topic;

proto::kv::Put put(std::string key, std::string value) {
  return {.key = std::move(key), .value = Bytes(std::move(value))};
}

Notice notice(const core::Publication& publication) {
  return *codec::decode<Notice>(publication.body);
}

std::string value_of(const proto::watch::Item& item) {
  return codec::decode<proto::kv::Entry>(item.body.data)->value.data;
}

TEST_CASE("hub: a subscription is answered by a tail, and a put by a notice that links to it",
          "[core][M17]") {
  World world;
  const Revision first = world.ask("ann", put("k", "1")).rev;
  world.subscribe(topic("key:", "k"));
  const auto tails = world.notices();
  REQUIRE(tails.size() == 1);
  CHECK(notice(tails[0]).rev == first);
  CHECK(notice(tails[0]).prev == first);
  CHECK(notice(tails[0]).items.empty());
  const Revision second = world.ask("ann", put("k", "2")).rev;
  world.ask("ann", put("other", "2"));
  const auto notices = world.notices();
  REQUIRE(notices.size() == 1);
  CHECK(notice(notices[0]).prev == first);
  CHECK(notice(notices[0]).rev == second);
  CHECK(value_of(notice(notices[0]).items.at(0)) == "2");
}

TEST_CASE("hub: nobody subscribed, nothing is published; an absent key wakes nobody", "[core]") {
  World world;
  world.ask("ann", put("k", "1"));
  CHECK(world.notices().empty());
  world.subscribe(topic("key:", "absent"));
  world.notices();
  world.ask("ann", put("k", "2"));
  CHECK(world.notices().empty());
}

TEST_CASE("hub: a prefix hears of every key below it, puts and deletes, once a turn", "[core]") {
  World world;
  world.subscribe(topic("keyprefix:", "a/"));
  world.notices();
  world.ask("ann", put("a/1", "x"));
  world.ask("ann", put("b", "x"));
  world.ask("ann", proto::kv::Delete{.key = "a/1"});
  const auto notices = world.notices();
  REQUIRE(notices.size() == 2);
  CHECK(notice(notices[0]).items.at(0).name == "a/1");
  CHECK(notice(notices[1]).items.at(0).op == "delete");
  CHECK(notice(notices[1]).prev == notice(notices[0]).rev);
}

TEST_CASE("hub: a change too large for a notice is told by a tail", "[core][M17]") {
  World world;
  world.subscribe(topic("key:", "k"));
  world.notices();
  const Revision rev =
      world.ask("ann", put("k", std::string(limits::notice_bytes_max + 1, 'x'))).rev;
  const auto notices = world.notices();
  REQUIRE(notices.size() == 1);
  CHECK(notice(notices[0]).prev == rev);
  CHECK(notice(notices[0]).items.empty());
}

TEST_CASE("hub: changes of one turn that do not fit into a notice come in several, linked",
          "[core][M17]") {
  World world;
  state::Record all;
  for (int n = 0; n < 20; ++n)
    world.ask("ann", put("k", std::string(1000, 'x') + std::to_string(n)));
  world.log().read(world.log().first(), [&](const log::Entry& entry) {
    for (state::Change& change : state::decode_record(entry.bytes).changes)
      all.changes.push_back(std::move(change));
    return true;
  });
  core::Hub hub(world.store());
  hub.lead("history", Epoch{1}, Revision{1});
  REQUIRE(hub.subscribed(topic("key:", "k")));
  hub.publish(all);
  const auto publications = hub.take();
  CHECK(publications.size() > 2);
  CHECK(publications.size() < 5);
  std::size_t items = 0;
  Revision told = notice(publications[0]).prev;
  for (const core::Publication& publication : publications) {
    CHECK(publication.body.size() < 2 * limits::notice_bytes_max);
    CHECK(notice(publication).prev == told);
    told = notice(publication).rev;
    for (const proto::watch::Item& item : notice(publication).items)
      CHECK(value_of(item) == std::string(1000, 'x') + std::to_string(items++));
  }
  CHECK(items == 20);
  CHECK(told == world.core().rev());
}

TEST_CASE("watch: a read answers every change after a revision, in order, none merged",
          "[core][M20]") {
  World world;
  const Revision first = world.ask("ann", put("k", "1")).rev;
  for (const char* value : {"2", "3", "4"}) world.ask("ann", put("k", value));
  world.checkpoint();
  world.ask("ann", proto::kv::Delete{.key = "k"});
  for (const std::string& watched : {topic("key:", "k"), topic("keyprefix:", "k")}) {
    const auto answer = world.ask("bob", proto::watch::Read{.topic = watched, .after = first});
    REQUIRE(answer.items.size() == 4);
    CHECK(value_of(answer.items[0]) == "2");
    CHECK(value_of(answer.items[2]) == "4");
    CHECK(answer.items[2].prev_rev == answer.items[1].rev);
    CHECK(answer.items[3].op == "delete");
    CHECK(answer.rev == world.core().rev());
    CHECK_FALSE(answer.reset);
  }
}

TEST_CASE(
    "watch: after 0, after another history and after a future revision the state comes, marked reset",
    "[core]") {
  World world;
  world.ask("ann", put("k", "1"));
  const std::string watched = topic("key:", "k");
  for (const proto::watch::Read& read :
       {proto::watch::Read{.topic = watched},
        proto::watch::Read{.topic = watched, .history = "another", .after = Revision{1}},
        proto::watch::Read{.topic = watched, .after = Revision{99}}}) {
    const auto answer = world.ask("bob", read);
    CHECK(answer.reset);
    REQUIRE(answer.items.size() == 1);
    CHECK(value_of(answer.items[0]) == "1");
  }
  CHECK(world.ask("bob", proto::watch::Read{.topic = topic("key:", "absent")}).items.empty());
}

TEST_CASE("watch: sync names the topics that are behind and no others", "[core]") {
  World world;
  const Revision a = world.ask("ann", put("a", "1")).rev;
  const Revision b = world.ask("ann", put("b", "1")).rev;
  const auto synced =
      world.ask("bob", proto::watch::Sync{.topics = {{topic("key:", "a"), a},
                                                     {topic("key:", "b"), a},
                                                     {topic("key:", "absent"), b}}});
  CHECK(synced.behind == std::vector<std::string>{topic("key:", "b")});
  CHECK(synced.rev == world.core().rev());
}

TEST_CASE("watch: around a trim the answer is all changes or an explicit reset, never a miss",
          "[core][M20]") {
  World world({.bytes = 1, .age = std::chrono::hours(1)});
  world.log().set_segment(8);
  std::vector<Revision> revs;
  for (int i = 0; i < 60; ++i) {
    revs.push_back(world.ask("ann", put("k", std::to_string(i))).rev);
    if (i % 10 == 9) {
      world.advance(seconds(2));
      world.checkpoint();
    }
  }
  REQUIRE(world.log().first().value > 8);
  int resets = 0;
  for (const std::string& watched : {topic("key:", "k"), topic("keyprefix:", "k")}) {
    for (std::size_t i = 0; i < revs.size(); ++i) {
      const auto answer = world.ask("bob", proto::watch::Read{.topic = watched, .after = revs[i]});
      CAPTURE(i);
      if (answer.reset) {
        ++resets;
        REQUIRE(answer.items.size() == 1);
        CHECK(value_of(answer.items[0]) == "59");
      } else {
        REQUIRE(answer.items.size() == revs.size() - 1 - i);
        if (!answer.items.empty()) CHECK(value_of(answer.items[0]) == std::to_string(i + 1));
      }
    }
  }
  CHECK(resets > 0);
}

TEST_CASE("watch: a read at a later revision waits, then is unavailable", "[core]") {
  World world;
  const Revision now = world.ask("ann", put("k", "1")).rev;
  const RequestNo early =
      world.send("bob", proto::watch::Read{.topic = topic("key:", "k"), .after = now},
                 {.at_least = now.next()});
  CHECK_FALSE(world.answered("bob", early));
  world.ask("ann", put("k", "2"));
  CHECK(world.answered("bob", early));
  const RequestNo never =
      world.send("bob", proto::watch::Read{.topic = topic("key:", "k"), .after = now},
                 {.at_least = Revision{1000}});
  world.advance(milliseconds(2'100));
  CHECK(proto::decode_error(world.answer_to("bob", never, proto::verb_error).body).code ==
        Code::unavailable);
}

TEST_CASE("event: events are told to their name's topic and to all, and listed oldest first",
          "[core]") {
  World world;
  world.subscribe(topic("event:", "deploy"));
  world.subscribe(topic("event:"));
  world.notices();
  world.ask("ann", proto::event::Send{.name = "deploy", .payload = Bytes("one")});
  world.ask("ann", proto::event::Send{.name = "other", .payload = Bytes("two")});
  const auto notices = world.notices();
  REQUIRE(notices.size() == 3);
  CHECK(
      codec::decode<proto::event::Event>(notice(notices[0]).items.at(0).body.data)->payload.data ==
      "one");
  CHECK(world.ask("bob", proto::event::List{}).events.size() == 2);
  CHECK(world.ask("bob", proto::event::List{.name = "other"}).events.at(0).payload.data == "two");
}

TEST_CASE("event: a bad filter and a tag without service are invalid", "[core]") {
  World world;
  CHECK(world.refusal("ann", proto::event::Send{.name = "x", .node = "("}) == Code::invalid);
  CHECK(world.refusal("ann", proto::event::Send{.name = "x", .tag = "t"}) == Code::invalid);
  CHECK(world.refusal("ann", proto::event::Send{.name = ""}) == Code::invalid);
}

}  // namespace
}  // namespace muster::test
