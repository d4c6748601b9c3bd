// audience: many subscribers of one topic, and the bare relay that muster's notices are compared
// with.
#pragma once

#include <string>
#include <vector>

#include <zmq.hpp>

#include "common/types.hpp"
#include "test/bench/bare.hpp"

namespace muster::bench {

class Audience {
 public:
  Audience(const std::string& endpoint, const std::string& topic, std::size_t size);

  std::size_t size() const { return subscribers_.size(); }
  /// The last frame of the next message; empty: none came within the patience.
  std::string hear(std::size_t subscriber);
  /// The next message. Throws: somebody heard none.
  void all_hear();
  bool hears(std::size_t subscriber, milliseconds within);
  /// Drops what has come so far.
  void forget();

 private:
  zmq::context_t context_;
  std::vector<zmq::socket_t> subscribers_;
};

/// PUSH into a relay.
class Relay {
 public:
  explicit Relay(const std::string& folder);

  std::string notices() const { return server_.endpoint(1); }
  void push(const std::string& topic, const std::string& body);
  /// Returns when everybody hears.
  void warm(Audience& audience, const std::string& topic);

 private:
  BareServer server_;
  zmq::context_t context_;
  zmq::socket_t push_;
};

}  // namespace muster::bench
