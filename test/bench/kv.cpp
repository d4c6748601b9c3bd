// kv: puts and gets, against an echo over bare sockets and a bare log.
#include "common/protocol/kv.hpp"

#include <atomic>
#include <fstream>
#include <poll.h>
#include <random>
#include <thread>

#include <fmt/format.h>

#include "common/protocol/codec.hpp"
#include "test/bench/bare.hpp"
#include "test/bench/bench.hpp"
#include "test/bench/wire.hpp"

namespace muster::bench {
namespace {

constexpr std::size_t value_bytes = 256;
constexpr std::size_t clients = 64;

std::string key(std::size_t n) { return fmt::format("bench/{:08}", n); }

/// Values differ each time: a put of what is there is no change.
class Puts {
 public:
  explicit Puts(std::size_t keys) : keys_(keys) {}

  std::pair<std::string_view, std::string> any() { return put(random_() % keys_); }
  std::pair<std::string_view, std::string> put(std::size_t n) {
    std::string value = std::to_string(++count_);
    value.resize(value_bytes, 'v');
    return {proto::kv::Put::verb,
            codec::encode(proto::kv::Put{.key = key(n), .value = Bytes(value)})};
  }
  std::pair<std::string_view, std::string> get() {
    return {proto::kv::Get::verb, codec::encode(proto::kv::Get{.key = key(random_() % keys_)})};
  }

 private:
  const std::size_t keys_;
  std::mt19937 random_{7};
  std::size_t count_ = 0;
};

/// What a process has written so far: what it gave to write(), since write_bytes counts whole large
/// folios where the kernel has them.
double written_bytes(int pid) {
  std::ifstream file(fmt::format("/proc/{}/io", pid));
  std::string word;
  double bytes = 0;
  while (file >> word) {
    if (word == "wchar:") file >> bytes;
  }
  return bytes;
}

/// When the last checkpoint is through.
double settled_bytes(int pid) {
  double before = -1;
  double now = written_bytes(pid);
  while (now > before) {
    poll(nullptr, 0, 1000);
    before = std::exchange(now, written_bytes(pid));
  }
  return now;
}

class Theme {
 public:
  Theme(Bench& bench, std::size_t keys)
      : bench_(bench),
        keys_(keys),
        puts_(keys),
        cluster_(bench.folder),
        log_(cluster_.folder("bare")) {
    cluster_.start_broker();
    echo_ = std::make_unique<BareServer>("echo", bench.folder);
    Wire wire(cluster_.endpoint(), 1);
    wire.say_hello();
    std::size_t n = 0;
    wire.run(keys, 256, [&](std::size_t) { return puts_.put(n++); });
  }

  void one_client() {
    Wire broker(cluster_.endpoint(), 1);
    Wire bare(echo_->endpoint(), 1);
    broker.say_hello();
    const std::size_t count = bench_.scaled(1000);
    Subject echo([&] { return bare.run(count, 1, put_); });
    Subject append([&] { return log_.append(count); });
    Subject put([&] { return broker.run(count, 1, put_); });
    Subject get([&] { return broker.run(count, 1, get_); });
    take_turns(bench_.rounds, {&echo, &append, &put, &get});
    if (keys_ == 1000) {
      bench_.add("bare echo, 1 client", echo.all());
      bench_.add("bare append and fdatasync, 300 B", append.all());
    }
    const auto p50 = [](const Subject& of, std::size_t round) { return of.rounds()[round].p50(); };
    bench_.add(name("put, 1 client"), put.all(),
               Bar{"x (echo + append)", Bar::Wanted::at_most, 1.4,
                   median_of(bench_.rounds, [&](std::size_t n) {
                     return p50(put, n) / (p50(echo, n) + p50(append, n));
                   })});
    bench_.add(
        name("get, 1 client"), get.all(),
        Bar{"x echo", Bar::Wanted::at_most, 1.3,
            median_of(bench_.rounds, [&](std::size_t n) { return p50(get, n) / p50(echo, n); })});
  }

