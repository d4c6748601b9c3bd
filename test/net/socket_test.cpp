// socket_test: endpoints, and sends that cannot be.
#include "common/net/socket.hpp"

#include "common/net/reactor.hpp"
#include "test/support/catch.hpp"

namespace muster::net {

TEST_CASE("socket: endpoints are read and written back", "[net]") {
  for (const std::string text :
       {"tcp://127.0.0.1:7700", "tcp://[::1]:7700", "tcp://broker.example:1", "tcp://*:*",
        "ipc:///run/muster.sock", "inproc://x"}) {
    const auto endpoint = parse_endpoint(text);
    REQUIRE(endpoint);
    CHECK(endpoint->text() == text);
  }
}

TEST_CASE("socket: what is no endpoint is refused with what one looks like", "[net]") {
  for (const std::string text :
       {"", "127.0.0.1:7700", "tcp://", "tcp://host", "tcp://:1", "tcp://h:70000", "tcp://h:-1",
        "tcp://h:1x", "udp://h:1", "ipc://", "tcp://a b:1", "tcp://::1:7700"}) {
    const auto endpoint = parse_endpoint(text);
    INFO(text);
    REQUIRE(!endpoint);
    CHECK(endpoint.error().code == Code::invalid);
    CHECK(!endpoint.error().hint.empty());
  }
}

TEST_CASE("socket: a client cannot connect to a place without a port", "[net]") {
  zmq::context_t context;
  CHECK(connect_requests(context, "tcp://127.0.0.1:*").error().code == Code::invalid);
}

TEST_CASE("socket: a port in use is named", "[net]") {
  zmq::context_t context;
  zmq::socket_t first = *bind_requests(context, "tcp://127.0.0.1:*");
  const auto second = bind_requests(context, bound_endpoint(first));
  REQUIRE(!second);
  CHECK(second.error().code == Code::unavailable);
  CHECK(second.error().message.find(bound_endpoint(first)) != std::string::npos);
}

TEST_CASE("socket: nothing is kept for a broker that is not there", "[net]") {
  zmq::context_t context;
  const std::string nowhere = [&] {
    return bound_endpoint(*bind_requests(context, "tcp://127.0.0.1:*"));
  }();
  zmq::socket_t dealer = *connect_requests(context, nowhere);
  CHECK(send(dealer, {"header", "body"}) == Sent::would_block);
}

TEST_CASE("socket: a message to a peer that is unknown says so", "[net]") {
  zmq::context_t context;
  zmq::socket_t router = *bind_requests(context, "tcp://127.0.0.1:*");
  CHECK(send(router, {"nobody", "header", "body"}) == Sent::unreachable);
  CHECK(receive(router) == std::nullopt);
}

TEST_CASE("socket: of a message with very many frames only a few are kept", "[net]") {
  zmq::context_t context;
  zmq::socket_t router = *bind_requests(context, "tcp://127.0.0.1:*");
  zmq::socket_t dealer = *connect_requests(context, bound_endpoint(router));
  Reactor reactor;
  SourceId source;
  source = reactor.watch(dealer, Interest::writable, [&] {
    CHECK(send(dealer, {"1", "2", "3", "4", "5", "6", "7", "8"}) == Sent::sent);
    reactor.forget(source);
  });
  std::optional<Message> got;
  reactor.watch(router, Interest::readable, [&] { got = receive(router); });
  CHECK(reactor.run_until(BootClock::now() + seconds(5), [&] { return got.has_value(); }) ==
        Ended::satisfied);
  CHECK(got->frames.size() == message_frames_max + 1);
  CHECK(receive(router) == std::nullopt);
}

}  // namespace muster::net
