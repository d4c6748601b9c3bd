// audience: see audience.hpp.
#include "test/bench/audience.hpp"

#include <stdexcept>

namespace muster::bench {
namespace {

constexpr int patience_ms = 10'000;
constexpr int sockets_max = 4096;

}  // namespace

Audience::Audience(const std::string& endpoint, const std::string& topic, std::size_t size) {
  context_.set(zmq::ctxopt::max_sockets, sockets_max);
  for (std::size_t n = 0; n < size; ++n) {
    zmq::socket_t& one = subscribers_.emplace_back(context_, zmq::socket_type::sub);
    one.set(zmq::sockopt::linger, 0);
    one.set(zmq::sockopt::rcvhwm, 0);
    one.set(zmq::sockopt::subscribe, topic);
    one.set(zmq::sockopt::rcvtimeo, patience_ms);
    one.connect(endpoint);
  }
}

std::string Audience::hear(std::size_t subscriber) {
  zmq::message_t part;
  do {
    if (!subscribers_[subscriber].recv(part)) return {};
  } while (part.more());
  return part.to_string();
}

void Audience::all_hear() {
  for (std::size_t n = 0; n < size(); ++n) {
    if (hear(n).empty()) throw std::runtime_error("a subscriber heard nothing");
  }
}

bool Audience::hears(std::size_t subscriber, milliseconds within) {
  zmq::pollitem_t item{subscribers_[subscriber].handle(), 0, ZMQ_POLLIN, 0};
  return zmq_poll(&item, 1, within.count()) > 0;
}

void Audience::forget() {
  for (std::size_t n = 0; n < size(); ++n) {
    while (hears(n, n == 0 ? milliseconds(300) : milliseconds(0))) hear(n);
  }
}

Relay::Relay(const std::string& folder)
    : server_("relay", folder), push_(context_, zmq::socket_type::push) {
  push_.set(zmq::sockopt::sndhwm, 0);
  push_.connect(server_.endpoint(0));
}

void Relay::push(const std::string& topic, const std::string& body) {
  push_.send(zmq::buffer(topic), zmq::send_flags::sndmore);
  push_.send(zmq::buffer(body), zmq::send_flags::none);
}

void Relay::warm(Audience& audience, const std::string& topic) {
  push(topic, "first");
  for (std::size_t n = 0; n < audience.size(); ++n) {
    while (!audience.hears(n, milliseconds(20))) push(topic, "again");
  }
  audience.forget();
}

}  // namespace muster::bench
