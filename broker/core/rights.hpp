// rights: what a verb needs and who has it (DESIGN section 10). Deny by default.
#pragma once

#include <string_view>

namespace muster::core {

enum class Right {
  none,  ///< before anybody is known: session.hello, session.ping
  kv_read,
  kv_write,
  session,
  lock,
  event_send,
  watch,
  exec,
  catalog_read,
  catalog_write,
  admin_read,
  admin,   ///< the state as a whole: snapshots
  node,    ///< to speak as a node
  broker,  ///< the broker's own word: nobody outside has it
};

/// The principal of a connection without keys: a broker on loopback, or one told --insecure.
inline constexpr std::string_view anonymous = "anonymous";
inline constexpr std::string_view the_broker = "broker";

constexpr bool may(std::string_view principal, Right right) {
  if (right == Right::broker) return principal == the_broker;
  return principal == anonymous || principal == the_broker;
}

}  // namespace muster::core
