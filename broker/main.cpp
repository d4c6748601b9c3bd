// muster-broker: options, signals, the broker, exit codes.
#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <optional>

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <sodium.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>
#include <systemd/sd-daemon.h>

#include "broker/broker.hpp"
#include "broker/offline.hpp"
#include "common/net/signals.hpp"

namespace {

constexpr int exit_usage = 64;

/// As a part of a host's name, so that it can stand wherever a datacenter's does.
std::string name_of_cluster(const std::string& name) {
  const bool plain = std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_';
  });
  if (plain && !name.empty() && name.size() <= 63) return {};
  return "a cluster's name has 1..63 letters, digits, - and _";
}

/// PREFIX=HOURS; a prefix may have a '=' itself.
std::optional<std::pair<std::string, double>> parse_rule(const std::string& rule) {
  const std::size_t split = rule.rfind('=');
  if (split == std::string::npos || split == 0 || split > muster::limits::key_bytes_max)
    return std::nullopt;
  char* end = nullptr;
  const double hours = std::strtod(rule.c_str() + split + 1, &end);
  if (end == rule.c_str() + split + 1 || *end != '\0' || !(hours > 0 && hours < 1e6))
    return std::nullopt;
  return std::pair{rule.substr(0, split), hours};
}

std::string wrong_rule(const std::string& rule) {
  return parse_rule(rule) ? "" : fmt::format("{} is not PREFIX=HOURS", rule);
}

void add_rules(const std::vector<std::string>& rules, muster::core::Retention& retention) {
  if (rules.size() > muster::limits::keep_rules_max)
    throw CLI::ValidationError("--keep", fmt::format("is given {} times, at most {} are taken",
                                                     rules.size(), muster::limits::keep_rules_max));
  for (const std::string& rule : rules) {
    const auto parsed = parse_rule(rule);
    retention.keep[parsed->first] = static_cast<std::uint64_t>(parsed->second * 3.6e6);
  }
}

void add_options(CLI::App& app, muster::broker::Options& options, std::string& restore) {
  app.option_defaults()->always_capture_default();
  app.add_option("--data", options.data, "folder for state and log; one broker at a time")
      ->required()
      ->envname("MUSTER_DATA");
  app.add_option("--listen", options.listen, "where requests come in")->envname("MUSTER_LISTEN");
  app.add_option("--notices", options.notices, "where notices go out")->envname("MUSTER_NOTICES");
  app.add_option("--advertise", options.advertise,
                 "the notices endpoint that clients are told, if not their host with our port");
  app.add_option("--cluster-name", options.cluster_name,
                 "how people call this cluster; what Consul calls the datacenter")
      ->check(name_of_cluster)
      ->envname("MUSTER_CLUSTER_NAME");
  app.add_option("--value-bytes-max", options.value_bytes_max, "the largest value that is taken")
      ->check(CLI::Range(std::size_t{1024}, muster::limits::value_bytes_ceiling));
  app.add_option("--log-bytes", options.retention.bytes, "history beyond this is forgotten")
      ->transform(CLI::AsSizeValue(false));
  app.add_option_function<double>(
      "--log-hours",
      [&](double hours) {
        options.retention.age = muster::Duration(static_cast<std::int64_t>(hours * 3.6e9));
      },
      "history older than this is forgotten (168)");
  app.add_option_function<std::vector<std::string>>(
         "--keep", [&](const auto& rules) { add_rules(rules, options.retention); },
         "PREFIX=HOURS: the past of these keys is kept for so long; may be repeated")
      ->check(wrong_rule);
  app.add_option("--io-threads", options.io_threads, "more than one above 2,000 connections")
      ->check(CLI::Range(1, 16));
  app.add_flag("--insecure", options.insecure,
               "serve other machines without keys, on a network that you trust");
  app.add_flag("--accept-loss", options.accept_loss,
               "go on although the log is damaged; what is lost is said");
  app.add_option("--restore", restore,
                 "put the state of this snapshot into --data, where no broker runs, and end; what "
                 "was there is put aside")
      ->option_text("FILE");
  app.add_flag("--trace", options.trace, "log each message");
  app.set_config("--config", "", "a TOML file with these options");
  app.set_version_flag("--version", std::string("muster-broker ") + MUSTER_VERSION);
}

/// On the same ports, whatever was asked for: clients come back there.
void stay(muster::broker::Options& options, muster::broker::Broker& broker) {
  options.listen = broker.bus().listening();
  options.notices = broker.bus().publishing();
  options.accept_loss = false;
}

int run(muster::broker::Options options) {
  using muster::broker::Broker;
  // Blocked before any thread exists, so that no thread of ZeroMQ's takes them.
  muster::net::Signals signals({SIGTERM, SIGINT});
  Broker::End end = Broker::End::restored;
  while (end == Broker::End::restored) {
    Broker broker(options);
    broker.reactor().watch(signals.fd(), muster::net::Interest::readable, [&] {
      spdlog::info("stopping");
      broker.stop();
    });
    end = broker.run([] { sd_notify(0, "READY=1"); });
    stay(options, broker);
  }
  sd_notify(0, "STOPPING=1");
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  spdlog::set_default_logger(spdlog::stderr_logger_st("muster-broker"));
  spdlog::set_pattern("%Y-%m-%dT%H:%M:%S.%e%z %l %v");
  muster::broker::Options options;
  CLI::App app(
      "muster-broker: coordinates a fleet: requests, events and watches, locks, state in LMDB");
  std::string restore;
  add_options(app, options, restore);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == 0) return app.exit(error);
    std::fprintf(stderr, "muster-broker: %s; see muster-broker --help\n", error.what());
    return exit_usage;
  }
  if (sodium_init() < 0) {
    std::fprintf(stderr, "muster-broker: libsodium does not start\n");
    return 1;
  }
  try {
    if (restore.empty()) return run(options);
    muster::broker::restore_offline(options, restore);
    std::puts("Restored snapshot");
    return 0;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "muster-broker: %s\n", error.what());
    return 1;
  }
}
