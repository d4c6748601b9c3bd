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
#include "broker/subscribers.hpp"
#include "common/net/socket.hpp"

namespace muster::broker {

/// A peer's word on the XPUB socket.
struct Subscription {
  enum class Word { none, wanted, unwanted };
  Word word = Word::none;  ///< none: no word of the protocol
  std::string topic;
  Subscriber who;
};

class Bus {
 public:
  struct Options {
    std::string listen;
    std::string notices;
    net::SocketOptions sockets;
    int io_threads = 1;
  };

  /// Binds both. Throws Failure: an endpoint that cannot be bound, with why.
  explicit Bus(const Options& options);

  /// None: nothing has come.
  std::optional<core::Incoming> receive();
  std::optional<Subscription> receive_subscription();
  /// For the subscription received last, and no other: libzmq asks for that.
  void accept(const Subscription& subscription);

  net::Sent send(const core::Frames& frames);
  /// A subscriber at its high-water mark misses it, and finds that out by himself.
  net::Sent publish(const core::Publication& publication);

  zmq::socket_ref requests() { return router_; }
  zmq::socket_ref subscriptions() { return xpub_; }
  /// Where it is bound, with the port that the system chose for `*`.
  std::string listening() { return net::bound_endpoint(router_); }
  std::string publishing() { return net::bound_endpoint(xpub_); }

 private:
  zmq::context_t context_;
  zmq::socket_t router_;
  zmq::socket_t xpub_;
  /// libzmq keeps beside the words a queue of who said them. What is no word has no place there,
  /// but reading it takes one: until all is read, words belong to the wrong peers. None of them is
  /// accepted then; their connections are ended, and come again.
  bool in_step_ = true;
};

/// Whether only this machine can reach it: loopback or ipc.
bool is_local(std::string_view endpoint);

}  // namespace muster::broker
