// past: a thousand keys of a hundred revisions each: asking, comparing, going back, and what they
// weigh before and after they are trimmed.
#include <filesystem>
#include <poll.h>

#include <fmt/format.h>

#include "common/net/client.hpp"
#include "common/protocol/admin.hpp"
#include "common/protocol/kv_past.hpp"
#include "common/protocol/session.hpp"
#include "test/bench/bare.hpp"
#include "test/bench/bench.hpp"
#include "test/bench/command.hpp"
#include "test/bench/wire.hpp"

namespace muster::bench {
namespace {

constexpr std::size_t keys = 1000;
constexpr std::size_t revisions = 100;

double megabytes(const std::filesystem::path& place) {
  std::uintmax_t bytes = 0;
  if (std::filesystem::is_regular_file(place)) bytes = std::filesystem::file_size(place);
  else
    for (const auto& file : std::filesystem::directory_iterator(place)) bytes += file.file_size();
  return static_cast<double>(bytes) / 1e6;
}

class Theme {
 public:
  explicit Theme(Bench& bench) : bench_(bench), cluster_(bench.folder) {
    cluster_.start_broker();
    setenv("MUSTER_BROKER", cluster_.endpoint().c_str(), 1);
  }

  void measure() {
    write();
    connect();
    ask("kv.log of a key, in the broker", proto::kv::Log{.key = key(7)});
    tool("muster kv log KEY, start to exit", {"log", key(7)});
    const proto::kv::Moment middle{.rev = Revision{keys * revisions / 2}};
    ask("kv.diff of the prefix, half the past, in the broker", proto::kv::Diff{.from = middle});
    tool("muster kv diff of the prefix, start to exit",
         {"diff", fmt::format("-from={}", middle.rev.value)});
    tool("muster kv log of the prefix, 100,000 changes", {"log", "-recurse", "-last=1", "p/"});
    revert(middle);
    weigh("before trimming", 300);
    trim();
    weigh("after trimming", 100);
  }

 private:
  static std::string key(std::size_t n) { return fmt::format("p/{:04}", n); }

  void write() {
    Wire wire(cluster_.endpoint(), 1);
    wire.say_hello();
    const std::string padding(64, 'v');
    bench_.add("put, 64 in flight", wire.run(keys * revisions, 64, [&](std::size_t n) {
      return std::pair(proto::kv::Put::verb,
                       codec::encode(proto::kv::Put{.key = key(n % keys),
                                                    .value = Bytes(std::to_string(n) + padding)}));
    }));
  }

  void connect() {
    client_ = *net::Client::open(reactor_, context_, {.broker = cluster_.endpoint()});
    call(proto::session::Ping{});
  }

  template <class Request>
  typename Request::Reply call(const Request& request) {
    auto reply = client_->call(request, {.timeout = seconds(30)});
    if (!reply) throw std::runtime_error(reply.error().message);
    return *std::move(reply);
  }

  /// All parts of the answer count as one.
  template <class Request>
  void ask(const std::string& name, const Request& request) {
    bench_.add(name, timed(bench_.scaled(50), [&] {
                 Request part = request;
                 do {
                   auto reply = call(part);
                   if constexpr (std::is_same_v<Request, proto::kv::Log>) part.from = reply.next;
                   else part.start = reply.next;
                   if constexpr (std::is_same_v<Request, proto::kv::Log>) {
                     if (part.from.empty()) break;
                   } else if (part.start.empty()) {
                     break;
                   }
                 } while (true);
               }));
  }

  void tool(const std::string& name, std::vector<std::string> words) {
    words.insert(words.begin(), {test::program("muster"), "kv"});
    bench_.add(name, timed(bench_.scaled(20), [&] { run_to_end(words); }));
  }

  /// There and back again, so that each changes every key.
  void revert(const proto::kv::Moment& middle) {
    const Revision end = call(proto::session::Ping{}).rev;
    bool there = false;
    bench_.add("kv.revert of the prefix, 1,000 keys, in the broker", timed(bench_.scaled(20), [&] {
                 there = !there;
                 const auto done = call(proto::kv::Revert{
                     .prefix = "p/", .to = there ? middle : proto::kv::Moment{.rev = end}});
                 if (done.written != keys) throw std::runtime_error("not all keys were reverted");
               }));
  }

  void weigh(const std::string& when, double limit_mb) {
    poll(nullptr, 0, 2500);  // the last checkpoint
    const std::string data = cluster_.folder("broker");
    bench_.add(fmt::format("log, {}", when), {},
               Bar{"MB", Bar::Wanted::at_most, limit_mb, megabytes(data + "/log")});
    bench_.add(fmt::format("LMDB, {}", when), {},
               Bar{"MB", Bar::Wanted::at_most, limit_mb, megabytes(data + "/data.mdb")});
  }

  void trim() {
    client_.reset();
    cluster_.kill_broker();
    cluster_.start_broker({"--log-bytes", "1"});
    connect();
    const std::uint64_t start = now_ns();
    std::uint64_t moved = start;
    std::uint64_t floor = 0;
    while (now_ns() - moved < 3'000'000'000U) {  // the last segment stays
      const std::uint64_t now = call(proto::admin::Status{}).trim_floor.value;
      if (now != floor) moved = now_ns();
      floor = now;
      poll(nullptr, 0, 20);
    }
    Samples samples;
    samples.add_untimed(floor);
    samples.took(static_cast<double>(moved - start) / 1e9);
    bench_.add("revisions trimmed", std::move(samples));
  }

  Bench& bench_;
  test::Cluster cluster_;
  zmq::context_t context_;
  net::Reactor reactor_;
  std::unique_ptr<net::Client> client_;
};

}  // namespace

void measure_past(Bench& bench) { Theme(bench).measure(); }

}  // namespace muster::bench
