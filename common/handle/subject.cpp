// subject: see subject.hpp.
#include "common/handle/subject.hpp"

#include <algorithm>
#include <array>

#include <fmt/format.h>

namespace muster::handle {
namespace {

/// One of Consul's seven types.
struct Kind {
  std::string_view name;
  WatchType type;
  std::array<std::string_view, 3> options;  ///< that it may have
  std::string_view required;                ///< the error without its first option; empty: none
};

constexpr std::array kinds = {
    Kind{"key", WatchType::key, {"key"}, "Must specify a single key to watch"},
    Kind{"keyprefix", WatchType::keyprefix, {"prefix"}, "Must specify a single prefix to watch"},
    Kind{"services", WatchType::services, {}, {}},
    Kind{"nodes", WatchType::nodes, {}, {}},
    Kind{"service",
         WatchType::service,
         {"service", "tag", "passingonly"},
         "Must specify a single service to watch"},
    Kind{"checks", WatchType::checks, {"service", "state"}, {}},
    Kind{"event", WatchType::event, {"name"}, {}}};

}  // namespace

std::string topic_of(const Subject& subject) {
  switch (subject.type) {
    case WatchType::key: return proto::watch::topic("key:", subject.name);
    case WatchType::keyprefix: return proto::watch::topic("keyprefix:", subject.name);
    case WatchType::services: return proto::watch::topic("services");
    case WatchType::nodes: return proto::watch::topic("nodes");
    case WatchType::service: return proto::watch::topic("service:", subject.name);
    case WatchType::checks: return proto::watch::topic("checks");
    case WatchType::event: return proto::watch::topic("event:", subject.name);
  }
  ENSURE(false);
}

Nature nature_of(WatchType type) {
  return type == WatchType::event ? Nature::stream : Nature::state;
}

bool tells_changes(WatchType type) {
  return type == WatchType::key || type == WatchType::keyprefix || type == WatchType::event;
}

std::optional<WatchType> watch_type(std::string_view name) {
  for (const Kind& kind : kinds) {
    if (kind.name == name) return kind.type;
  }
  return std::nullopt;
}

std::optional<std::string> wrong_options(const Subject& subject,
                                         const std::vector<std::string_view>& given) {
  const auto* kind = std::find_if(kinds.begin(), kinds.end(),
                                  [&](const Kind& k) { return k.type == subject.type; });
  const auto& own = kind->options;
  for (const std::string_view option : given) {
    if (std::find(own.begin(), own.end(), option) == own.end())
      return fmt::format("Invalid parameters: [{}]", option);
  }
  if (!kind->required.empty() && subject.name.empty()) return std::string(kind->required);
  if (subject.type == WatchType::checks && !subject.name.empty() && !subject.state.empty())
    return "Cannot specify service and state";
  return std::nullopt;
}

}  // namespace muster::handle
