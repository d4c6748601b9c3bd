// subscribers: who listens to what, as far as an XPUB socket tells.
//
// libzmq passes on every word of every peer: the end of a subscription that others have too, and of
// one that its sender never had. And when a connection ends it says of which topics, but not whose.
// So each topic has the connections that subscribed, and how many of them are gone, nobody knows
// which; a connection's number that comes again is one of these.
#pragma once

#include <cstddef>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>

namespace muster::broker {

/// A connection, by its file descriptor. None: it is gone.
using Subscriber = std::optional<int>;

class Subscribers {
 public:
  void came(const std::string& topic, Subscriber who);

  enum class Left {
    stranger,  ///< it did not listen: nothing has changed
    one,       ///< others still listen
    last,
  };
  Left left(const std::string& topic, Subscriber who);

 private:
  struct Listeners {
    std::set<int> seen;
    std::size_t gone = 0;  ///< of `seen`
  };
  std::unordered_map<std::string, Listeners> topics_;
};

}  // namespace muster::broker
