// lock: a lock taken and given back, handed over, and fought for.
#include "common/protocol/lock.hpp"

#include <stdexcept>

#include <fmt/format.h>

#include "common/net/client.hpp"
#include "test/bench/bare.hpp"
#include "test/bench/bench.hpp"
#include "test/bench/wire.hpp"

namespace muster::bench {
namespace {

const std::string lock_name = "bench";

/// A client with a session.
class Contender {
 public:
  Contender(net::Reactor& reactor, zmq::context_t& context, const std::string& broker)
      : client_(*net::Client::open(reactor, context, {.broker = broker})) {
    const auto opened = client_->call(proto::session::Open{.name = "bench", .ttl_ms = 600'000});
    if (!opened) throw std::runtime_error(opened.error().message);
    session_ = opened->id;
  }

  void ask(std::function<void()> granted) {
    client_->request<proto::lock::Acquire>(
        {.name = lock_name, .session = session_}, {.timeout = {}},
        [granted = std::move(granted)](const Result<proto::lock::Granted>& answer) {
          if (!answer) throw std::runtime_error(answer.error().message);
          granted();
        });
  }
  void release() {
    client_->request<proto::lock::Release>({.name = lock_name, .session = session_}, {},
                                           [](const Result<proto::Empty>&) {});
  }
  void cycle() {
    const auto granted =
        client_->call(proto::lock::Acquire{.name = lock_name, .session = session_});
    const auto released =
        client_->call(proto::lock::Release{.name = lock_name, .session = session_});
    if (!granted || !released) throw std::runtime_error("a free lock was not to be had");
  }

 private:
  std::unique_ptr<net::Client> client_;
  std::string session_;
};

class Theme {
 public:
  explicit Theme(Bench& bench)
      : bench_(bench),
        cluster_(bench.folder),
        log_(cluster_.folder("bare")),
        echo_server_("echo", bench.folder),
        echo_wire_(echo_server_.endpoint(), 1) {
    cluster_.start_broker();
  }

  void cycles() {
    crowd(1);
    Subject echo([&] { return echo_round(); });
    Subject append([&] { return log_.append(count()); });
    Subject cycle([&] { return timed(count(), [&] { contenders_[0]->cycle(); }); });
    take_turns(bench_.rounds, {&echo, &append, &cycle});
    bench_.add("lock taken and given back", cycle.all(),
               bar(cycle, echo, append, 1.4, 2, "x 2 (echo + append)"));
  }

  /// From the release that is sent to the grant that the next one has.
  void hand_over(std::size_t waiters) {
    crowd(waiters + 1);
    Subject echo([&] { return echo_round(); });
    Subject append([&] { return log_.append(count()); });
    Subject hand([&] { return hand_round(); });
    take_turns(bench_.rounds, {&echo, &append, &hand});
    bench_.add(fmt::format("lock handed over, {} waiters", waiters), hand.all(),
               bar(hand, echo, append, 1.5, 1, "x (echo + append)"));
    hand_over_p50_ = hand.all().p50();
  }

  void contenders(std::size_t number) {
    crowd(number);
    Samples samples;
    for (std::size_t round = 0; round < bench_.rounds; ++round) {
      std::size_t served = 0;
      const std::uint64_t start = now_ns();
      for (const auto& one : contenders_) {
        one->ask([&, contender = one.get()] {
          ++served;
          contender->release();
        });
      }
      until([&] { return served == number; });
      samples.add_ns(now_ns() - start);
    }
    const double ratio = samples.p50() / (static_cast<double>(number) * hand_over_p50_);
    bench_.add(fmt::format("{} contenders, all served", number), std::move(samples),
               Bar{"x 100 hand-overs", Bar::Wanted::at_most, 2, ratio});
  }

 private:
  std::size_t count() const { return bench_.scaled(500); }

  void crowd(std::size_t number) {
    while (contenders_.size() < number)
      contenders_.push_back(std::make_unique<Contender>(reactor_, context_, cluster_.endpoint()));
  }

  void until(const std::function<bool()>& done) {
    if (reactor_.run_until(BootClock::now() + seconds(60), done) != net::Ended::satisfied)
      throw std::runtime_error("a lock was not handed on within a minute");
  }

  Samples echo_round() {
    const std::string body(100, 'e');
    return echo_wire_.run(count(), 1, [&](std::size_t) { return std::pair("echo", body); });
  }

  Samples hand_round() {
    Samples samples;
    std::uint64_t released = 0;
    std::size_t left = count();
    // Who has had it asks again, at the end of the queue.
    std::function<void(Contender*)> ask = [&](Contender* one) {
      one->ask([&, one] {
        if (released != 0) samples.add_ns(now_ns() - released);
        released = now_ns();
        one->release();
        if (left > 0 && --left > 0) ask(one);
      });
    };
    for (const auto& one : contenders_) ask(one.get());
    until([&] { return samples.size() + 1 >= count() + contenders_.size() - 1; });
    return samples;
  }

  Bar bar(const Subject& ours, const Subject& echo, const Subject& append, double limit,
          double times, std::string of) const {
    return {std::move(of), Bar::Wanted::at_most, limit,
            median_of(bench_.rounds, [&](std::size_t n) {
              return ours.rounds()[n].p50() /
                     (times * (echo.rounds()[n].p50() + append.rounds()[n].p50()));
            })};
  }

  Bench& bench_;
  test::Cluster cluster_;
  BareLog log_;
  BareServer echo_server_;
  Wire echo_wire_;
  zmq::context_t context_;
  net::Reactor reactor_;
  std::vector<std::unique_ptr<Contender>> contenders_;
  double hand_over_p50_ = 0;
};

}  // namespace

void measure_locks(Bench& bench) {
  Theme theme(bench);
  theme.cycles();
  theme.hand_over(5);
  theme.hand_over(99);
  theme.contenders(100);
}

}  // namespace muster::bench
