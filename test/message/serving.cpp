// serving: the broker's thread, and a peer's frames.
#include "test/message/serving.hpp"

#include <sys/eventfd.h>
#include <unistd.h>

#include <spdlog/spdlog.h>

#include "test/support/catch.hpp"

namespace muster::test {
namespace {

constexpr int patience_ms = 15'000;

}  // namespace

Serving::Serving() : end_(eventfd(0, EFD_CLOEXEC)) {
  spdlog::set_level(spdlog::level::warn);
  broker::Options options;
  options.data = folder_.path();
  options.listen = "tcp://127.0.0.1:*";
  options.notices = "tcp://127.0.0.1:*";
  broker_ = std::make_unique<broker::Broker>(options);
  requests_ = broker_->bus().listening();
  notices_ = broker_->bus().publishing();
  broker_->reactor().watch(end_, net::Interest::readable, [this] { broker_->stop(); });
  thread_ = std::thread([this] { broker_->run([] {}); });
}

Serving::~Serving() {
  const std::uint64_t one = 1;
  ENSURE(write(end_, &one, sizeof one) == sizeof one);
  thread_.join();
  broker_.reset();
  close(end_);
}

Peer::Peer(const Serving& serving, std::string client_id)
    : dealer_(context_, zmq::socket_type::dealer), client_id_(std::move(client_id)) {
  dealer_.set(zmq::sockopt::linger, 0);
  dealer_.set(zmq::sockopt::rcvtimeo, patience_ms);
  dealer_.connect(serving.requests());
  if (!client_id_.empty()) hello();
}

void Peer::say(const std::vector<std::string>& frames) {
  for (std::size_t i = 0; i < frames.size(); ++i) {
    const auto flags = i + 1 < frames.size() ? zmq::send_flags::sndmore : zmq::send_flags::none;
    REQUIRE(dealer_.send(zmq::buffer(frames[i]), flags));
  }
}

Heard Peer::hear() {
  zmq::message_t header;
  zmq::message_t body;
  REQUIRE(dealer_.recv(header));
  REQUIRE(header.more());
  REQUIRE(dealer_.recv(body));
  REQUIRE_FALSE(body.more());
  const auto decoded = proto::decode_header(header.to_string_view());
  REQUIRE(decoded);
  return {decoded->verb, decoded->no, body.to_string()};
}

bool Peer::silent() {
  const RequestNo ping = send(proto::session::Ping{});
  return hear().no == ping;
}

RequestNo Peer::send(std::string_view verb, const std::string& body) {
  last_ = last_.next();
  say({proto::encode_header({std::string(verb), last_, {}}), body});
  return last_;
}

std::string Peer::answer(RequestNo no, std::string_view kind) {
  const Heard heard = hear();
  INFO((heard.kind == proto::verb_error ? proto::decode_error(heard.body).message : ""));
  CHECK(heard.no == no);
  REQUIRE(heard.kind == kind);
  return heard.body;
}

void Peer::hello() { ask(proto::session::Hello{.client_id = client_id_, .kind = "client"}); }

std::uint64_t Peer::counter(const std::string& name) {
  const auto state = ask(proto::admin::Status{});
  const auto found = state.counters.find(name);
  return found == state.counters.end() ? 0 : found->second;
}

}  // namespace muster::test
