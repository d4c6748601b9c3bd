// watch: how soon the last of many subscribers has a change, against a bare relay.
#include "common/protocol/watch.hpp"

#include <fmt/format.h>

#include "common/protocol/codec.hpp"
#include "common/protocol/kv.hpp"
#include "test/bench/audience.hpp"
#include "test/bench/bench.hpp"
#include "test/bench/wire.hpp"

namespace muster::bench {
namespace {

void last_of(Bench& bench, std::size_t watchers) {
  const std::string padding(256, 'p');
  test::Cluster cluster(bench.folder);
  cluster.start_broker();
  const std::string topic = proto::watch::topic("key:", "bench");
  Wire writer(cluster.endpoint(), 1);
  writer.say_hello();
  Audience ours(cluster.notices(), topic, watchers);
  Relay relay(bench.folder);
  Audience bare(relay.notices(), topic, watchers);
  relay.warm(bare, topic);
  ours.all_hear();  // the tail of its subscription
  ours.forget();    // and those of the others'
  const std::size_t count = bench.scaled(100);
  std::size_t value = 0;
  Subject watch([&] {
    return timed(count, [&] {
      const proto::kv::Put put{.key = "bench", .value = Bytes(std::to_string(++value) + padding)};
      writer.run(1, 1,
                 [&](std::size_t) { return std::pair(proto::kv::Put::verb, codec::encode(put)); });
      ours.all_hear();
    });
  });
  Subject pub([&] {
    return timed(count, [&] {
      relay.push(topic, padding);
      bare.all_hear();
    });
  });
  take_turns(bench.rounds, {&watch, &pub});
  bench.add(fmt::format("bare relay, {} subscribers, the last has it", watchers), pub.all());
  bench.add(fmt::format("put, {} watchers, the last has it", watchers), watch.all(),
            Bar{"x relay", Bar::Wanted::at_most, 1.5, median_of(bench.rounds, [&](std::size_t n) {
                  return watch.rounds()[n].p50() / pub.rounds()[n].p50();
                })});
}

}  // namespace

void measure_watches(Bench& bench) { last_of(bench, 1000); }

}  // namespace muster::bench
