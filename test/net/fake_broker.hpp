// fake_broker: a ROUTER and an XPUB in a test, which answer what the test says, and can be
// restarted.
#pragma once

#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "common/net/reactor.hpp"
#include "common/net/socket.hpp"
#include "common/protocol/session.hpp"

namespace muster::net {

class FakeBroker {
 public:
  struct Request {
    std::string route;
    proto::Header header;
    std::string body;
  };
  using Handler = std::function<void(const Request&)>;

  FakeBroker(Reactor& reactor, zmq::context_t& context) : reactor_(reactor), context_(context) {
    start();
  }
  ~FakeBroker() { stop(); }

  /// Where clients connect; the same after a restart.
  const std::string& endpoint() const { return requests_at_; }

  void start();
  void stop();
  void restart() {
    stop();
    ++epoch;
    start();
  }

  void on(std::string verb, Handler handler) { handlers_[std::move(verb)] = std::move(handler); }
  template <class R>
  void on(std::function<Result<typename R::Reply>(const R&)> handler) {
    on(std::string(R::verb), [this, handler = std::move(handler)](const Request& request) {
      const auto reply = handler(*codec::decode<R>(request.body));
      if (reply) answer(request, "reply", codec::encode(*reply));
      else answer(request, "error", proto::encode_error(reply.error()));
    });
  }
  void answer(const Request& request, std::string_view kind, std::string_view body) {
    send(requests_, {request.route, proto::encode_answer(kind, request.header.no), body});
  }
  void raw(const std::string& route, std::string_view header, std::string_view body) {
    send(requests_, {route, header, body});
  }
  void publish(const std::string& topic, std::string_view body) { send(notices_, {topic, body}); }

  std::uint64_t epoch = 1;
  std::string history = "h";
  bool silent = false;  ///< takes requests and says nothing
  bool deaf_to_subscriptions = false;
  std::vector<std::string> heard;    ///< verbs, in order
  std::vector<std::string> answers;  ///< kinds of answers to requests of our own
  std::set<std::string> topics;      ///< subscribed now
  Revision rev{1};

 private:
  void hear(Message message);
  void subscription(const Message& message);

  Reactor& reactor_;
  zmq::context_t& context_;
  zmq::socket_t requests_;
  zmq::socket_t notices_;
  std::string requests_at_ = "tcp://127.0.0.1:*";
  std::string notices_at_ = "tcp://127.0.0.1:*";
  SourceId requests_source_;
  SourceId notices_source_;
  std::set<std::string> known_;  ///< connections that said hello
  std::map<std::string, Handler> handlers_;
};

}  // namespace muster::net
