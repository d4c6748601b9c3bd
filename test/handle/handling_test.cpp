// handling_test: which calls a handler gets; who is slow, fails, is killed, or has company.
#include "common/handle/handling.hpp"

#include <fmt/format.h>

#include "test/support/catch.hpp"

namespace muster::test {
namespace {

using handle::Begin;
using handle::Call;
using handle::Handling;
using handle::Mode;
using handle::OnError;
using handle::Policy;
using handle::Runs;
using proto::watch::Item;

/// What a Handling wants, in words; a clock that moves when told.
class Play {
 public:
  explicit Play(Policy policy) : handling(std::move(policy)) {}

  void changes(std::vector<std::uint64_t> revs) {
    std::vector<Item> items;
    for (const std::uint64_t rev : revs)
      items.push_back({.rev = Revision{rev}, .op = "put", .name = "k", .body = {}});
    const Revision last{revs.back()};
    handling.changes({.topic = "t", .history = "h", .rev = last, .items = std::move(items)}, now);
  }
  void reset(std::uint64_t rev, const std::string& history = "h") {
    handling.reset({.topic = "t",
                    .history = history,
                    .rev = Revision{rev},
                    .items = {{.rev = Revision{rev - 1}, .op = "put", .name = "k", .body = {}}}},
                   now);
  }
  void prepared(const std::string& input, std::uint64_t upto = 0) {
    handling.prepared(input, Revision{upto}, now);
  }
  void ended(std::int64_t code) { handling.ended(code, now); }
  void moved() { handling.moved(now); }
  void stands(std::uint64_t at) { handling.stands(Revision{at}, now); }
  void advance(Duration by) {
    now += by;
    handling.tick(now);
  }
  std::string effects() {
    std::string said;
    for (const auto& effect : handling.take()) {
      said += said.empty() ? "" : ", ";
      said += std::visit([](const auto& each) { return words(each); }, effect);
    }
    return said;
  }
  /// A call that succeeds, up to its end.
  void handle(const std::string& input) {
    prepared(input);
    ended(0);
  }

  TimePoint now{std::chrono::hours(1)};
  Handling handling;

