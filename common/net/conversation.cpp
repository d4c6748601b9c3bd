// conversation: asking, sending, being answered, running out of time.
#include "common/net/conversation.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace muster::net {
namespace {

std::uint64_t ms_left(TimePoint due, TimePoint now) {
  const auto left = std::chrono::ceil<milliseconds>(due - now).count();
  return static_cast<std::uint64_t>(std::max<std::int64_t>(1, left));
}

/// Only such a request can have ended its connection by its size (ZMQ_MAXMSGSIZE).
bool is_large(const Ask& ask) { return ask.body.size() > limits::envelope_bytes_max; }

}  // namespace

RequestNo Conversation::ask(Ask ask, TimePoint now) {
  if (waiting_.empty() && welcomed()) next_ping_ = now + limits::ping_interval;
  last_no_ = last_no_.next();
  const RequestNo no = last_no_;
  const std::size_t bytes = ask.body.size();
  const bool full = waiting_.size() >= limits::outstanding_max ||
                    waiting_bytes_ + bytes > limits::outstanding_bytes_max;
  Waiting& waiting =
      waiting_.emplace(no, Waiting{.ask = std::move(ask), .asked = now}).first->second;
  waiting_bytes_ += bytes;
  if (full) {
    fail_soon(no, waiting, {Code::busy, "too many requests wait for the broker's answer"}, now);
    return no;
  }
  if (waiting.ask.timeout) {
    waiting.due = now + *waiting.ask.timeout;
    deadlines_.emplace(*waiting.due, no);
  }
  if (welcomed() && away_too_long(now)) say_hello(now);
  else if (welcomed() || (link_ == Link::greeting && eager() && !is_large(waiting.ask)))
    transmit(no, waiting, now);
  return no;
}

void Conversation::transmit(RequestNo no, Waiting& waiting, TimePoint now) {
  if (welcomed() && waiting.ask.body.size() > welcome_.message_bytes_max) {
    fail_soon(no, waiting,
              {Code::too_large,
               fmt::format("{} has {} bytes, the broker takes at most {}", waiting.ask.verb,
                           waiting.ask.body.size(), welcome_.message_bytes_max)},
              now);
    return;
  }
  proto::Header header{.verb = waiting.ask.verb, .no = no, .options = waiting.ask.options};
  header.options.acked = acked();
  if (waiting.due) header.options.deadline_ms = ms_left(*waiting.due, now);
  waiting.sent_in = greetings_;
  effects_.emplace_back(Send{proto::encode_header(header), waiting.ask.body});
}

void Conversation::transmit_unsent(TimePoint now) {
  for (auto& [no, waiting] : waiting_) {
    if (waiting.failed || waiting.sent_in == greetings_) continue;
    if (welcomed() || !is_large(waiting.ask)) transmit(no, waiting, now);
  }
}

/// All answers up to here have come, or are not waited for.
RequestNo Conversation::acked() const {
  return waiting_.empty() ? last_no_ : RequestNo{waiting_.begin()->first.value - 1};
}

void Conversation::forget(RequestNo no) {
  const auto found = waiting_.find(no);
  if (found == waiting_.end()) return;
  if (found->second.due) deadlines_.erase({*found->second.due, no});
  waiting_bytes_ -= found->second.ask.body.size();
  waiting_.erase(found);
}

void Conversation::finish(RequestNo no, Result<std::string> answer) {
  forget(no);
  effects_.emplace_back(Answered{no, std::move(answer)});
}

void Conversation::fail_soon(RequestNo no, Waiting& waiting, Error error, TimePoint now) {
  if (waiting.due) deadlines_.erase({*waiting.due, no});
  waiting.due = now;
  waiting.failed = std::move(error);
  deadlines_.emplace(now, no);
}

void Conversation::answer(RequestNo no, const Result<std::string>& answer) {
  effects_.emplace_back(answer ? Send{proto::encode_answer(proto::verb_reply, no), *answer}
                               : Send{proto::encode_answer(proto::verb_error, no),
                                      proto::encode_error(answer.error())});
}

void Conversation::received(std::string_view frame, std::string body, TimePoint now) {
  const Result<proto::Header> header = proto::decode_header(frame);
  if (!header) {
    ++strays_;
    return;
  }
  heard_ = now;
  silent_ = 0;
  const bool more = header->verb == proto::verb_more;
  const bool error = header->verb == proto::verb_error;
  if (!more && !error && header->verb != proto::verb_reply) {
    effects_.emplace_back(Asked{*header, std::move(body)});
    return;
  }
  if (header->no == hello_no_) {
    if (link_ == Link::greeting && !more) on_hello_answer(*header, body, now);
    return;
  }
  std::optional<Error> failure;
  if (error) failure = proto::decode_error(body);
  if (failure && failure->code == Code::hello) {
    on_unknown_connection(header->no, now);
  } else if (!waiting_.contains(header->no)) {
    ++strays_;  // a pong, or an answer that is not waited for any more
  } else if (more) {
    effects_.emplace_back(Progress{header->no, std::move(body)});
  } else if (failure) {
    finish(header->no, std::move(*failure));
  } else {
    finish(header->no, std::move(body));
  }
}

void Conversation::tick(TimePoint now) {
  while (!deadlines_.empty() && deadlines_.begin()->first <= now) {
    const RequestNo no = deadlines_.begin()->second;
    const Waiting& waiting = waiting_.at(no);
    finish(no, waiting.failed ? *waiting.failed : unanswered(waiting));
  }
  if (link_ == Link::down || now < next_ping_) return;
  if (link_ == Link::welcomed && !pinging()) return;
  if (silent_ >= limits::pings_unanswered_max) {
    reconnect(now);
  } else if (link_ == Link::greeting) {
    say_hello(now);
  } else {
    ping(now);
  }
}

std::optional<TimePoint> Conversation::next_due() const {
  std::optional<TimePoint> due;
  if (!deadlines_.empty()) due = deadlines_.begin()->first;
  const bool ticking = link_ == Link::greeting || (link_ == Link::welcomed && pinging());
  if (ticking && (!due || next_ping_ < *due)) due = next_ping_;
  return due;
}

Error Conversation::unanswered(const Waiting& waiting) const {
  const double seconds_given = std::chrono::duration<double>(*waiting.due - waiting.asked).count();
  if (welcomed()) {
    return {Code::timeout, fmt::format("the broker at {} did not answer {} within {:g} s",
                                       self_.broker, waiting.ask.verb, seconds_given)};
  }
  if (refused_) {
    return {Code::unavailable,
            fmt::format("the broker at {} refuses: {}", self_.broker, refused_->message),
            refused_->hint};
  }
  return {Code::unavailable,
          fmt::format("no broker answered at {} within {:g} s", self_.broker, seconds_given),
          "is muster-broker running there? --broker and MUSTER_BROKER say where it is looked for"};
}

}  // namespace muster::net
