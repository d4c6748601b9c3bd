// subject: what is watched: one of Consul's seven types, and which of it.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/handle/handling.hpp"

namespace muster::handle {

enum class WatchType { key, keyprefix, services, nodes, service, checks, event };

/// What is watched.
struct Subject {
  WatchType type = WatchType::key;
  std::string name;               ///< key, prefix, service or event; empty: all events, all checks
  std::vector<std::string> tags;  ///< of a service: all of them
  std::string state;              ///< of checks; empty or any: all
  enum class Health { any, passing } health = Health::any;
  bool operator==(const Subject&) const = default;
};

/// As watch.read and notices want it.
std::string topic_of(const Subject& subject);
/// Events have no state: they happen.
Nature nature_of(WatchType type);
/// Whether each change can be told by itself: of lists of the catalog only the present one can.
bool tells_changes(WatchType type);

/// "keyprefix"; none: there is no such type.
std::optional<WatchType> watch_type(std::string_view name);
/// What is wrong with what was said of a type, in Consul's words: an option of another one (these
/// were given), or one that is missing.
std::optional<std::string> wrong_options(const Subject& subject,
                                         const std::vector<std::string_view>& given);

}  // namespace muster::handle
