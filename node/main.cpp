// muster-node: options, signals, the agent, exit codes.
#include <array>
#include <csignal>
#include <cstdio>

#include <sodium.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include "common/net/signals.hpp"
#include "common/os/notify.hpp"
#include "node/agent.hpp"
#include "node/options.hpp"

namespace {

constexpr int exit_failure = 1;
constexpr int exit_denied = 4;
constexpr int exit_conflict = 7;

std::string fresh_id() {
  std::array<std::uint8_t, 16> bytes{};
  randombytes_buf(bytes.data(), bytes.size());
  return muster::uuid_from(bytes);
}

int complain(const muster::Error& error) {
  std::fprintf(stderr, "muster-node: %s%s%s\n", error.message.c_str(),
               error.hint.empty() ? "" : "; ", error.hint.c_str());
  if (error.code == muster::Code::conflict) return exit_conflict;
  return error.code == muster::Code::denied ? exit_denied : exit_failure;
}

int run(const muster::node::Options& options) {
  // Blocked before any thread exists, so that no thread of ZeroMQ's takes them.
  muster::net::Signals signals({SIGTERM, SIGINT, SIGHUP});
  muster::node::Journal journal(options.data, fresh_id());
  zmq::context_t context(1);
  muster::net::Reactor reactor;
  muster::node::Agent agent(reactor, context, options, journal);
  agent.on_ready([&] {
    spdlog::info("ready node={} id={} broker={}", options.name, journal.identity().id,
                 options.broker);
    muster::os::notify("READY=1");
  });
  reactor.watch(signals.fd(), muster::net::Interest::readable, [&] {
    while (const auto signal = signals.next()) {
      if (*signal == SIGHUP) static_cast<void>(agent.reload());
      else reactor.stop();
    }
  });
  spdlog::info("starting node={} broker={}", options.name, options.broker);
  reactor.run_until(muster::TimePoint::max(), [&] { return agent.failed().has_value(); });
  spdlog::info("stopping");
  muster::os::notify("STOPPING=1");
  agent.stop();  // a second signal ends the wait
  reactor.run_until(muster::BootClock::now() + muster::limits::stop_patience,
                    [&] { return agent.done(); });
  return agent.failed() ? complain(*agent.failed()) : 0;
}

}  // namespace

int main(int argc, char** argv) {
  spdlog::set_default_logger(spdlog::stderr_logger_st("muster-node"));
  spdlog::set_pattern("%Y-%m-%dT%H:%M:%S.%e%z %l %v");
  muster::node::Options options;
  if (const auto exit = muster::node::read_options(argc, argv, options)) return *exit;
  if (sodium_init() < 0) {
    std::fprintf(stderr, "muster-node: libsodium does not start\n");
    return exit_failure;
  }
  try {
    return run(options);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "muster-node: %s\n", error.what());
    return exit_failure;
  }
}
