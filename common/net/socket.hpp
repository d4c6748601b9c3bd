// socket: ZeroMQ sockets opened our way, and messages in and out of them.
//
// What each option is for stands at its setting in socket.cpp. Nothing here throws for a peer that
// is slow, gone or hostile; a setting that libzmq refuses is a wrong program.
#pragma once

#include <cstddef>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <zmq.hpp>

#include "common/error.hpp"
#include "common/limits.hpp"
#include "common/net/endpoint.hpp"

namespace muster::net {

/// Keys, where a socket is to be encrypted (DESIGN section 10); Z85 text.
struct Curve {
  std::string public_key;
  std::string secret_key;
  std::string server_key;  ///< of the broker; to connect only
  std::string zap_domain;  ///< to bind only
};

struct SocketOptions {
  std::size_t message_bytes_max = limits::message_bytes_max(limits::value_bytes_ceiling);
  std::optional<Curve> curve;
};

/// Requests: a client's end. It sends only over a live connection: messages for a dead one are not
/// kept, since the conversation sends them again. Errors: invalid (the endpoint).
Result<zmq::socket_t> connect_requests(zmq::context_t& context, const std::string& endpoint,
                                       const SocketOptions& options = {});
/// Notices: a subscriber's end. Errors: invalid (the endpoint).
Result<zmq::socket_t> connect_notices(zmq::context_t& context, const std::string& endpoint,
                                      const SocketOptions& options = {});

/// The broker's ROUTER and XPUB (manual mode). Errors: invalid (the endpoint), unavailable (in
/// use).
Result<zmq::socket_t> bind_requests(zmq::context_t& context, const std::string& endpoint,
                                    const SocketOptions& options = {});
Result<zmq::socket_t> bind_notices(zmq::context_t& context, const std::string& endpoint,
                                   const SocketOptions& options = {});

/// Where it really listens, when it was bound to any free port.
std::string bound_endpoint(zmq::socket_ref socket);
/// Lets what was said last leave: at most so long, when the context ends.
void linger(zmq::socket_ref socket, milliseconds at_most);

enum class Sent {
  sent,
  would_block,  ///< no live connection, or its queue is full
  unreachable,  ///< a ROUTER does not know the peer any more
};

/// Sends the frames as one message, whole or not at all.
Sent send(zmq::socket_ref socket, std::initializer_list<std::string_view> frames);

struct Message {
  std::vector<std::string> frames;  ///< at most message_frames_max + 1 are kept of a longer one
  std::string user;                 ///< the ZAP User-Id; empty without keys
  std::string address;              ///< the peer's IP address; empty where it has none (ipc)
};
inline constexpr std::size_t message_frames_max = 3;  ///< routing id, header, body

/// The next message, if one is here.
std::optional<Message> receive(zmq::socket_ref socket);

/// The next part of one, if it is here.
std::optional<zmq::message_t> receive_part(zmq::socket_ref socket);
/// The file descriptor it came by, where libzmq knows it still.
std::optional<int> connection_of(zmq::message_t& part);
/// Whether the peer is still there, as far as the system knows.
bool is_open(int connection);
/// Ends that connection: a peer of the usual kind comes again at once, with all its subscriptions.
void end_connection(zmq::message_t& part);

/// Hands at most `most` messages to `take`: what is left waits for the next turn.
template <class Take>
void drain(zmq::socket_ref socket, std::size_t most, Take&& take) {
  for (std::size_t i = 0; i < most; ++i) {
    std::optional<Message> message = receive(socket);
    if (!message) return;
    take(std::move(*message));
  }
}

}  // namespace muster::net
