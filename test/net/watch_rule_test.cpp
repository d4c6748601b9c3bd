// watch_rule_test: the rule, line by line: what comes in, what is delivered, what is read.
#include "common/net/watch_rule.hpp"

#include <fmt/format.h>

#include "test/support/catch.hpp"

namespace muster::net {
namespace {

using proto::watch::Item;

std::vector<Item> items(std::initializer_list<std::uint64_t> revisions) {
  std::vector<Item> made;
  for (const std::uint64_t rev : revisions) made.push_back({.rev = Revision{rev}, .op = "put"});
  return made;
}

/// One topic, "t"; its clock moves when told, its effects become a transcript.
class Play {
 public:
  explicit Play(Cursor from = {.after = Revision{10}, .history = "h"}) {
    rule.add("t", std::move(from), now);
    note();
  }
  void hello(std::uint64_t rev, std::string history = "h") {
    rule.on_hello({.history = std::move(history), .rev = Revision{rev}}, now);
    note();
  }
  void notice(std::uint64_t prev, std::uint64_t rev, std::vector<Item> said,
              std::string history = "h") {
    rule.on_notice("t",
                   {.history = std::move(history),
                    .prev = Revision{prev},
                    .rev = Revision{rev},
                    .items = std::move(said)},
                   now);
    note();
  }
  void tail(std::uint64_t rev) { notice(rev, rev, {}); }
  void answer(std::uint64_t rev, std::vector<Item> said) {
    give(proto::watch::Answer{.history = "h", .rev = Revision{rev}, .items = std::move(said)});
  }
  void give(Result<proto::watch::Answer> answer) {
    rule.on_answer("t", std::move(answer), now);
    note();
  }
  /// A sync at `rev` that finds the topic behind, or not.
  void sync_behind(std::uint64_t rev) {
    sync({.history = "h", .rev = Revision{rev}, .behind = {"t"}});
  }
  void sync_level(std::uint64_t rev) { sync({.history = "h", .rev = Revision{rev}}); }
  void sync(const proto::watch::Synced& synced) {
    for (const auto& asked : rule.syncs()) rule.on_synced(asked, synced, now);
    note();
  }
  void pass(Duration time) {
    now += time;
    rule.tick(now);
    note();
  }
  void pause() { rule.pause("t"); }
  void resume() {
    rule.resume("t", now);
    note();
  }
  std::uint64_t seen() const { return rule.seen("t").value_or(Revision{}).value; }
  std::string transcript() { return std::exchange(transcript_, {}); }

  WatchRule rule;
  TimePoint now{seconds(1000)};

 private:
  void note() {
    for (const WatchRule::Effect& effect : rule.take())
      std::visit([this](const auto& each) { note(each); }, effect);
  }
  void note(const WatchRule::Subscribe&) {}
  void note(const WatchRule::Resubscribe&) { say("resubscribe"); }
  void note(const WatchRule::Unsubscribe&) { say("unsubscribe"); }
  void note(const WatchRule::Read& read) {
    say(fmt::format("read after {} at least {}", read.request.after.value, read.at_least.value));
  }
  void note(const WatchRule::Changes& changes) {
    say(fmt::format("changes{}", list(changes.items)));
  }
  void note(const WatchRule::Reset& reset) {
    say(fmt::format("reset to {}:{}", reset.rev.value, list(reset.items)));
  }
  void note(const WatchRule::Failed& failed) {
    say(fmt::format("failed {}", name_of(failed.error.code)));
  }
  void say(const std::string& line) { transcript_ += line + "\n"; }
  static std::string list(const std::vector<Item>& said) {
    std::string text;
    for (const Item& item : said) text += fmt::format(" {}", item.rev.value);
    return text;
  }

