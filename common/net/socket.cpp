// socket: options with their reasons, sending, receiving.
#include "common/net/socket.hpp"

#include <algorithm>
#include <cerrno>
#include <sys/socket.h>

#include <fmt/format.h>

namespace muster::net {
namespace {

int as_ms(Duration duration) {
  return static_cast<int>(std::chrono::duration_cast<milliseconds>(duration).count());
}

void set_common(zmq::socket_t& socket, const SocketOptions& options) {
  // The default waits for ever at exit for a peer that is gone.
  socket.set(zmq::sockopt::linger, 0);
  // A dead peer's connection is closed in 6 s instead of TCP's minutes. It tells nobody.
  socket.set(zmq::sockopt::heartbeat_ivl, as_ms(limits::heartbeat_interval));
  socket.set(zmq::sockopt::heartbeat_timeout, as_ms(limits::heartbeat_timeout));
  socket.set(zmq::sockopt::heartbeat_ttl, as_ms(limits::heartbeat_timeout));
  socket.set(zmq::sockopt::handshake_ivl, as_ms(limits::handshake_timeout));
  // A larger message ends the connection, with no word to the sender: twice what anyone may send.
  socket.set(zmq::sockopt::maxmsgsize, static_cast<std::int64_t>(2 * options.message_bytes_max));
}

void set_connecting(zmq::socket_t& socket) {
  // libzmq adds a random part of the same size, so that a fleet does not come back in one moment.
  socket.set(zmq::sockopt::reconnect_ivl, as_ms(limits::reconnect_min));
  socket.set(zmq::sockopt::reconnect_ivl_max, as_ms(limits::reconnect_max));
  socket.set(zmq::sockopt::connect_timeout, as_ms(limits::handshake_timeout));
}

void set_curve(zmq::socket_t& socket, const SocketOptions& options, bool serves) {
  if (!options.curve) return;
  socket.set(zmq::sockopt::curve_publickey, options.curve->public_key);
  socket.set(zmq::sockopt::curve_secretkey, options.curve->secret_key);
  if (serves) {
    socket.set(zmq::sockopt::curve_server, true);
    socket.set(zmq::sockopt::zap_domain, options.curve->zap_domain);
  } else {
    socket.set(zmq::sockopt::curve_serverkey, options.curve->server_key);
  }
}

/// A name may resolve to an IPv6 address that nobody listens on (localhost), and libzmq tries one
/// only: IPv6 is for those who write the address.
void set_family(zmq::socket_t& socket, const Endpoint& endpoint) {
  socket.set(zmq::sockopt::ipv6, endpoint.host.starts_with('['));
}

Result<zmq::socket_t> connected(zmq::socket_t socket, const std::string& text,
                                const SocketOptions& options) {
  const Result<Endpoint> endpoint = parse_endpoint(text);
  if (!endpoint) return endpoint.error();
  if (endpoint->scheme == "tcp" && (endpoint->port == 0 || endpoint->host == "*")) {
    return Error{Code::invalid, fmt::format("'{}' names no host and port to connect to", text),
                 "write tcp://HOST:PORT"};
  }
  set_common(socket, options);
  set_connecting(socket);
  set_curve(socket, options, false);
  set_family(socket, *endpoint);
  try {
    socket.connect(endpoint->text());
  } catch (const zmq::error_t& error) {
    return Error{Code::invalid, fmt::format("cannot connect to '{}': {}", text, error.what())};
  }
  return socket;
}

Result<zmq::socket_t> bound(zmq::socket_t socket, const std::string& text,
                            const SocketOptions& options) {
  const Result<Endpoint> endpoint = parse_endpoint(text);
  if (!endpoint) return endpoint.error();
  set_common(socket, options);
  set_curve(socket, options, true);
  set_family(socket, *endpoint);
  // After a restart everybody comes back at once; the default takes 100.
  socket.set(zmq::sockopt::backlog, limits::listen_backlog);
  try {
    socket.bind(endpoint->text());
  } catch (const zmq::error_t& error) {
    const Code code = error.num() == EADDRINUSE ? Code::unavailable : Code::invalid;
    return Error{code, fmt::format("cannot listen on {}: {}", text, error.what())};
  }
  return socket;
}

}  // namespace

Result<zmq::socket_t> connect_requests(zmq::context_t& context, const std::string& endpoint,
                                       const SocketOptions& options) {
  zmq::socket_t socket(context, zmq::socket_type::dealer);
  // Without a live connection a send says so, and nothing waits in a queue for a broker that may
  // have restarted. The queue itself is bounded by the conversation (limits::outstanding_*).
  socket.set(zmq::sockopt::immediate, true);
  socket.set(zmq::sockopt::sndhwm, 0);
  socket.set(zmq::sockopt::rcvhwm, limits::high_water_mark);
  return connected(std::move(socket), endpoint, options);
}

Result<zmq::socket_t> connect_notices(zmq::context_t& context, const std::string& endpoint,
                                      const SocketOptions& options) {
  zmq::socket_t socket(context, zmq::socket_type::sub);
  socket.set(zmq::sockopt::rcvhwm, limits::high_water_mark);
  return connected(std::move(socket), endpoint, options);
}

Result<zmq::socket_t> bind_requests(zmq::context_t& context, const std::string& endpoint,
                                    const SocketOptions& options) {
  zmq::socket_t socket(context, zmq::socket_type::router);
  // A message to nobody is an error, not silence.
  socket.set(zmq::sockopt::router_mandatory, true);
  socket.set(zmq::sockopt::sndhwm, 2 * static_cast<int>(limits::outstanding_max));
  socket.set(zmq::sockopt::rcvhwm, limits::high_water_mark);
  return bound(std::move(socket), endpoint, options);
}

Result<zmq::socket_t> bind_notices(zmq::context_t& context, const std::string& endpoint,
                                   const SocketOptions& options) {
  zmq::socket_t socket(context, zmq::socket_type::xpub);
  // Every subscription is seen, also the second one to a topic, and accepted by hand.
  socket.set(zmq::sockopt::xpub_manual, 1);
  socket.set(zmq::sockopt::sndhwm, limits::high_water_mark);
  return bound(std::move(socket), endpoint, options);
}

std::string bound_endpoint(zmq::socket_ref socket) {
  return socket.get(zmq::sockopt::last_endpoint);
}

void linger(zmq::socket_ref socket, milliseconds at_most) {
  socket.set(zmq::sockopt::linger, as_ms(at_most));
}

Sent send(zmq::socket_ref socket, std::initializer_list<std::string_view> frames) {
  std::size_t left = frames.size();
  for (const std::string_view frame : frames) {
    const int flags = ZMQ_DONTWAIT | (--left > 0 ? ZMQ_SNDMORE : 0);
    int rc = 0;
    do rc = zmq_send(socket.handle(), frame.data(), frame.size(), flags);
    while (rc < 0 && zmq_errno() == EINTR);
    if (rc >= 0) continue;
    // Only the first frame can be refused for these: once begun, a message has its place.
    if (zmq_errno() == EAGAIN) return Sent::would_block;
    if (zmq_errno() == EHOSTUNREACH) return Sent::unreachable;
    throw Failure(fmt::format("sending failed: {}", zmq_strerror(zmq_errno())));
  }
  return Sent::sent;
}

std::optional<zmq::message_t> receive_part(zmq::socket_ref socket) {
  zmq::message_t part;
  int rc = 0;
  do rc = zmq_msg_recv(part.handle(), socket.handle(), ZMQ_DONTWAIT);
  while (rc < 0 && zmq_errno() == EINTR);
  if (rc >= 0) return part;
  if (zmq_errno() == EAGAIN) return std::nullopt;
  throw Failure(fmt::format("receiving failed: {}", zmq_strerror(zmq_errno())));
}

std::string property(const zmq::message_t& part, const char* name) {
  const char* value = zmq_msg_gets(part.handle(), name);
  return value == nullptr ? std::string() : value;
}

std::optional<Message> receive(zmq::socket_ref socket) {
  Message message;
  bool more = true;
  while (more) {
    const std::optional<zmq::message_t> part = receive_part(socket);
    if (!part) return std::nullopt;
    // Not of the first: a routing id that ROUTER made while it was polled has no properties.
    if (message.frames.size() == 1) {
      message.user = property(*part, "User-Id");
      message.address = property(*part, "Peer-Address");
    }
    if (message.frames.size() <= message_frames_max) message.frames.push_back(part->to_string());
    more = part->more();
  }
  return message;
}

std::optional<int> connection_of(zmq::message_t& part) {
  const int fd = zmq_msg_get(part.handle(), ZMQ_SRCFD);
  if (fd < 0) return std::nullopt;
  return fd;
}

bool is_open(int connection) {
  char byte = 0;
  const ssize_t got = ::recv(connection, &byte, 1, MSG_PEEK | MSG_DONTWAIT);
  return got > 0 || (got < 0 && errno == EAGAIN);
}

void end_connection(zmq::message_t& part) {
  // The number may be another connection's by now: that one comes again, too.
  if (const auto fd = connection_of(part)) ::shutdown(*fd, SHUT_RDWR);
}

}  // namespace muster::net
