// past: what keys were, at every revision that is kept, against a model that forgets nothing.
#include <map>
#include <random>

#include <fmt/format.h>

#include "common/protocol/admin.hpp"
#include "common/protocol/kv_past.hpp"
#include "common/protocol/kv_txn.hpp"
#include "test/support/catch.hpp"
#include "test/support/world.hpp"

namespace muster::test {
namespace {

namespace kv = proto::kv;
using State = std::map<std::string, std::string>;

kv::Put put(std::string key, std::string value) {
  return {.key = std::move(key), .value = Bytes(std::move(value))};
}

/// The store at each revision, and the number of changes of keys.
struct Model {
  std::map<Revision, State> states{{Revision{0}, {}}};
  std::map<Revision, std::uint64_t> times;

  const State& at(Revision rev) const { return std::prev(states.upper_bound(rev))->second; }
  State& next(Revision rev) {
    State copy = states.rbegin()->second;
    return states[rev] = std::move(copy);
  }
};

State listed(World& world, Revision rev) {
  State found;
  kv::List request{.prefix = "k", .when = kv::Moment{.rev = rev}};
  do {
    const auto page = world.ask("bob", request);
    for (const kv::Entry& entry : page.entries) found[entry.key] = entry.value.data;
    request.from = page.next;
  } while (!request.from.empty());
  return found;
}

std::vector<kv::Version> logged(World& world, kv::Log request) {
  std::vector<kv::Version> found;
  do {
    const auto page = world.ask("bob", request);
    found.insert(found.end(), page.versions.begin(), page.versions.end());
    request.from = page.next;
  } while (!request.from.empty());
  std::sort(found.begin(), found.end(), [](const auto& a, const auto& b) {
    return std::tie(a.rev, a.key) < std::tie(b.rev, b.key);
  });
  return found;
}

/// A life of random changes, with trims, checkpoints and restarts in between.
void live(World& world, Model& model, std::mt19937& random) {
  const auto pick = [&](std::uint64_t below) { return random() % below; };
  const auto key = [&] { return fmt::format("k{}", pick(5)); };
  for (int step = 0; step < 400; ++step) {
    const std::uint64_t dice = pick(20);
    const std::string name = key();
    const std::string value = std::to_string(step);
    if (dice < 9) {
      const Revision rev = world.ask("ann", put(name, value)).rev;
      model.next(rev)[name] = value;
    } else if (dice < 12) {
      const auto done = world.ask("ann", kv::Delete{.key = name});
      if (done.count != 0) model.next(done.rev).erase(name);
    } else if (dice < 14) {
      const std::string other = key();
      const auto done =
          world.ask("ann", kv::Txn{.then = {{.op = "delete_prefix", .key = name},
                                            {.op = "put", .put = put(other, value)},
                                            {.op = "put", .put = put(other, value + "b")}}});
      State& state = model.next(done.rev);
      state.erase(name);
      state[other] = value + "b";
    } else if (dice < 16) {
      const Revision floor = world.ask("bob", proto::admin::Status{}).trim_floor;
      const Revision now = world.core().rev();
      const Revision to{floor.value + pick(now.value - floor.value) + 1};
      const auto done = world.ask("ann", kv::Revert{.prefix = "k", .to = kv::Moment{.rev = to}});
      if (done.written + done.deleted != 0) model.next(done.rev) = model.at(to);
      CHECK(listed(world, world.core().rev()) == model.at(to));
    } else if (dice < 18) {
      world.advance(milliseconds(1500));
    } else if (dice < 19) {
      world.checkpoint();
    } else {
      world.restart();
    }
  }
}

TEST_CASE("past: at every revision that is kept keys are what they were, and before it gone",
          "[core][M33]") {
  for (std::uint32_t seed = 1; seed <= 12; ++seed) {
    CAPTURE(seed);
    std::mt19937 random(seed);
    World world({.bytes = 1, .age = std::chrono::hours(1)});
    world.log().set_segment(8);
    Model model;
    live(world, model, random);
    const Revision floor = world.ask("bob", proto::admin::Status{}).trim_floor;
    REQUIRE(floor.value > 10);
    CHECK(world.refusal("bob", kv::List{.when = kv::Moment{.rev = Revision{floor.value - 1}}}) ==
          Code::gone);
    for (Revision rev = floor; rev <= world.core().rev(); rev = rev.next()) {
      CAPTURE(rev.value, floor.value);
      REQUIRE(listed(world, rev) == model.at(rev));
      for (int i = 0; i < 5; ++i) {
        const std::string key = fmt::format("k{}", i);
        const auto expected = model.at(rev).find(key);
        const kv::Get get{.key = key, .when = kv::Moment{.rev = rev}};
        if (expected == model.at(rev).end()) CHECK(world.refusal("bob", get) == Code::not_found);
        else CHECK(world.ask("bob", get).value.data == expected->second);
      }
    }
  }
}

TEST_CASE("past: a diff names the keys that differ between two moments, and only those", "[core]") {
  std::mt19937 random(7);
  World world({.bytes = 1, .age = std::chrono::hours(1)});
  world.log().set_segment(8);
  Model model;
  live(world, model, random);
  const Revision floor = world.ask("bob", proto::admin::Status{}).trim_floor;
  for (int i = 0; i < 60; ++i) {
    const std::uint64_t span = world.core().rev().value - floor.value;
    Revision from{floor.value + random() % span};
    Revision to{floor.value + random() % span};
    State before = model.at(from);
    const State& after = model.at(to);
    const auto found = world.ask("bob", kv::Diff{.prefix = "k",
                                                 .from = kv::Moment{.rev = from},
                                                 .to = kv::Moment{.rev = to},
                                                 .start = {}});
    for (const kv::Difference& key : found.keys) {
      CHECK((key.before ? key.before->value.data : "-") !=
            (key.after ? key.after->value.data : "-"));
      if (key.after) before[key.key] = key.after->value.data;
      else before.erase(key.key);
    }
    CHECK(before == after);
  }
}

TEST_CASE("past: the log of a key has each change with author, cause, verb and what it replaced",
          "[core]") {
  World world;
  const Revision first = world.ask("ann", put("k", "1"), {.cause = "ticket 7"}).rev;
  const Revision second = world.ask("bob", put("k", "22")).rev;
  world.ask("bob", put("other", "x"));
  const Revision third = world.ask("cat", kv::Delete{.key = "k"}).rev;
  for (const kv::Log& request : {kv::Log{.key = "k"}, kv::Log{.prefix = "k"}}) {
    const auto versions = logged(world, request);
    REQUIRE(versions.size() == 3);
    CHECK(versions[0].author == "ann?");
    CHECK(versions[0].cause == "ticket 7");
    CHECK(versions[0].verb == "kv.put");
    CHECK(versions[0].prev_rev == Revision{0});
    CHECK(versions[1].rev == second);
    CHECK(versions[1].bytes == 2);
    CHECK(versions[1].prev_rev == first);
    CHECK(versions[2].op == "delete");
    CHECK(versions[2].rev == third);
    CHECK(versions[2].prev_rev == second);
  }
  CHECK(logged(world, {.key = "k", .after = second}).size() == 1);
}

TEST_CASE("past: a key's log and its prefix's agree over trims, and what no longer is kept is said",
          "[core]") {
  std::mt19937 random(3);
  World world({.bytes = 1, .age = std::chrono::hours(1)});
  world.log().set_segment(8);
  Model model;
  live(world, model, random);
  std::vector<kv::Version> by_key;
  for (int i = 0; i < 5; ++i) {
    const auto own = logged(world, {.key = fmt::format("k{}", i)});
    by_key.insert(by_key.end(), own.begin(), own.end());
  }
  const auto by_prefix = logged(world, {.prefix = "k"});
  CHECK(by_key.size() == by_prefix.size());
  const auto page = world.ask("bob", kv::Log{.key = "k1"});
  CHECK(page.since == world.ask("bob", proto::admin::Status{}).trim_floor);
  CHECK(page.since_ms != 0);
}

TEST_CASE("past: a time is the newest revision of then, before the beginning there was nothing",
          "[core]") {
  World world;
  const std::uint64_t begin = 1'700'000'000'000;
  world.advance(seconds(10));
  world.ask("ann", put("k", "1"));
  world.advance(seconds(10));
  world.ask("ann", put("k", "2"));
  world.advance(seconds(10));
  const auto at = [&](std::uint64_t after_ms) {
    return kv::Get{.key = "k", .when = kv::Moment{.rev = {}, .at_ms = begin + after_ms}};
  };
  CHECK(world.refusal("bob", at(9'999)) == Code::not_found);
  CHECK(world.ask("bob", at(10'000)).value.data == "1");
  CHECK(world.ask("bob", at(19'999)).value.data == "1");
  CHECK(world.ask("bob", at(20'000)).value.data == "2");
  CHECK(world.ask("bob", at(99'000)).value.data == "2");
  CHECK(world.refusal("bob", kv::Get{.key = "k", .when = kv::Moment{.rev = Revision{99}}}) ==
        Code::invalid);
}

TEST_CASE("past: a key that is overwritten long after its record was trimmed can be put back",
          "[core]") {
  World world({.bytes = 1, .age = std::chrono::hours(1)});
  world.log().set_segment(4);
  world.ask("ann", put("config", "right"));
  for (int i = 0; i < 20; ++i) world.ask("ann", put("busy", std::to_string(i)));
  world.advance(seconds(3));
  world.checkpoint();
  const Revision before = world.ask("ann", put("busy", "x")).rev;
  world.ask("ann", put("config", "wrong"));
  CHECK(world.ask("bob", kv::Get{.key = "config", .when = kv::Moment{.rev = before}}).value.data ==
        "right");
  const auto done = world.ask("bob", kv::Revert{.key = "config", .to = kv::Moment{.rev = before}});
  CHECK(done.written == 1);
  CHECK(world.ask("bob", kv::Get{.key = "config"}).value.data == "right");
  CHECK(world.ask("bob", kv::Get{.key = "config"}).author == "bob?");
}

// A restart between a trim and the checkpoint that holds it left the segment on disk for ever.
TEST_CASE("past: what was given up before a restart is unlinked after it", "[core]") {
  World world({.bytes = 1, .age = std::chrono::hours(1)});
  world.log().set_segment(4);
  for (int i = 0; i < 20; ++i) world.ask("ann", put("k", std::to_string(i)));
  world.advance(seconds(1));
  REQUIRE(world.ask("bob", proto::admin::Status{}).trim_floor.value > 0);
  REQUIRE(world.log().first() == Seq{1});
  world.restart();
  world.checkpoint();
  CHECK(world.log().first() > Seq{1});
}

TEST_CASE("past: a revert is refused when a key has changed after what was looked at", "[core]") {
  World world;
  const Revision old = world.ask("ann", put("p/a", "1")).rev;
  const Revision looked = world.ask("ann", put("p/a", "2")).rev;
  world.ask("cat", put("p/a", "3"));
  CHECK(world.refusal("bob",
                      kv::Revert{.prefix = "p/", .to = kv::Moment{.rev = old}, .expect = looked}) ==
        Code::conflict);
  CHECK(world.refusal("bob", kv::Revert{.to = kv::Moment{.rev = old}}) == Code::invalid);
  CHECK(world.refusal("bob", kv::Revert{.key = "p/a"}) == Code::invalid);
  const auto done = world.ask("bob", kv::Revert{.prefix = "p/", .to = kv::Moment{.rev = old}});
  CHECK(done.written == 1);
  CHECK(world.ask("bob", kv::Revert{.prefix = "p/", .to = kv::Moment{.rev = old}}).rev == done.rev);
}

TEST_CASE("past: a prefix with an age of its own is kept for longer than the log, and no longer",
          "[core]") {
  World world({.bytes = 1, .age = std::chrono::hours(1), .keep = {{"keep/", 3'600'000}}});
  world.log().set_segment(4);
  std::vector<Revision> revs;
  for (int i = 0; i < 10; ++i) {
    revs.push_back(world.ask("ann", put("keep/a", std::to_string(i)), {.cause = "c"}).rev);
    world.ask("ann", put("other", std::to_string(i)));
    world.advance(seconds(60));
    world.checkpoint();
  }
  const Revision floor = world.ask("bob", proto::admin::Status{}).trim_floor;
  REQUIRE(floor > revs[5]);
  CHECK(world.refusal("bob", kv::Get{.key = "other", .when = kv::Moment{.rev = revs[1]}}) ==
        Code::gone);
  for (std::size_t i = 0; i < revs.size(); ++i)
    CHECK(
        world.ask("bob", kv::Get{.key = "keep/a", .when = kv::Moment{.rev = revs[i]}}).value.data ==
        std::to_string(i));
  CHECK(world
            .ask("bob", kv::Get{.key = "keep/a",
                                .when = kv::Moment{.rev = {}, .at_ms = 1'700'000'090'000}})
            .value.data == "1");
  CHECK(logged(world, {.key = "keep/a"}).size() == 10);
  CHECK(logged(world, {.prefix = "keep/"}).at(2).cause == "c");
  world.advance(std::chrono::minutes(55));
  CHECK(world.refusal("zoe", kv::Get{.key = "keep/a", .when = kv::Moment{.rev = revs[1]}}) ==
        Code::gone);
  CHECK(world.ask("zoe", kv::Get{.key = "keep/a", .when = kv::Moment{.rev = revs[9]}}).value.data ==
        "9");
}

}  // namespace
}  // namespace muster::test
