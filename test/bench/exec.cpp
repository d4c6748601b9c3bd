// exec: a command on many nodes, against a prototype that only sends, spawns and answers.
#include "common/protocol/exec.hpp"

#include <stdexcept>

#include <fmt/format.h>
#include <zmq.hpp>

#include "common/net/client.hpp"
#include "test/bench/bare.hpp"
#include "test/bench/bench.hpp"

namespace muster::bench {
namespace {

constexpr std::string_view megabyte = "head -c 1000000 /dev/zero";

/// A ROUTER and processes that run what it says.
class Prototype {
 public:
  Prototype(const std::string& folder, std::size_t nodes)
      : router_(context_, zmq::socket_type::router) {
    router_.set(zmq::sockopt::rcvtimeo, 20'000);
    router_.bind("tcp://127.0.0.1:*");
    const std::string endpoint = router_.get(zmq::sockopt::last_endpoint);
    for (std::size_t n = 0; n < nodes; ++n) {
      nodes_.push_back(std::make_unique<BareServer>("spawn", folder, endpoint));
      ids_.push_back(hear());
    }
  }

  void run(std::string_view command) {
    for (const std::string& id : ids_) {
      router_.send(zmq::buffer(id), zmq::send_flags::sndmore);
      router_.send(zmq::buffer(command), zmq::send_flags::none);
    }
    for (std::size_t n = 0; n < ids_.size(); ++n) hear();
  }

 private:
  /// From whom.
  std::string hear() {
    zmq::message_t id;
    zmq::message_t body;
    if (!router_.recv(id) || !router_.recv(body)) throw std::runtime_error("a prototype is silent");
    return id.to_string();
  }

  zmq::context_t context_;
  zmq::socket_t router_;
  std::vector<std::unique_ptr<BareServer>> nodes_;
  std::vector<std::string> ids_;
};

void on_nodes(Bench& bench, std::size_t nodes) {
  test::Cluster cluster(bench.folder);
  cluster.start_broker();
  for (std::size_t n = 0; n < nodes; ++n) cluster.start_node(fmt::format("n{:02}", n));
  Prototype prototype(bench.folder, nodes);
  zmq::context_t context;
  net::Reactor reactor;
  const auto client = *net::Client::open(reactor, context, {.broker = cluster.endpoint()});
  const auto compare = [&](const std::string& name, Subject ours, Subject bare) {
    take_turns(bench.rounds, {&ours, &bare});
    bench.add("prototype, " + name, bare.all());
    bench.add(
        "exec, " + name, ours.all(),
        Bar{"x prototype", Bar::Wanted::at_most, 2, median_of(bench.rounds, [&](std::size_t n) {
              return ours.rounds()[n].p50() / bare.rounds()[n].p50();
            })});
  };
  const std::size_t few = bench.scaled(50);
  compare(fmt::format("true on {} nodes", nodes), Subject([&] {
            return timed(few, [&] {
              const auto done = client->call(proto::exec::Run{.command = {.line = "true"}});
              if (!done || done->outcomes.size() != nodes) throw std::runtime_error("exec failed");
            });
          }),
          Subject([&] { return timed(few, [&] { prototype.run("true"); }); }));
  if (nodes < 50) return;
  compare(fmt::format("1 MB from each of {} nodes", nodes), Subject([&] {
            return timed(1, [&] {
              cluster.run({"sh", "-c", fmt::format("muster exec '{}' > /dev/null", megabyte)});
            });
          }),
          Subject([&] { return timed(1, [&] { prototype.run(megabyte); }); }));
}

}  // namespace

void measure_exec(Bench& bench) {
  on_nodes(bench, 3);
  on_nodes(bench, 50);
}

}  // namespace muster::bench
