// bus: the two sockets, and what stands in a subscription.
#include "broker/bus.hpp"

namespace muster::broker {
namespace {

zmq::socket_t bound(Result<zmq::socket_t> socket) {
  if (socket) return std::move(*socket);
  throw Failure(socket.error().message);
}

}  // namespace

Bus::Bus(const Options& options)
    : context_(options.io_threads),
      router_(bound(net::bind_requests(context_, options.listen, options.sockets))),
      xpub_(bound(net::bind_notices(context_, options.notices, options.sockets))) {}

std::optional<core::Incoming> Bus::receive() {
  std::optional<net::Message> message = net::receive(router_);
  if (!message || message->frames.empty()) return std::nullopt;
  core::Incoming incoming{
      .route = std::move(message->frames.front()),
      .principal = message->user.empty() ? std::string(core::anonymous) : message->user,
      .frames = {},
      .address = std::move(message->address)};
  message->frames.erase(message->frames.begin());
  incoming.frames = std::move(message->frames);
  return incoming;
}

/// A word is one part: libzmq takes each for itself, and a peer that goes in the middle of a
/// message would otherwise make the next one's word a part of it.
std::optional<Subscription> Bus::receive_subscription() {
  std::optional<zmq::message_t> word = net::receive_part(xpub_);
  if (!word) {
    in_step_ = true;
    return std::nullopt;
  }
  const std::string_view text = word->to_string_view();
  const bool known = !text.empty() && (text.front() == 0 || text.front() == 1);
  if (!known) in_step_ = false;
  if (!in_step_) net::end_connection(*word);
  if (!known) return Subscription{};
  return Subscription{
      .word = text.front() == 1 ? Subscription::Word::wanted : Subscription::Word::unwanted,
      .topic = std::string(text.substr(1)),
      .who = net::connection_of(*word)};
}

void Bus::accept(const Subscription& subscription) {
  if (!in_step_ || !subscription.who || !net::is_open(*subscription.who)) return;
  if (subscription.word == Subscription::Word::wanted)
    xpub_.set(zmq::sockopt::subscribe, subscription.topic);
  else xpub_.set(zmq::sockopt::unsubscribe, subscription.topic);
}

net::Sent Bus::send(const core::Frames& frames) {
  return net::send(router_, {frames.route, frames.header, frames.body});
}

net::Sent Bus::publish(const core::Publication& publication) {
  return net::send(xpub_, {publication.topic, publication.body});
}

bool is_local(std::string_view endpoint) {
  return endpoint.starts_with("ipc://") || endpoint.starts_with("tcp://127.") ||
         endpoint.starts_with("tcp://localhost:") || endpoint.starts_with("tcp://[::1]:");
}

}  // namespace muster::broker
