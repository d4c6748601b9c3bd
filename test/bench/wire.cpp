// wire: see wire.hpp.
#include "test/bench/wire.hpp"

#include <algorithm>
#include <stdexcept>

#include <fmt/format.h>

#include "common/net/socket.hpp"
#include "common/protocol/codec.hpp"
#include "common/protocol/session.hpp"

namespace muster::bench {

Wire::Wire(const std::string& endpoint, std::size_t connections) {
  for (std::size_t n = 0; n < connections; ++n) {
    Connection connection{.socket = zmq::socket_t(context_, zmq::socket_type::dealer)};
    connection.socket.set(zmq::sockopt::linger, 0);
    connection.socket.connect(endpoint);
    connections_.push_back(std::move(connection));
  }
}

void Wire::say_hello() {
  Samples samples;
  for (std::size_t n = 0; n < connections_.size(); ++n) {
    const proto::session::Hello hello{.client_id = fmt::format("bench-{}-{}", now_ns(), n),
                                      .kind = "client"};
    ask(connections_[n], proto::session::Hello::verb, codec::encode(hello));
    while (hear(connections_[n], samples) == 0) {
      zmq::pollitem_t item{connections_[n].socket.handle(), 0, ZMQ_POLLIN, 0};
      if (zmq_poll(&item, 1, 10'000) == 0) throw std::runtime_error("no answer to hello");
    }
  }
}

Samples Wire::run(std::size_t count, std::size_t in_flight, const Make& make) {
  Samples samples;
  std::vector<zmq_pollitem_t> items;
  for (Connection& connection : connections_)
    items.push_back({connection.socket.handle(), 0, ZMQ_POLLIN, 0});
  std::size_t asked = 0;
  std::size_t answered = 0;
  const auto ask_next = [&](Connection& connection) {
    if (asked == count) return;
    const auto [verb, body] = make(asked++);
    ask(connection, verb, body);
  };
  const std::uint64_t start = now_ns();
  for (std::size_t n = 0; n < in_flight; ++n) {
    for (Connection& connection : connections_) ask_next(connection);
  }
  while (answered < count) {
    if (zmq_poll(items.data(), static_cast<int>(items.size()), 10'000) <= 0)
      throw std::runtime_error("no answer within 10 s");
    for (std::size_t n = 0; n < items.size(); ++n) {
      if ((items[n].revents & ZMQ_POLLIN) == 0) continue;
      const std::size_t heard = hear(connections_[n], samples);
      answered += heard;
      for (std::size_t i = 0; i < heard; ++i) ask_next(connections_[n]);
    }
  }
  samples.took(static_cast<double>(now_ns() - start) / 1e9);
  return samples;
}

void Wire::ask(Connection& connection, std::string_view verb, const std::string& body) {
  connection.last = connection.last.next();
  const RequestNo acked{connection.sent.empty() ? connection.last.value - 1
                                                : connection.sent.front().first.value - 1};
  connection.sent.emplace_back(connection.last, now_ns());
  const std::string header = proto::encode_header(
      {.verb = std::string(verb), .no = connection.last, .options = {.acked = acked}});
  if (net::send(connection.socket, {header, body}) != net::Sent::sent) {
    connection.socket.send(zmq::buffer(header), zmq::send_flags::sndmore);  // it connects yet
    connection.socket.send(zmq::buffer(body), zmq::send_flags::none);
  }
}

std::size_t Wire::hear(Connection& connection, Samples& samples) {
  std::size_t heard = 0;
  while (const auto message = net::receive(connection.socket)) {
    const auto header = proto::decode_header(message->frames.at(0));
    if (!header || header->verb == proto::verb_error)
      throw std::runtime_error("refused: " + proto::decode_error(message->frames.at(1)).message);
    const auto found =
        std::find_if(connection.sent.begin(), connection.sent.end(),
                     [&](const auto& request) { return request.first == header->no; });
    if (found == connection.sent.end()) continue;
    samples.add_ns(now_ns() - found->second);
    connection.sent.erase(found);
    ++heard;
  }
  return heard;
}

}  // namespace muster::bench
