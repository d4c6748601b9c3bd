// process: whole processes: how long the tool runs, what daemons weigh when they have nothing to
// do.
#include <filesystem>
#include <fstream>
#include <poll.h>

#include <fmt/format.h>

#include "common/protocol/codec.hpp"
#include "common/protocol/kv.hpp"
#include "test/bench/bare.hpp"
#include "test/bench/bench.hpp"
#include "test/bench/command.hpp"
#include "test/bench/wire.hpp"

namespace muster::bench {
namespace {

void tool(Bench& bench, const std::string& name, double limit_ms,
          const std::vector<std::string>& words) {
  Samples samples = timed(bench.scaled(200), [&] { run_to_end(words); });
  const double p50_ms = samples.p50() / 1000;
  bench.add(name, std::move(samples), Bar{"ms", Bar::Wanted::at_most, limit_ms, p50_ms});
}

double resident_mb(int pid) {
  std::ifstream file(fmt::format("/proc/{}/status", pid));
  std::string word;
  double kb = 0;
  while (file >> word) {
    if (word == "VmRSS:") file >> kb;
  }
  return kb / 1024;
}

/// All threads' time on a processor so far, in ms.
double cpu_ms(int pid) {
  double ns = 0;
  for (const auto& task : std::filesystem::directory_iterator(fmt::format("/proc/{}/task", pid))) {
    std::ifstream file(task.path() / "schedstat");
    double thread = 0;
    file >> thread;
    ns += thread;
  }
  return ns / 1e6;
}

double idle_cpu_ms_per_second(int pid) {
  const std::uint64_t start = now_ns();
  const double before = cpu_ms(pid);
  poll(nullptr, 0, 10'000);
  return (cpu_ms(pid) - before) / (static_cast<double>(now_ns() - start) / 1e9);
}

void broker_start(Bench& bench) {
  Samples samples;
  for (std::size_t n = 0; n < 2 * bench.rounds; ++n) {
    test::Cluster cluster(bench.folder);
    const std::uint64_t start = now_ns();
    cluster.start_broker();
    Wire client(cluster.endpoint(), 1);
    client.say_hello();
    samples.add_ns(now_ns() - start);
  }
  const double p50_ms = samples.p50() / 1000;
  bench.add("broker, start to first answer", std::move(samples),
            Bar{"ms", Bar::Wanted::at_most, 50, p50_ms});
}

}  // namespace

void measure_processes(Bench& bench) {
  broker_start(bench);
  test::Cluster cluster(bench.folder);
  cluster.start_broker();
  cluster.start_node("idle");
  const int broker = cluster.broker().pid();
  const int node = cluster.node("idle").pid();
  bench.add("broker, resident, empty", {},
            Bar{"MB", Bar::Wanted::at_most, 15, resident_mb(broker)});
  bench.add("node, resident, idle", {}, Bar{"MB", Bar::Wanted::at_most, 9, resident_mb(node)});
  bench.add("node, processor time, idle", {},
            Bar{"ms a second", Bar::Wanted::at_most, 0.15, idle_cpu_ms_per_second(node)});
  Wire client(cluster.endpoint(), 1);
  client.say_hello();
  client.run(1, 1, [](std::size_t) {
    return std::pair(proto::kv::Put::verb,
                     codec::encode(proto::kv::Put{.key = "k", .value = Bytes("v")}));
  });
  setenv("MUSTER_BROKER", cluster.endpoint().c_str(), 1);
  tool(bench, "muster kv get, start to exit", 8, {test::program("muster"), "kv", "get", "k"});
  tool(bench, "muster lock k true, start to exit", 12,
       {test::program("muster"), "lock", "k", "true"});
}

}  // namespace muster::bench
