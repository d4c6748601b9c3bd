// surroundings: what a command knows before it says a word: the broker, the fence, the cause.
//
// Each setting comes from the first place that has it: option, environment (MUSTER_*),
// $XDG_CONFIG_HOME/muster/config.toml, /etc/muster/*.toml, built in.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "common/error.hpp"
#include "common/limits.hpp"
#include "common/protocol/envelope.hpp"
#include "common/types.hpp"

namespace muster::cli {

inline constexpr std::string_view default_broker = "tcp://127.0.0.1:7700";

/// What options said; empty: nothing.
struct Asked {
  std::string broker;
  std::string timeout;
  std::string config;  ///< this file instead of the usual ones
};

struct Surroundings {
  std::string broker;  ///< an endpoint: tcp://HOST:PORT or ipc://PATH
  Duration timeout = limits::request_timeout_default;
  std::string name;   ///< user@host, for people
  std::string cause;  ///< why (MUSTER_CAUSE), else the job that started us (MUSTER_JOB)
  std::optional<proto::Fence> fence;  ///< the lock we run under (MUSTER_FENCE)
};

/// Errors: invalid (a duration, a fence or a file that cannot be understood), not_found (`config`).
Result<Surroundings> find_surroundings(const Asked& asked);

/// MUSTER_FENCE in a child of `muster lock`: NAME:TOKEN. The name may have colons itself.
std::string format_fence(const proto::Fence& fence);
/// Errors: invalid.
Result<proto::Fence> parse_fence(std::string_view text);

/// The host's name as uname says it.
std::string host_name();
/// Empty: not set, or set to nothing.
std::string environment(const char* name);

}  // namespace muster::cli
