// flood: how many events all of a hundred subscribers have in a second, against a bare relay.
#include <thread>

#include <fmt/format.h>

#include "common/protocol/codec.hpp"
#include "common/protocol/event.hpp"
#include "common/protocol/watch.hpp"
#include "test/bench/audience.hpp"
#include "test/bench/bench.hpp"
#include "test/bench/wire.hpp"

namespace muster::bench {
namespace {

class Flood {
 public:
  Flood(Bench& bench, std::size_t subscribers)
      : bench_(bench),
        subscribers_(subscribers),
        count_(bench.scaled(10'000)),
        cluster_(started(bench)),
        writer_(cluster_->endpoint(), 1),
        ours_(cluster_->notices(), topic_, subscribers),
        relay_(bench.folder),
        bare_(relay_.notices(), topic_, subscribers) {
    writer_.say_hello();
    relay_.warm(bare_, topic_);
    ours_.all_hear();
    ours_.forget();
  }

  void measure() {
    Subject events([this] { return events_round(); });
    Subject relay([this] { return relay_round(); });
    take_turns(bench_.rounds, {&events, &relay});
    bench_.add(fmt::format("bare relay flood, {} subscribers", subscribers_), relay.all());
    bench_.add(fmt::format("event flood, {} subscribers", subscribers_), events.all(),
               Bar{"x relay's rate", Bar::Wanted::at_least, 0.6,
                   median_of(bench_.rounds, [&](std::size_t n) {
                     return events.rounds()[n].per_second() / relay.rounds()[n].per_second();
                   })});
    bench_.add("event flood, dropped on the way", {},
               Bar{"notices", Bar::Wanted::at_most, 0, static_cast<double>(dropped_)});
  }

 private:
  static std::unique_ptr<test::Cluster> started(const Bench& bench) {
    auto cluster = std::make_unique<test::Cluster>(bench.folder);
    cluster->start_broker();
    return cluster;
  }

  Samples events_round() {
    const std::uint64_t start = now_ns();
    std::thread sending([this] {
      const std::string body =
          codec::encode(proto::event::Send{.name = "bench", .payload = Bytes(payload_)});
      writer_.run(count_, 64,
                  [&](std::size_t) { return std::pair(proto::event::Send::verb, body); });
    });
    const std::size_t notices = first_hears_all();
    sending.join();
    Samples samples;
    for (std::size_t n = 1; n < subscribers_; ++n) {
      std::size_t heard = 0;
      while (heard < notices && !ours_.hear(n).empty()) ++heard;
      dropped_ += notices - heard;
    }
    samples.add_untimed(count_ * subscribers_);
    samples.took(static_cast<double>(now_ns() - start) / 1e9);
    return samples;
  }

  /// In how many notices. What was dropped on the way to it shows as a gap between two.
  std::size_t first_hears_all() {
    std::size_t notices = 0;
    for (std::size_t events = 0; events < count_; ++notices) {
      const auto notice = codec::decode<proto::watch::Notice>(ours_.hear(0));
      if (!notice) throw std::runtime_error("the flood ended before its end");
      if (seen_.value != 0 && notice->prev > seen_) ++dropped_;
      seen_ = notice->rev;
      events += notice->items.size();
    }
    return notices;
  }

  Samples relay_round() {
    const std::uint64_t start = now_ns();
    for (std::size_t n = 0; n < count_; ++n) relay_.push(topic_, payload_);
    for (std::size_t n = 0; n < subscribers_; ++n) {
      for (std::size_t i = 0; i < count_; ++i) bare_.hear(n);
    }
    Samples samples;
    samples.add_untimed(count_ * subscribers_);
    samples.took(static_cast<double>(now_ns() - start) / 1e9);
    return samples;
  }

  Bench& bench_;
  const std::size_t subscribers_;
  const std::size_t count_;
  const std::string topic_ = proto::watch::topic("event:", "bench");
  const std::string payload_ = std::string(256, 'p');
  std::unique_ptr<test::Cluster> cluster_;
  Wire writer_;
  Audience ours_;
  Relay relay_;
  Audience bare_;
  Revision seen_;
  std::size_t dropped_ = 0;
};

}  // namespace

void measure_floods(Bench& bench) { Flood(bench, 100).measure(); }

}  // namespace muster::bench
