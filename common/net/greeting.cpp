// greeting: the part of a conversation that is about the connection: hello, pings, losses.
#include <fmt/format.h>

#include "common/net/conversation.hpp"

namespace muster::net {

void Conversation::connected(TimePoint now) {
  if (link_ != Link::down) return;
  silent_ = 0;
  say_hello(now);
  if (eager()) transmit_unsent(now);
}

void Conversation::lost(TimePoint now) {
  if (link_ == Link::down) return;
  count_loss(now);
  link_ = Link::down;
}

void Conversation::reconnect(TimePoint now) {
  lost(now);
  effects_.emplace_back(Reconnect{});
}

void Conversation::say_hello(TimePoint now) {
  if (away_too_long(now)) take_fresh_id(now);
  ++greetings_;
  ++silent_;
  last_no_ = last_no_.next();
  hello_no_ = last_no_;
  hello_at_ = now;
  link_ = Link::greeting;
  next_ping_ = now + limits::ping_interval;
  proto::session::Hello hello{.client_id = self_.client_id,
                              .kind = self_.kind,
                              .name = self_.name,
                              .instance = self_.instance,
                              .history = self_.history,
                              .epoch = self_.epoch};
  effects_.emplace_back(
      Send{proto::encode_header({.verb = std::string(hello.verb), .no = hello_no_, .options = {}}),
           codec::encode(hello)});
}

/// A broker that forgets each hello at once must not make this a busy loop.
void Conversation::say_hello_soon(TimePoint now) {
  if (now - hello_at_ >= limits::reconnect_min) return say_hello(now);
  link_ = Link::greeting;
  hello_no_ = {};
  next_ping_ = hello_at_ + limits::reconnect_min;
}

void Conversation::ping(TimePoint now) {
  last_no_ = last_no_.next();
  ++silent_;
  next_ping_ = now + (waiting_.empty() ? limits::ping_interval_idle : limits::ping_interval);
  effects_.emplace_back(
      Send{proto::encode_header(
               {.verb = std::string(proto::session::Ping::verb), .no = last_no_, .options = {}}),
           codec::encode(proto::session::Ping{})});
}

/// `error hello`: the connection is another than the one that said it, or the broker is.
void Conversation::on_unknown_connection(RequestNo no, TimePoint now) {
  if (link_ == Link::welcomed) {
    count_loss(now);
    say_hello_soon(now);
    return;
  }
  // While greeting these are the echo of what was sent before; unless it was sent after the hello,
  // which then went with the old connection.
  const auto found = waiting_.find(no);
  if (link_ == Link::greeting && found != waiting_.end() && found->second.sent_in == greetings_)
    say_hello_soon(now);
}

void Conversation::on_hello_answer(const proto::Header& header, std::string_view body,
                                   TimePoint now) {
  if (header.verb == proto::verb_error) return refused(proto::decode_error(body), now);
  Result<proto::session::Welcome> welcome = codec::decode<proto::session::Welcome>(body);
  if (!welcome) return refused(welcome.error(), now);
  if (welcome->history == self_.history && welcome->epoch < self_.epoch) {
    return refused(
        {Code::conflict, fmt::format("it is of epoch {}, {} was seen: it does not lead any more",
                                     welcome->epoch.value, self_.epoch.value)},
        now);
  }
  welcome_ = std::move(*welcome);
  self_.history = welcome_.history;
  self_.epoch = welcome_.epoch;
  refused_.reset();
  link_ = Link::welcomed;
  next_ping_ = now + limits::ping_interval;
  effects_.emplace_back(Welcomed{welcome_});
  transmit_unsent(now);
}

void Conversation::refused(const Error& why, TimePoint now) {
  next_ping_ = now + limits::ping_interval;
  refused_ = why;
  const bool for_good =
      why.code == Code::version || why.code == Code::denied || why.code == Code::invalid;
  if (!for_good) return;  // it may lead again, or have room again: hello again until the deadlines
  for (auto& [no, waiting] : waiting_) {
    if (!waiting.failed) fail_soon(no, waiting, why, now);
  }
}

/// What was under way may be lost. A request that is large, twice, is the likely cause (its size
/// may be over what the broker takes at all) and is not sent a third time.
void Conversation::count_loss(TimePoint now) {
  for (auto& [no, waiting] : waiting_) {
    const bool under_way = waiting.sent_in == greetings_ && !waiting.failed;
    if (!under_way || waiting.ask.body.size() <= limits::envelope_bytes_max || ++waiting.losses < 2)
      continue;
    fail_soon(
        no, waiting,
        {Code::unavailable,
         fmt::format("the connection to {} was lost twice while {} with {} bytes was under way",
                     self_.broker, waiting.ask.verb, waiting.ask.body.size())},
        now);
  }
}

bool Conversation::away_too_long(TimePoint now) const {
  return heard_ && now - *heard_ > limits::client_id_age;
}

/// The broker may have forgotten what this client did: under another name nothing is mistaken for a
/// repetition, and nothing that was sent under the old one is repeated.
void Conversation::take_fresh_id(TimePoint now) {
  heard_ = now;
  self_.client_id = fmt::format("{}.{}", first_id_, ++renewals_);
  for (auto& [no, waiting] : waiting_) {
    if (waiting.sent_in == 0 || waiting.failed) continue;
    fail_soon(no, waiting,
              {Code::gone,
               fmt::format(
                   "the broker at {} was away for so long that it is not known whether {} was done",
                   self_.broker, waiting.ask.verb)},
              now);
  }
}

}  // namespace muster::net
