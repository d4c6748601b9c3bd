// muster-node: options, signals, the agent, exit codes.
#include <array>
#include <csignal>

#include <CLI/CLI.hpp>
#include <sodium.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>
#include <systemd/sd-daemon.h>

#include "common/net/signals.hpp"
#include "node/agent.hpp"

namespace {

constexpr int exit_conflict = 7;
constexpr int exit_usage = 64;

void add_options(CLI::App& app, muster::node::Options& options, std::vector<std::string>& meta) {
  app.option_defaults()->always_capture_default();
  app.add_option("--name", options.name, "the node's name in the fleet")
      ->required()
      ->envname("MUSTER_NODE_NAME");
  app.add_option("--data", options.data, "folder for identity and tasks; one daemon at a time")
      ->required()
      ->envname("MUSTER_DATA");
  app.add_option("--broker", options.broker, "where the broker listens")->envname("MUSTER_BROKER");
  app.add_option("--definitions", options.definitions,
                 "folder of *.json with services, in Consul's form")
      ->check(CLI::ExistingDirectory);
  app.add_option("--address", options.address, "the address that others are told");
  app.add_option("--tag", options.tags, "a tag of the node; may be repeated");
  app.add_option("--meta", meta, "KEY=VALUE; may be repeated");
  app.set_config("--config", "", "a TOML file with these options");
  app.set_version_flag("--version", std::string("muster-node ") + MUSTER_VERSION);
}

std::map<std::string, std::string> pairs_of(const std::vector<std::string>& words) {
  std::map<std::string, std::string> pairs;
  for (const std::string& word : words) {
    const std::size_t equals = word.find('=');
    if (equals == std::string::npos || equals == 0)
      throw CLI::ValidationError("--meta", "wants KEY=VALUE, not " + word);
    pairs[word.substr(0, equals)] = word.substr(equals + 1);
  }
  return pairs;
}

std::string fresh_id() {
  std::array<std::uint8_t, 16> bytes{};
  randombytes_buf(bytes.data(), bytes.size());
  return muster::uuid_from(bytes);
}

int run(const muster::node::Options& options) {
  muster::net::Signals signals({SIGTERM, SIGINT, SIGHUP});
  muster::node::Journal journal(options.data, fresh_id());
  zmq::context_t context(1);
  muster::net::Reactor reactor;
  muster::node::Agent agent(reactor, context, options, journal);
  agent.on_ready([&] {
    spdlog::info("ready node={} id={} broker={}", options.name, journal.identity().id,
                 options.broker);
    sd_notify(0, "READY=1");
  });
  reactor.watch(signals.fd(), muster::net::Interest::readable, [&] {
    while (const auto signal = signals.next()) {
      if (*signal == SIGHUP) agent.reload();
      else reactor.stop();
    }
  });
  reactor.run_until(muster::TimePoint::max(), [&] { return agent.failed().has_value(); });
  if (agent.failed()) {
    std::fprintf(stderr, "muster-node: %s\n", agent.failed()->message.c_str());
    return agent.failed()->code == muster::Code::conflict ? exit_conflict : 1;
  }
  spdlog::info("stopping");
  sd_notify(0, "STOPPING=1");
  agent.stop();
  reactor.run_until(muster::BootClock::now() + muster::limits::stop_patience,
                    [&] { return agent.done(); });
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  spdlog::set_default_logger(spdlog::stderr_logger_st("muster-node"));
  spdlog::set_pattern("%Y-%m-%dT%H:%M:%S.%e%z %l %v");
  muster::node::Options options;
  std::vector<std::string> meta;
  CLI::App app("muster-node: runs commands on this machine for the fleet, and says what it offers");
  add_options(app, options, meta);
  try {
    app.parse(argc, argv);
    options.meta = pairs_of(meta);
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == 0) return app.exit(error);
    std::fprintf(stderr, "muster-node: %s; see muster-node --help\n", error.what());
    return exit_usage;
  }
  if (sodium_init() < 0) {
    std::fprintf(stderr, "muster-node: libsodium does not start\n");
    return 1;
  }
  try {
    return run(options);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "muster-node: %s\n", error.what());
    return 1;
  }
}