  void many_clients() {
    Wire broker(cluster_.endpoint(), clients);
    Wire bare(echo_->endpoint(), clients);
    broker.say_hello();
    const std::size_t count = bench_.scaled(20'000);
    Subject echo([&] { return bare.run(count, 1, put_); });
    Subject put([&] { return broker.run(count, 1, put_); });
    Subject get([&] { return broker.run(count, 1, get_); });
    take_turns(bench_.rounds, {&echo, &put, &get});
    if (keys_ == 1000) bench_.add("bare echo, 64 clients", echo.all());
    bench_.add(name("put, 64 clients"), put.all(), rate_of(put, echo, 0.5));
    bench_.add(name("get, 64 clients"), get.all(), rate_of(get, echo, 0.7));
    bench_.add(
        name("get, 64 clients, p99"), {},
        Bar{"x echo's p99", Bar::Wanted::at_most, 2, median_of(bench_.rounds, [&](std::size_t n) {
              return get.rounds()[n].quantile(0.99) / echo.rounds()[n].quantile(0.99);
            })});
  }

  void in_flight() {
    Wire broker(cluster_.endpoint(), 1);
    Wire bare(echo_->endpoint(), 1);
    broker.say_hello();
    const std::size_t count = bench_.scaled(40'000);
    Subject echo([&] { return bare.run(count, 64, put_); });
    Subject put([&] { return broker.run(count, 64, put_); });
    take_turns(bench_.rounds, {&echo, &put});
    if (keys_ == 1000) bench_.add("bare echo, 1 connection, 64 in flight", echo.all());
    bench_.add(name("put, 1 connection, 64 in flight"), put.all(), rate_of(put, echo, 0.3));
  }

  /// 64 writers for some seconds, checkpoints behind them, and one who reads all the while.
  void under_load() {
    Wire writers(cluster_.endpoint(), clients);
    Wire reader(cluster_.endpoint(), 1);
    writers.say_hello();
    reader.say_hello();
    const int pid = cluster_.broker().pid();
    const double before = settled_bytes(pid);
    const std::size_t count = bench_.scaled(200'000);
    std::atomic<bool> over = false;
    Samples gets;
    Puts others(keys_);
    std::thread reading([&] {
      while (!over) gets.merge(reader.run(100, 1, [&](std::size_t) { return others.get(); }));
    });
    writers.run(count, 1, put_);
    over = true;
    reading.join();
    const double longest_ms = gets.quantile(1) / 1000;
    bench_.add(name("get among 64 writers, the longest"), std::move(gets),
               Bar{"ms", Bar::Wanted::at_most, 10, longest_ms});
    bench_.add(name("written for a put"), {},
               Bar{"KB", Bar::Wanted::at_most, keys_ == 1000 ? 1.2 : 5,
                   (settled_bytes(pid) - before) / static_cast<double>(count) / 1000});
  }

  /// kill -9, and until a get is answered.
  void restart() {
    Samples samples;
    for (std::size_t n = 0; n < bench_.rounds; ++n) {
      cluster_.kill_broker();
      const std::uint64_t start = now_ns();
      cluster_.start_broker();
      Wire client(cluster_.endpoint(), 1);
      client.say_hello();
      client.run(1, 1, get_);
      samples.add_ns(now_ns() - start);
    }
    const double p50_ms = samples.p50() / 1000;
    bench_.add(name("restart after kill -9, first get"), std::move(samples),
               Bar{"ms", Bar::Wanted::at_most, 100, p50_ms});
  }

 private:
  std::string name(std::string_view what) const { return fmt::format("{}, {} keys", what, keys_); }
  Bar rate_of(const Subject& ours, const Subject& bare, double limit) const {
    return {"x echo's rate", Bar::Wanted::at_least, limit,
            median_of(bench_.rounds, [&](std::size_t n) {
              return ours.rounds()[n].per_second() / bare.rounds()[n].per_second();
            })};
  }

  Bench& bench_;
  const std::size_t keys_;
  Puts puts_;
  const Make put_ = [this](std::size_t) { return puts_.any(); };
  const Make get_ = [this](std::size_t) { return puts_.get(); };
  test::Cluster cluster_;
  BareLog log_;
  std::unique_ptr<BareServer> echo_;
};

}  // namespace

void measure_kv(Bench& bench) {
  for (const std::size_t keys : {1'000UL, 100'000UL}) {
    Theme theme(bench, keys);
    theme.one_client();
    theme.many_clients();
    theme.in_flight();
    theme.under_load();
    theme.restart();
  }
}

}  // namespace muster::bench
