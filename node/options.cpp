// options: CLI11, and the rules of ours.
#include "node/options.hpp"

#include <algorithm>
#include <cstdio>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "common/limits.hpp"
#include "common/net/endpoint.hpp"
#include "common/protocol/codec.hpp"

namespace muster::node {
namespace {

/// Empty: it is a name that the fleet takes.
std::string wrong_name(const std::string& name) {
  const bool plain = std::none_of(name.begin(), name.end(),
                                  [](char c) { return (c >= '\0' && c <= ' ') || c == '\x7f'; });
  if (!name.empty() && name.size() <= limits::name_bytes_max && plain && codec::is_utf8(name))
    return {};
  return fmt::format("a name has 1..{} bytes, no blanks and no control characters",
                     limits::name_bytes_max);
}

std::string wrong_endpoint(const std::string& text) {
  const Result<net::Endpoint> endpoint = net::parse_endpoint(text);
  return endpoint ? std::string() : endpoint.error().message;
}

void add_options(CLI::App& app, Options& options, std::vector<std::string>& meta) {
  app.option_defaults()->always_capture_default();
  app.add_option("--name", options.name, "the node's name in the fleet")
      ->required()
      ->envname("MUSTER_NODE_NAME")
      ->check(CLI::Validator(wrong_name, "NAME"));
  app.add_option("--data", options.data, "folder for identity and tasks; one daemon at a time")
      ->required()
      ->envname("MUSTER_DATA");
  app.add_option("--broker", options.broker, "where the broker listens")
      ->envname("MUSTER_BROKER")
      ->check(CLI::Validator(wrong_endpoint, "ENDPOINT"));
  app.add_option("--definitions", options.definitions,
                 "folder of *.json with services, in Consul's form; SIGHUP reads it again")
      ->envname("MUSTER_DEFINITIONS")
      ->check(CLI::ExistingDirectory);
  app.add_option("--address", options.address,
                 "the address that others are told; else the one from which the broker is reached")
      ->envname("MUSTER_ADDRESS");
  app.add_option("--tag", options.tags, "a tag of the node; may be repeated")
      ->allow_extra_args(false);
  app.add_option("--meta", meta, "KEY=VALUE of the node; may be repeated")->allow_extra_args(false);
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

std::string in_one_line(std::string text) {
  std::replace(text.begin(), text.end(), '\n', ' ');
  return text;
}

}  // namespace

std::optional<int> read_options(int argc, char** argv, Options& options) {
  std::vector<std::string> meta;
  CLI::App app("muster-node: runs commands on this machine for the fleet, and says what it offers");
  add_options(app, options, meta);
  try {
    app.parse(argc, argv);
    options.meta = pairs_of(meta);
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == 0) return app.exit(error);
    std::fprintf(stderr, "muster-node: %s; see muster-node --help\n",
                 in_one_line(error.what()).c_str());
    return exit_usage;
  }
  return std::nullopt;
}

}  // namespace muster::node