  std::string transcript_;
};

}  // namespace

TEST_CASE("watch rule: a notice that links on is delivered, without a read", "[net][M18]") {
  Play play;
  play.notice(10, 12, items({12}));
  play.notice(12, 15, items({14, 15}));
  CHECK(play.transcript() == "changes 12\nchanges 14 15\n");
  CHECK(play.seen() == 15);
}

TEST_CASE("watch rule: a duplicate is ignored", "[net][M18]") {
  Play play;
  play.notice(10, 12, items({12}));
  play.notice(10, 12, items({12}));
  play.notice(3, 9, items({9}));
  CHECK(play.transcript() == "changes 12\n");
}

TEST_CASE("watch rule: of a notice that overlaps only what is new is delivered", "[net]") {
  Play play;
  play.notice(8, 12, items({9, 10, 11, 12}));
  CHECK(play.transcript() == "changes 11 12\n");
}

TEST_CASE("watch rule: a gap is read, and what is known of the answer is skipped", "[net][M18]") {
  Play play;
  play.notice(14, 15, items({15}));
  play.answer(15, items({10, 12, 15}));
  CHECK(play.transcript() == "read after 10 at least 15\nchanges 12 15\n");
  CHECK(play.seen() == 15);
}

TEST_CASE("watch rule: a prev that is too high costs a read that finds nothing", "[net]") {
  Play play;
  play.notice(11, 12, items({12}));  // nothing happened in (10, 11]
  play.answer(12, items({12}));
  CHECK(play.transcript() == "read after 10 at least 12\nchanges 12\n");
}

TEST_CASE("watch rule: a tail proves that there is something to read, or that there is not",
          "[net]") {
  Play play;
  play.tail(10);
  CHECK(play.transcript().empty());
  play.tail(13);
  play.answer(13, items({13}));
  CHECK(play.transcript() == "read after 10 at least 13\nchanges 13\n");
}

TEST_CASE("watch rule: one read at a time; what comes meanwhile is remembered by its revision",
          "[net][M18]") {
  Play play;
  play.notice(14, 15, items({15}));
  play.notice(15, 16, items({16}));
  play.notice(16, 18, items({18}));
  CHECK(play.transcript() == "read after 10 at least 15\n");
  play.answer(15, items({15}));
  CHECK(play.transcript() == "changes 15\nread after 15 at least 18\n");
  play.answer(18, items({16, 18}));
  CHECK(play.transcript() == "changes 16 18\n");
}

TEST_CASE("watch rule: an answer that was cut is read on", "[net]") {
  Play play;
  play.tail(20);
  play.give(proto::watch::Answer{
      .history = "h", .rev = Revision{13}, .items = items({12, 13}), .cut = true});
  play.answer(20, items({20}));
  CHECK(play.transcript() ==
        "read after 10 at least 20\n"
        "changes 12 13\n"
        "read after 13 at least 20\n"
        "changes 20\n");
}

TEST_CASE("watch rule: where the log begins later, the state comes instead", "[net]") {
  Play play;
  play.tail(20);
  play.give(proto::watch::Answer{
      .history = "h", .rev = Revision{20}, .items = items({7, 19}), .reset = true});
  play.notice(20, 21, items({21}));
  CHECK(play.transcript() == "read after 10 at least 20\nreset to 20: 7 19\nchanges 21\n");
}

TEST_CASE("watch rule: another history is read whatever the revision, and followed", "[net]") {
  Play play;
  play.notice(3, 4, items({4}), "new");
  play.give(proto::watch::Answer{
      .history = "new", .rev = Revision{4}, .items = items({2, 4}), .reset = true});
  play.notice(4, 5, items({5}), "new");
  CHECK(play.transcript() == "read after 10 at least 0\nreset to 4: 2 4\nchanges 5\n");
  CHECK(play.seen() == 5);
}

TEST_CASE("watch rule: a late notice of the history before costs a read and no second reset",
          "[net]") {
  Play play;
  play.notice(90, 91, items({91}), "old");
  play.notice(91, 92, items({92}), "old");
  play.answer(10, {});
  CHECK(play.transcript() == "read after 10 at least 0\n");
  CHECK(play.seen() == 10);
}

TEST_CASE("watch rule: with the state first, the state is read at the hello, even if it is empty",
          "[net]") {
  Play play({.after = Revision{0}});
  play.hello(5);
  play.sync_level(5);
  play.give(proto::watch::Answer{.history = "h", .rev = Revision{5}, .items = {}, .reset = true});
  play.tail(5);
  play.notice(5, 6, items({6}));
  CHECK(play.transcript() == "read after 0 at least 0\nreset to 5:\nchanges 6\n");
}

TEST_CASE("watch rule: from now on means after the hello's revision", "[net]") {
  Play play({.after = {}});
  play.notice(2, 3, items({3}));
  play.hello(5);
  play.tail(4);
  play.notice(4, 7, items({7}));
  CHECK(play.transcript() == "changes 7\n");
}

TEST_CASE("watch rule: a topic added later begins at the next sync, and keeps what it heard before",
          "[net]") {
  Play play({.after = {}});
  play.notice(2, 8, items({8}));
  play.sync_level(6);
  CHECK(play.seen() == 6);
  play.answer(8, items({8}));
  CHECK(play.transcript() == "read after 6 at least 8\nchanges 8\n");
}

TEST_CASE("watch rule: the last notice was lost, the sync finds it", "[net][M19]") {
  Play play;
  play.sync_behind(14);
  play.answer(14, items({13}));
  CHECK(play.transcript() == "read after 10 at least 14\nchanges 13\n");
  CHECK(play.seen() == 14);
}

TEST_CASE("watch rule: a sync moves an idle topic up, so that it stays above the trim floor",
          "[net]") {
  Play play;
  play.sync_level(500);
  CHECK(play.seen() == 500);
  play.notice(10, 501, items({501}));
  CHECK(play.transcript() == "changes 501\n");
}

TEST_CASE("watch rule: behind in two syncs without a notice: subscribe again", "[net]") {
  Play play;
  play.sync_behind(14);
  play.answer(14, items({14}));
  play.sync_behind(16);
  CHECK(play.transcript() ==
        "read after 10 at least 14\n"
        "changes 14\n"
        "resubscribe\n"
        "read after 14 at least 16\n");
}

TEST_CASE("watch rule: behind twice with a notice in between is nothing unusual", "[net]") {
  Play play;
  play.sync_behind(14);
  play.answer(14, items({14}));
  play.notice(14, 15, items({15}));
  play.sync_behind(16);
  CHECK(play.transcript().find("resubscribe") == std::string::npos);
}

TEST_CASE("watch rule: a sync of another history reads the state", "[net]") {
  Play play;
  play.sync({.history = "new", .rev = Revision{3}, .behind = {"t"}});
  CHECK(play.transcript() == "read after 10 at least 0\n");
}

TEST_CASE("watch rule: a paused topic falls behind in the log, not in memory", "[net]") {
  Play play;
  play.pause();
  play.notice(10, 11, items({11}));
  play.notice(11, 12, items({12}));
  play.sync_behind(12);
  play.sync_behind(12);
  CHECK(play.transcript().empty());
  play.resume();
  play.answer(12, items({11, 12}));
  CHECK(play.transcript() == "read after 10 at least 12\nchanges 11 12\n");
}

TEST_CASE("watch rule: an answer that comes while paused is read again afterwards", "[net]") {
  Play play;
  play.tail(12);
  play.pause();
  play.answer(12, items({12}));
  play.resume();
  play.answer(12, items({12}));
  CHECK(play.transcript() == "read after 10 at least 12\nread after 10 at least 12\nchanges 12\n");
}

TEST_CASE("watch rule: a read that failed is asked again after a moment", "[net]") {
  Play play;
  play.tail(12);
  play.give(Error{Code::unavailable, "not there yet"});
  play.notice(12, 13, items({13}));
  CHECK(play.transcript() == "read after 10 at least 12\n");
  play.pass(limits::read_retry);
  play.answer(13, items({12, 13}));
  CHECK(play.transcript() == "read after 10 at least 13\nchanges 12 13\n");
}

TEST_CASE("watch rule: an answer below what it must have does not make it spin", "[net]") {
  Play play;
  play.tail(12);
  play.answer(10, {});
  CHECK(play.transcript() == "read after 10 at least 12\n");
  play.pass(limits::read_retry);
  CHECK(play.transcript() == "read after 10 at least 12\n");
}

TEST_CASE("watch rule: a state older than what was seen is not taken", "[net]") {
  Play play;
  play.notice(10, 12, items({12}));
  play.tail(20);
  play.transcript();
  play.give(
      proto::watch::Answer{.history = "h", .rev = Revision{9}, .items = items({9}), .reset = true});
  CHECK(play.transcript().empty());
  CHECK(play.seen() == 12);
}

TEST_CASE("watch rule: a topic that may not be watched is told so and forgotten", "[net]") {
  Play play;
  play.tail(12);
  play.give(Error{Code::denied, "not yours"});
  play.tail(13);
  CHECK(play.transcript() == "read after 10 at least 12\nfailed denied\nunsubscribe\n");
}

TEST_CASE("watch rule: thousands of topics are proven in parts", "[net]") {
  WatchRule rule;
  for (std::size_t i = 0; i <= limits::sync_topics_max; ++i) {
    rule.add(fmt::format("t{}", i), {.after = Revision{1}, .history = "h"}, {});
  }
  const auto syncs = rule.syncs();
  REQUIRE(syncs.size() == 2);
  CHECK(syncs[0].topics.size() + syncs[1].topics.size() == limits::sync_topics_max + 1);
}

}  // namespace muster::net
