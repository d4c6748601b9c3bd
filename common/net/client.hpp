// client: a conversation with a broker over a real socket.
//
// It opens one DEALER and nothing else, and speaks when there is something to say. Everything runs
// in the reactor's thread; handlers are called from its turns, never from within request(). They
// may ask further requests; they must not destroy the client.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>

#include "common/net/conversation.hpp"
#include "common/net/reactor.hpp"
#include "common/net/socket.hpp"

namespace muster::net {

struct ClientOptions {
  std::string broker;  ///< tcp://HOST:PORT or ipc://PATH
  std::string kind = "client";
  std::string name;      ///< user@host, or the node's; claimed, for people
  std::string instance;  ///< of a node
  std::string history;   ///< the highest epoch remembered from before, and of which history
  Epoch epoch;
  Pings pings = Pings::while_waiting;
  SocketOptions socket = {};
};

struct RequestOptions {
  std::optional<Duration> timeout = limits::request_timeout_default;  ///< none: as long as it takes
  std::string cause = {};
  std::optional<proto::Fence> fence = {};
  Revision at_least = {};
};

template <class R>
using OnDone = std::function<void(Result<typename R::Reply>)>;

class Client {
 public:
  /// Begins to connect; that nobody answers shows in the requests. Both borrowed must outlive it.
  /// Errors: invalid (the endpoint).
  static Result<std::unique_ptr<Client>> open(Reactor& reactor, zmq::context_t& context,
                                              ClientOptions options);
  ~Client();
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  /// Asks; `done` is called exactly once, unless forget() comes first. It survives reconnects and
  /// restarts of the broker, and is executed once. Errors beside the verb's own: unavailable (no
  /// broker answered), timeout (this one did not), busy, too_large, gone.
  template <class R>
  RequestNo request(const R& request, RequestOptions options, OnDone<R> done) {
    return ask(std::string(R::verb), codec::encode(request), std::move(options),
               typed<R>(std::move(done)), {});
  }
  /// The same, with what comes before the reply.
  template <class R>
  RequestNo request(const R& request, RequestOptions options, OnDone<R> done,
                    std::function<void(typename R::More)> more) {
    auto decoded = [more = std::move(more)](std::string_view body) {
      if (Result<typename R::More> said = codec::decode<typename R::More>(body))
        more(std::move(*said));
    };
    return ask(std::string(R::verb), codec::encode(request), std::move(options),
               typed<R>(std::move(done)), std::move(decoded));
  }
  /// The answer is not wanted any more; the broker is not told.
  void forget(RequestNo no);

  /// Asks and runs the reactor until the answer is here. Not from within a handler.
  template <class R>
  Result<typename R::Reply> call(const R& request, RequestOptions options = {}) {
    std::optional<Result<typename R::Reply>> answer;
    const RequestNo no =
        this->request<R>(request, std::move(options),
                         [&](Result<typename R::Reply> came) { answer.emplace(std::move(came)); });
    reactor_.run_until(TimePoint::max(), [&] { return answer.has_value(); });
    if (answer) return std::move(*answer);
    forget(no);
    return Error{Code::timeout, "interrupted"};
  }

  /// Called at each welcome: after the first connection, a reconnect, a restart of the broker.
  using HelloId = Number<struct HelloTag>;
  HelloId on_hello(std::function<void(const proto::session::Welcome&)> handler);
  void forget_hello(HelloId id) { hello_handlers_.erase(id); }

  /// Serves a verb that the broker asks (exec.launch); what the handler returns is the answer.
  template <class R>
  void on_request(
      std::function<Result<typename R::Reply>(const proto::Header&, const R&)> handler) {
    request_handlers_[std::string(R::verb)] = [handler = std::move(handler)](
                                                  const proto::Header& header,
                                                  std::string_view body) -> Result<std::string> {
      const Result<R> request = codec::decode<R>(body);
      if (!request) return request.error();
      const Result<typename R::Reply> reply = handler(header, *request);
      if (!reply) return reply.error();
      return codec::encode(*reply);
    };
  }

  /// Whether a broker has welcomed the present connection. Not so after a failed call: nobody is
  /// there.
  bool reached() const { return conversation_.welcomed(); }
  const proto::session::Welcome& welcome() const { return conversation_.welcome(); }
  const std::string& broker() const { return options_.broker; }
  const SocketOptions& socket_options() const { return options_.socket; }
  Reactor& reactor() { return reactor_; }
  zmq::context_t& context() { return context_; }
  std::size_t outstanding() const { return conversation_.outstanding(); }

  /// What was said last may still leave when the client is gone, for at most so long.
  void linger(milliseconds at_most) { net::linger(dealer_, at_most); }

 private:
  struct Handlers {
    std::function<void(Result<std::string>)> done;
    std::function<void(std::string_view)> more;
  };
  using RequestHandler = std::function<Result<std::string>(const proto::Header&, std::string_view)>;

  Client(Reactor& reactor, zmq::context_t& context, ClientOptions options, zmq::socket_t dealer);

  template <class R>
  static std::function<void(Result<std::string>)> typed(OnDone<R> done) {
    return [done = std::move(done)](Result<std::string> answer) {
      if (!answer) return done(answer.error());
      Result<typename R::Reply> reply = codec::decode<typename R::Reply>(*answer);
      if (reply) return done(std::move(reply));
      done(Error{Code::internal, "the answer to " + std::string(R::verb) +
                                     " cannot be read: " + reply.error().message});
    };
  }
  RequestNo ask(std::string verb, std::string body, RequestOptions options,
                std::function<void(Result<std::string>)> done,
                std::function<void(std::string_view)> more);

  void watch_dealer();
  void unwatch_dealer();
  void on_ready();
  void look_at_link();
  void set_link(bool up);
  void perform();
  void perform(Send& send);
  void perform(Reconnect&);
  void perform(Welcomed& welcomed);
  void perform(Progress& progress);
  void perform(Answered& answered);
  void perform(Asked& asked);
  void arm();

  Reactor& reactor_;
  zmq::context_t& context_;
  const ClientOptions options_;

  zmq::socket_t dealer_;
  Conversation conversation_;
  std::unordered_map<std::uint64_t, Handlers> handlers_;
  std::map<HelloId, std::function<void(const proto::session::Welcome&)>> hello_handlers_;
  std::map<std::string, RequestHandler, std::less<>> request_handlers_;

  bool up_ = false;  ///< libzmq has a live connection
  bool performing_ = false;
  SourceId ready_;
  SourceId link_;
  std::optional<TimePoint> armed_;
  TimerId timer_;
  HelloId last_hello_;
};

}  // namespace muster::net
