// client: what the conversation decides, done with a DEALER.
#include "common/net/client.hpp"

#include <sodium.h>

namespace muster::net {
namespace {

std::string random_id() {
  std::array<std::uint8_t, 16> random{};
  randombytes_buf(random.data(), random.size());
  return uuid_from(random);
}

Introduction introduction_of(const ClientOptions& options) {
  return {.broker = options.broker,
          .client_id = random_id(),
          .kind = options.kind,
          .name = options.name,
          .instance = options.instance,
          .history = options.history,
          .epoch = options.epoch,
          .pings = options.pings};
}

}  // namespace

Result<std::unique_ptr<Client>> Client::open(Reactor& reactor, zmq::context_t& context,
                                             ClientOptions options) {
  Result<zmq::socket_t> dealer = connect_requests(context, options.broker, options.socket);
  if (!dealer) return dealer.error();
  return std::unique_ptr<Client>(
      new Client(reactor, context, std::move(options), std::move(*dealer)));
}

Client::Client(Reactor& reactor, zmq::context_t& context, ClientOptions options,
               zmq::socket_t dealer)
    : reactor_(reactor),
      context_(context),
      options_(std::move(options)),
      dealer_(std::move(dealer)),
      conversation_(introduction_of(options_)) {
  watch_dealer();
}

Client::~Client() {
  unwatch_dealer();
  reactor_.cancel(timer_);
}

RequestNo Client::ask(std::string verb, std::string body, RequestOptions options,
                      std::function<void(Result<std::string>)> done,
                      std::function<void(std::string_view)> more) {
  Ask ask{
      .verb = std::move(verb), .body = std::move(body), .options = {}, .timeout = options.timeout};
  ask.options.cause = std::move(options.cause);
  ask.options.fence = std::move(options.fence);
  ask.options.at_least = options.at_least;
  const RequestNo no = conversation_.ask(std::move(ask), BootClock::now());
  handlers_.emplace(no.value, Handlers{std::move(done), std::move(more)});
  perform();
  return no;
}

void Client::forget(RequestNo no) {
  conversation_.forget(no);
  handlers_.erase(no.value);
}

Client::HelloId Client::on_hello(std::function<void(const proto::session::Welcome&)> handler) {
  last_hello_ = last_hello_.next();
  hello_handlers_.emplace(last_hello_, std::move(handler));
  return last_hello_;
}

// --- the socket ---

void Client::watch_dealer() {
  ready_ = reactor_.watch(dealer_, Interest::both, [this] { on_ready(); });
  // The socket says when it can be read; that its connection has ended shows only in ZMQ_EVENTS,
  // and its fd wakes us to look.
  link_ =
      reactor_.watch(dealer_.get(zmq::sockopt::fd), Interest::readable, [this] { look_at_link(); });
}

void Client::unwatch_dealer() {
  reactor_.forget(ready_);
  reactor_.forget(link_);
}

void Client::on_ready() {
  look_at_link();
  const TimePoint now = BootClock::now();
  drain(dealer_, limits::client_messages_max, [&](Message message) {
    if (message.frames.size() != 2) return;
    conversation_.received(message.frames[0], std::move(message.frames[1]), now);
  });
  perform();
}

/// With no bound on what may be queued, a DEALER can be written to exactly while it is connected.
void Client::look_at_link() {
  const bool up = (dealer_.get(zmq::sockopt::events) & ZMQ_POLLOUT) != 0;
  if (up == up_) return;
  set_link(up);
  perform();
}

void Client::set_link(bool up) {
  up_ = up;
  reactor_.set_interest(ready_, up ? Interest::readable : Interest::both);
  if (up) conversation_.connected(BootClock::now());
  else conversation_.lost(BootClock::now());
}

// --- effects ---

void Client::perform() {
  if (performing_) return;  // the loop below takes what a handler has caused
  performing_ = true;
  for (std::vector<Effect> effects = conversation_.take(); !effects.empty();
       effects = conversation_.take()) {
    for (Effect& effect : effects) std::visit([this](auto& each) { perform(each); }, effect);
  }
  performing_ = false;
  arm();
}

void Client::perform(Send& message) {
  if (!up_) return;  // all that is unanswered is sent again after the next hello
  if (send(dealer_, {message.header, message.body}) != Sent::sent) set_link(false);
}

void Client::perform(Reconnect&) {
  unwatch_dealer();
  up_ = false;
  dealer_.close();
  Result<zmq::socket_t> dealer = connect_requests(context_, options_.broker, options_.socket);
  ENSURE(dealer);  // it could be opened before
  dealer_ = std::move(*dealer);
  watch_dealer();
}

void Client::perform(Welcomed& welcomed) {
  const auto handlers = hello_handlers_;  // one may forget itself
  for (const auto& [id, handler] : handlers) handler(welcomed.welcome);
}

void Client::perform(Progress& progress) {
  const auto found = handlers_.find(progress.no.value);
  if (found == handlers_.end() || !found->second.more) return;
  const auto more = found->second.more;  // it may forget the request
  more(progress.body);
}

void Client::perform(Answered& answered) {
  auto node = handlers_.extract(answered.no.value);
  if (!node.empty()) node.mapped().done(std::move(answered.answer));
}

void Client::perform(Asked& asked) {
  const auto found = request_handlers_.find(asked.header.verb);
  conversation_.answer(asked.header.no,
                       found == request_handlers_.end()
                           ? Error{Code::invalid, "no verb '" + asked.header.verb + "' here"}
                           : found->second(asked.header, asked.body));
}

/// One timer for all that the conversation waits for; it may fire too early, never too late.
void Client::arm() {
  const std::optional<TimePoint> due = conversation_.next_due();
  if (!due || (armed_ && *armed_ <= *due)) return;
  reactor_.cancel(timer_);
  armed_ = due;
  timer_ = reactor_.at(*due, [this] {
    armed_.reset();
    conversation_.tick(BootClock::now());
    perform();
  });
}

}  // namespace muster::net
