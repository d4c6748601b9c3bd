// bus: sockets opened our way (PITFALLS: each option has its reason there).
#include "broker/bus.hpp"

#include <charconv>

#include <fmt/format.h>

namespace muster::broker {
namespace {

int as_ms(Duration duration) {
  return static_cast<int>(std::chrono::duration_cast<milliseconds>(duration).count());
}

void open(zmq::socket_t& socket, const Bus::Options& options) {
  socket.set(zmq::sockopt::linger, 0);
  socket.set(zmq::sockopt::backlog, limits::listen_backlog);
  socket.set(zmq::sockopt::maxmsgsize, static_cast<std::int64_t>(2 * options.message_bytes_max));
  socket.set(zmq::sockopt::heartbeat_ivl, as_ms(limits::heartbeat_interval));
  socket.set(zmq::sockopt::heartbeat_timeout, as_ms(limits::heartbeat_timeout));
  socket.set(zmq::sockopt::heartbeat_ttl, as_ms(limits::heartbeat_timeout));
  socket.set(zmq::sockopt::handshake_ivl, as_ms(limits::handshake_timeout));
}

void bind(zmq::socket_t& socket, const std::string& endpoint) {
  try {
    socket.bind(endpoint);
  } catch (const zmq::error_t& error) {
    throw Failure(
        fmt::format("cannot listen on {}: {}{}", endpoint, error.what(),
                    error.num() == EADDRINUSE ? " (is another broker running there?)" : ""));
  }
}

}  // namespace

Bus::Bus(const Options& options)
    : context_(options.io_threads),
      router_(context_, zmq::socket_type::router),
      xpub_(context_, zmq::socket_type::xpub) {
  context_.set(zmq::ctxopt::max_sockets, 64);
  open(router_, options);
  router_.set(zmq::sockopt::router_mandatory, true);
  router_.set(zmq::sockopt::sndhwm, limits::router_high_water_mark);
  router_.set(zmq::sockopt::rcvhwm, limits::high_water_mark);
  open(xpub_, options);
  xpub_.set(zmq::sockopt::xpub_manual, true);
  xpub_.set(zmq::sockopt::sndhwm, limits::notices_high_water_mark);
  xpub_.set(zmq::sockopt::rcvhwm, limits::router_high_water_mark);
  bind(router_, options.listen);
  bind(xpub_, options.notices);
}

std::optional<core::Incoming> Bus::receive() {
  zmq::message_t part;
  if (!router_.recv(part, zmq::recv_flags::dontwait)) return std::nullopt;
  core::Incoming incoming{
      .route = part.to_string(), .principal = std::string(core::anonymous), .frames = {}};
  while (part.more()) {
    if (!router_.recv(part, zmq::recv_flags::dontwait))
      break;  // parts arrive together or not at all
    // What is longer than any message of ours is read to its end and not kept.
    if (incoming.frames.size() < 3) incoming.frames.push_back(part.to_string());
  }
  return incoming;
}

std::optional<Subscription> Bus::receive_subscription() {
  zmq::message_t message;
  if (!xpub_.recv(message, zmq::recv_flags::dontwait)) return std::nullopt;
  while (message.more()) {
    zmq::message_t rest;
    if (!xpub_.recv(rest, zmq::recv_flags::dontwait)) break;
    if (!rest.more()) break;
  }
  const std::string_view text = message.to_string_view();
  if (text.empty()) return Subscription{};
  return Subscription{.wanted = text.front() == 1, .topic = std::string(text.substr(1))};
}

void Bus::accept(const Subscription& subscription) {
  if (subscription.wanted) xpub_.set(zmq::sockopt::subscribe, subscription.topic);
  else xpub_.set(zmq::sockopt::unsubscribe, subscription.topic);
}

Sent Bus::send(const core::Frames& frames) {
  try {
    constexpr auto more = zmq::send_flags::sndmore | zmq::send_flags::dontwait;
    if (!router_.send(zmq::buffer(frames.route), more)) return Sent::full;
    router_.send(zmq::buffer(frames.header), more);
    router_.send(zmq::buffer(frames.body), zmq::send_flags::dontwait);
    return Sent::yes;
  } catch (const zmq::error_t& error) {
    if (error.num() == EHOSTUNREACH) return Sent::unreachable;
    throw;
  }
}

void Bus::publish(const core::Publication& publication) {
  xpub_.send(zmq::buffer(publication.topic), zmq::send_flags::sndmore | zmq::send_flags::dontwait);
  xpub_.send(zmq::buffer(publication.body), zmq::send_flags::dontwait);
}

std::uint16_t port_of(std::string_view endpoint) {
  if (!endpoint.starts_with("tcp://")) return 0;
  const std::string_view text = endpoint.substr(endpoint.rfind(':') + 1);
  std::uint16_t port = 0;
  std::from_chars(text.data(), text.data() + text.size(), port);
  return port;
}

bool is_local(std::string_view endpoint) {
  return endpoint.starts_with("ipc://") || endpoint.starts_with("inproc://") ||
         endpoint.starts_with("tcp://127.") || endpoint.starts_with("tcp://localhost:") ||
         endpoint.starts_with("tcp://[::1]:");
}

}  // namespace muster::broker
