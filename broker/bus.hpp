// bus: the broker's two sockets: ROUTER for requests, XPUB for notices and subscriptions.
//
// Sending never waits and never throws for a peer that is gone or slow: it says so. What a peer
// sends is bounded by ZMQ_MAXMSGSIZE; libzmq ends a connection that sends more.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <zmq.hpp>

#include "broker/core/core.hpp"

namespace muster::broker {

enum class Sent { yes, unreachable, full };

/// A peer's word on the XPUB socket.
struct Subscription {
  bool wanted = false;  ///< false: the last subscriber of the topic is gone
  std::string topic;
};

class Bus {
 public:
  struct Options {
    std::string listen;
    std::string notices;
    std::size_t message_bytes_max = 0;
    int io_threads = 1;
  };

  /// Binds both. Throws Failure: an endpoint that cannot be bound, with why.
  explicit Bus(const Options& options);

  /// None: nothing has come.
  std::optional<core::Incoming> receive();
  std::optional<Subscription> receive_subscription();
  /// For the subscription received last, and no other: libzmq asks for that.
  void accept(const Subscription& subscription);

  Sent send(const core::Frames& frames);
  /// False: a high-water mark dropped it for somebody, who finds out by himself.
  void publish(const core::Publication& publication);

  zmq::pollitem_t requests() { return {router_.handle(), 0, ZMQ_POLLIN, 0}; }
  zmq::pollitem_t subscriptions() { return {xpub_.handle(), 0, ZMQ_POLLIN, 0}; }

  /// Where it is bound, with the port that the system chose for `*`.
  std::string listen_endpoint() const { return router_.get(zmq::sockopt::last_endpoint); }
  std::string notices_endpoint() const { return xpub_.get(zmq::sockopt::last_endpoint); }

 private:
  zmq::context_t context_;
  zmq::socket_t router_;
  zmq::socket_t xpub_;
};

/// The port of tcp://host:port; 0 for other transports.
std::uint16_t port_of(std::string_view endpoint);
/// Whether only this machine can reach it: loopback or ipc.
bool is_local(std::string_view endpoint);

}  // namespace muster::broker
