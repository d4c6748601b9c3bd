// surroundings: see surroundings.hpp.
#include "cli/surroundings.hpp"

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <pwd.h>
#include <sys/utsname.h>
#include <unistd.h>
#include <vector>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "cli/duration.hpp"

namespace muster::cli {
namespace {

namespace fs = std::filesystem;

/// Weakest first: a later file overrides an earlier one.
std::vector<fs::path> usual_files() {
  std::vector<fs::path> files;
  std::error_code ignored;
  for (const fs::directory_entry& entry : fs::directory_iterator("/etc/muster", ignored)) {
    if (entry.path().extension() == ".toml") files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  const std::string home = environment("HOME");
  const std::string config = environment("XDG_CONFIG_HOME");
  if (!config.empty() || !home.empty()) {
    files.push_back((config.empty() ? fs::path(home) / ".config" : fs::path(config)) / "muster" /
                    "config.toml");
  }
  return files;
}

using Settings = std::map<std::string, std::string>;

/// The top level of a TOML file; tables are for other programs.
Result<Done> read_file(const fs::path& path, Settings& into) {
  std::ifstream file(path);
  if (!file) return Error{Code::not_found, fmt::format("cannot read {}", path.string())};
  try {
    for (const CLI::ConfigItem& item : CLI::ConfigTOML().from_config(file)) {
      if (item.parents.empty() && item.inputs.size() == 1) into[item.name] = item.inputs.front();
    }
  } catch (const CLI::Error& error) {
    return Error{Code::invalid, fmt::format("{}: {}", path.string(), error.what())};
  }
  return Done{};
}

Result<Settings> read_files(const std::string& config) {
  Settings settings;
  if (!config.empty()) {
    Result<Done> read = read_file(config, settings);
    if (!read) return read.error();
    return settings;
  }
  for (const fs::path& path : usual_files()) {
    std::error_code ignored;
    if (!fs::exists(path, ignored)) continue;
    Result<Done> read = read_file(path, settings);
    if (!read) return read.error();
  }
  return settings;
}

/// The first of option, environment, files that says something.
std::string first_of(const std::string& option, const char* variable, const Settings& files,
                     const std::string& key) {
  if (!option.empty()) return option;
  if (std::string set = environment(variable); !set.empty()) return set;
  const auto found = files.find(key);
  return found == files.end() ? std::string() : found->second;
}

std::string user_name() {
  if (std::string user = environment("USER"); !user.empty()) return user;
  const passwd* entry = getpwuid(geteuid());
  return entry != nullptr ? entry->pw_name : fmt::format("uid{}", geteuid());
}

}  // namespace

std::string environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? std::string() : std::string(value);
}

std::string host_name() {
  utsname names{};
  return uname(&names) == 0 ? names.nodename : "localhost";
}

std::string format_fence(const proto::Fence& fence) {
  return fmt::format("{}:{}", fence.lock, fence.token.value);
}

Result<proto::Fence> parse_fence(std::string_view text) {
  const std::size_t colon = text.rfind(':');
  proto::Fence fence;
  if (colon != std::string_view::npos && colon > 0) {
    const std::string_view digits = text.substr(colon + 1);
    const auto [end, error] =
        std::from_chars(digits.data(), digits.data() + digits.size(), fence.token.value);
    if (error == std::errc() && end == digits.data() + digits.size() && fence.token.value > 0) {
      fence.lock = text.substr(0, colon);
      return fence;
    }
  }
  return Error{Code::invalid, fmt::format("MUSTER_FENCE is \"{}\", which is not LOCK:TOKEN", text)};
}

Result<Surroundings> find_surroundings(const Asked& asked) {
  const Result<Settings> files =
      read_files(asked.config.empty() ? environment("MUSTER_CONFIG") : asked.config);
  if (!files) return files.error();
  Surroundings found;
  found.broker = first_of(asked.broker, "MUSTER_BROKER", *files, "broker");
  if (found.broker.empty()) found.broker = default_broker;
  if (found.broker.find("://") == std::string::npos) found.broker.insert(0, "tcp://");
  if (const std::string timeout = first_of(asked.timeout, "MUSTER_TIMEOUT", *files, "timeout");
      !timeout.empty()) {
    const Result<Duration> parsed = parse_duration(timeout);
    if (!parsed) return parsed.error();
    if (*parsed == Duration(0))
      return Error{Code::invalid, "a timeout of 0 leaves no time to answer"};
    found.timeout = *parsed;
  }
  if (const std::string fence = environment("MUSTER_FENCE"); !fence.empty()) {
    Result<proto::Fence> parsed = parse_fence(fence);
    if (!parsed) return parsed.error();
    found.fence = *std::move(parsed);
  }
  found.cause = environment("MUSTER_CAUSE");
  if (found.cause.empty()) found.cause = environment("MUSTER_JOB");
  if (found.cause.size() > limits::cause_bytes_max || !codec::is_utf8(found.cause)) {
    return Error{Code::invalid,
                 fmt::format("MUSTER_CAUSE has {} bytes: it has at most {}, of UTF-8",
                             found.cause.size(), limits::cause_bytes_max)};
  }
  found.name = fmt::format("{}@{}", user_name(), host_name());
  return found;
}

}  // namespace muster::cli