 private:
  static std::string words(const Handling::Prepare& effect) {
    static const std::map<Call::What, std::string> names = {{Call::What::state, "state"},
                                                            {Call::What::reset, "reset"},
                                                            {Call::What::change, "change"},
                                                            {Call::What::merged, "merged"}};
    return fmt::format("prepare {} {}", names.at(effect.call.what), effect.call.rev.value);
  }
  static std::string words(const Handling::Run& effect) {
    return fmt::format("run {} {}", effect.call.rev.value, effect.input);
  }
  static std::string words(const Handling::Move& effect) {
    return fmt::format("move {}-{}{}", effect.from.value, effect.rev.value,
                       effect.exit_code ? "" : " idle");
  }
  static std::string words(const Handling::Note& effect) {
    return fmt::format("note {} code {}", effect.at.value, effect.exit_code);
  }
  static std::string words(const Handling::Pause&) { return "pause"; }
  static std::string words(const Handling::Resume&) { return "resume"; }
  static std::string words(const Handling::Over& effect) {
    return fmt::format("over {}", effect.exit_code);
  }
};

Policy with_cursor(std::uint64_t at) {
  return {
      .begin = Begin::with_changes, .cursor = Revision{at}, .after = Revision{at}, .history = "h"};
}

TEST_CASE("handling: each change is a call, in order, and the topic waits for the handler") {
  Play play({});
  play.reset(5);
  CHECK(play.effects() == "pause, prepare state 4");
  play.prepared("a");
  CHECK(play.effects() == "run 4 a");
  play.changes({6, 8});
  CHECK(play.effects().empty());
  play.ended(0);
  CHECK(play.effects() == "prepare change 6");
  play.handle("b");
  CHECK(play.effects() == "run 6 b, prepare change 8");
  play.handle("c");
  CHECK(play.effects() == "run 8 c, resume");
}

TEST_CASE("handling: what one revision changed is one call") {
  Play play({.begin = Begin::with_changes});
  play.handling.changes({.topic = "t",
                         .history = "h",
                         .rev = Revision{7},
                         .items = {{.rev = Revision{7}, .op = "put", .name = "a", .body = {}},
                                   {.rev = Revision{7}, .op = "delete", .name = "b", .body = {}}}},
                        play.now);
  const auto effects = play.handling.take();
  REQUIRE(effects.size() == 2);
  CHECK(std::get<Handling::Prepare>(effects[1]).call.items.size() == 2);
}

TEST_CASE("handling: latest merges what comes while the handler runs; the same again is no call") {
  Play play({.mode = Mode::latest});
  play.reset(5);
  CHECK(play.effects() == "prepare state 4");
  play.prepared("a", 5);
  play.changes({6});
  play.changes({7, 9});
  CHECK(play.effects() == "run 4 a");
  play.ended(0);
  CHECK(play.effects() == "prepare merged 9");
  play.prepared("b", 9);
  CHECK(play.effects() == "run 9 b");
  play.changes({10});
  play.ended(0);
  CHECK(play.effects() == "prepare change 10");
  play.prepared("b", 10);
  CHECK(play.effects().empty());
}

TEST_CASE("handling: a state that was fetched later holds the changes up to there") {
  Play play({.mode = Mode::latest, .begin = Begin::with_changes});
  play.changes({6});
  CHECK(play.effects() == "prepare change 6");
  play.changes({7});
  play.prepared("a", 8);
  play.changes({8});
  play.ended(0);
  CHECK(play.effects() == "run 6 a");
}

TEST_CASE("handling: a debounce gathers changes") {
  Play play({.mode = Mode::latest, .begin = Begin::with_changes, .debounce = seconds(2)});
  play.changes({6});
  play.advance(seconds(1));
  play.changes({7});
  CHECK(play.effects().empty());
  CHECK(play.handling.next_due() == play.now + seconds(1));
  play.advance(seconds(1));
  CHECK(play.effects() == "prepare merged 7");
}

TEST_CASE("handling: the cursor moves after the handler has ended with 0, before the next call") {
  Play play(with_cursor(5));
  play.changes({6, 8});
  play.prepared("a");
  CHECK(play.effects() == "pause, prepare change 6, run 6 a");
  play.ended(0);
  CHECK(play.effects() == "move 5-6");
  play.moved();
  CHECK(play.effects() == "prepare change 8");
  play.handle("b");
  play.moved();
  CHECK(play.effects() == "run 8 b, move 6-8, resume");
}

TEST_CASE("handling: a handler that fails is noted, its revision is acknowledged with the next") {
  Play play(with_cursor(5));
  play.changes({6, 8});
  play.prepared("a");
  play.effects();
  play.ended(3);
  CHECK(play.effects() == "note 5 code 3, prepare change 8");
  play.handle("b");
  CHECK(play.effects() == "run 8 b, move 5-8");
}

TEST_CASE("handling: retry runs the same revision again, ever more rarely") {
  Policy policy = with_cursor(5);
  policy.on_error = OnError::retry;
  Play play(policy);
  play.changes({6});
  play.prepared("a");
  play.effects();
  play.ended(1);
  CHECK(play.effects() == "note 5 code 1");
  CHECK(play.handling.next_due() == play.now + limits::handler_retry_min);
  play.advance(limits::handler_retry_min);
  CHECK(play.effects() == "prepare change 6");
  play.prepared("a");
  play.ended(137);
  CHECK(play.handling.next_due() == play.now + limits::handler_retry_min * 2);
  play.effects();
  play.advance(limits::handler_retry_max);
  play.handle("a");
  CHECK(play.effects() == "prepare change 6, run 6 a, move 5-6");
}

TEST_CASE("handling: retry of latest tells the newest state") {
  Play play({.mode = Mode::latest, .on_error = OnError::retry, .begin = Begin::with_changes});
  play.changes({6});
  play.prepared("a", 6);
  play.ended(1);
  play.changes({7});
  play.effects();
  play.advance(limits::handler_retry_min);
  CHECK(play.effects() == "prepare merged 7");
  play.prepared("a", 7);
  CHECK(play.effects() == "run 7 a");
}

TEST_CASE("handling: on-error=exit ends with 1, once with 0 after one call") {
  Play strict({.on_error = OnError::exit, .begin = Begin::with_changes});
  strict.changes({6});
  strict.prepared("a");
  strict.effects();
  strict.ended(3);
  CHECK(strict.effects() == "over 1");
  strict.changes({7});
  CHECK(strict.effects().empty());
  Play once({.runs = Runs::once, .begin = Begin::with_changes});
  once.changes({6, 7});
  once.prepared("a");
  once.effects();
  once.ended(0);
  CHECK(once.effects() == "over 0");
}

TEST_CASE("handling: another watcher of the cursor came first, its calls are dropped") {
  Play play(with_cursor(5));
  play.changes({6, 8, 9});
  play.handle("a");
  play.effects();
  play.stands(8);
  CHECK(play.effects() == "prepare change 9");
  play.handle("c");
  CHECK(play.effects() == "run 9 c, move 8-9");
}

TEST_CASE("handling: a cursor that is elsewhere, behind us, is moved from there") {
  Play play(with_cursor(5));
  play.changes({6, 8});
  play.handle("a");
  play.effects();
  play.stands(4);
  CHECK(play.effects() == "move 4-6");
}

TEST_CASE("handling: a word to the broker that failed is said again") {
  Play play(with_cursor(5));
  play.changes({6});
  play.handle("a");
  play.effects();
  play.handling.not_moved(play.now);
  play.advance(limits::read_retry);
  CHECK(play.effects() == "move 5-6");
}

TEST_CASE("handling: an idle cursor moves when it is far behind, and without a call") {
  Play play(with_cursor(5));
  play.handling.idle("h", Revision{5 + limits::cursor_idle_revs - 1});
  CHECK(play.effects().empty());
  play.handling.idle("h", Revision{1'000});
  CHECK(play.effects() == "move 5-1000 idle");
  play.moved();
  play.changes({1'001});
  play.handle("a");
  CHECK(play.effects() == "pause, prepare change 1001, run 1001 a, move 1000-1001");
}

TEST_CASE("handling: a reset is one call with the state, and the environment says so") {
  Play play(with_cursor(5));
  play.reset(90, "restored");
  const auto effects = play.handling.take();
  REQUIRE(effects.size() == 2);
  const Call& call = std::get<Handling::Prepare>(effects[1]).call;
  CHECK(call.what == Call::What::reset);
  CHECK(call.upto == Revision{90});
  const auto environment = handle::environment_of(call);
  CHECK(environment.back() == std::pair<std::string, std::string>("MUSTER_OP", "reset"));
  play.handle("a");
  CHECK(play.effects() == "run 89 a, move 5-90");
}

TEST_CASE("handling: after a reset a stream tells only what was not told before") {
  Policy policy = with_cursor(5);
  policy.nature = handle::Nature::stream;
  Play play(policy);
  play.handling.reset({.topic = "t",
                       .history = "h",
                       .rev = Revision{90},
                       .items = {{.rev = Revision{4}, .op = "put", .name = "e", .body = {}},
                                 {.rev = Revision{60}, .op = "put", .name = "e", .body = {}}}},
                      play.now);
  const auto effects = play.handling.take();
  REQUIRE(effects.size() == 2);
  const Call& call = std::get<Handling::Prepare>(effects[1]).call;
  REQUIRE(call.items.size() == 1);
  CHECK(call.items[0].rev == Revision{60});
}

TEST_CASE("handling: the environment tells what one change was, and nothing of merged ones") {
  const Item item{.rev = Revision{7},
                  .op = "expire",
                  .name = "k",
                  .body = {},
                  .prev_rev = Revision{3},
                  .author = "ann@desk?",
                  .cause = "job-1"};
  const Call call{.what = Call::What::change,
                  .history = "h",
                  .rev = Revision{7},
                  .upto = Revision{7},
                  .items = {item}};
  const std::vector<std::pair<std::string, std::string>> all = {
      {"MUSTER_REV", "7"},           {"CONSUL_INDEX", "7"},    {"MUSTER_OP", "expire"},
      {"MUSTER_KEY", "k"},           {"MUSTER_PREV_REV", "3"}, {"MUSTER_CAUSE", "job-1"},
      {"MUSTER_AUTHOR", "ann@desk?"}};
  CHECK(handle::environment_of(call) == all);
  const Call merged{
      .what = Call::What::merged, .history = "h", .rev = Revision{7}, .upto = Revision{7}};
  CHECK(handle::environment_of(merged).size() == 2);
}

}  // namespace
}  // namespace muster::test
