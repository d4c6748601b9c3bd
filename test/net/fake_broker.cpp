// fake_broker: hello for each connection, then whatever the test has set.
#include "test/net/fake_broker.hpp"

#include "test/support/catch.hpp"

namespace muster::net {
namespace {

/// A port that was just left may take a moment to be free again.
zmq::socket_t bind_again(const std::function<Result<zmq::socket_t>()>& bind) {
  const TimePoint deadline = BootClock::now() + seconds(5);
  while (true) {
    Result<zmq::socket_t> socket = bind();
    if (socket) return std::move(*socket);
    if (BootClock::now() > deadline) FAIL(socket.error().message);
  }
}

}  // namespace

void FakeBroker::start() {
  requests_ = bind_again([&] { return bind_requests(context_, requests_at_); });
  notices_ = bind_again([&] { return bind_notices(context_, notices_at_); });
  requests_at_ = bound_endpoint(requests_);
  notices_at_ = bound_endpoint(notices_);
  known_.clear();
  topics.clear();
  requests_source_ = reactor_.watch(requests_, Interest::readable, [this] {
    drain(requests_, 100, [this](Message message) { hear(std::move(message)); });
  });
  notices_source_ = reactor_.watch(notices_, Interest::readable, [this] {
    drain(notices_, 100, [this](Message message) { subscription(message); });
  });
}

void FakeBroker::stop() {
  reactor_.forget(requests_source_);
  reactor_.forget(notices_source_);
  requests_.close();
  notices_.close();
}

void FakeBroker::hear(Message message) {
  if (message.frames.size() != 3) return;
  const auto header = proto::decode_header(message.frames[1]);
  REQUIRE(header);
  const Request request{message.frames[0], *header, std::move(message.frames[2])};
  if (header->verb == "reply" || header->verb == "error") {
    answers.push_back(header->verb);
    return;
  }
  heard.push_back(header->verb);
  if (silent) return;
  if (header->verb == proto::session::Hello::verb) {
    known_.insert(request.route);
    proto::session::Welcome welcome{
        .cluster_id = "c", .history = history, .epoch = Epoch{epoch}, .rev = rev};
    welcome.notices_port = parse_endpoint(notices_at_)->port;
    welcome.value_bytes_max = limits::value_bytes_default;
    welcome.message_bytes_max = limits::message_bytes_max(limits::value_bytes_default);
    return answer(request, "reply", codec::encode(welcome));
  }
  if (!known_.contains(request.route)) {
    return answer(request, "error", proto::encode_error({Code::hello, "say session.hello first"}));
  }
  if (header->verb == proto::session::Ping::verb) {
    return answer(request, "reply", codec::encode(proto::session::Pong{}));
  }
  if (const auto handler = handlers_.find(header->verb); handler != handlers_.end())
    handler->second(request);
}

void FakeBroker::subscription(const Message& message) {
  const std::string& event = message.frames.at(0);
  if (event.empty()) return;
  const std::string topic = event.substr(1);
  if (event[0] == 0) {
    topics.erase(topic);
    notices_.set(zmq::sockopt::unsubscribe, topic);
  } else {
    topics.insert(topic);
    if (!deaf_to_subscriptions) notices_.set(zmq::sockopt::subscribe, topic);
  }
}

}  // namespace muster::net
