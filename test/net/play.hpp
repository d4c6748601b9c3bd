// play: a conversation in a test: its clock moves when told, its effects become a transcript.
#pragma once

#include <string>

#include "common/net/conversation.hpp"

namespace muster::net {

class Play {
 public:
  explicit Play(Introduction introduction = {.broker = "tcp://b:1", .client_id = "me"})
      : client(std::move(introduction)) {}

  void connect() {
    client.connected(now);
    note();
  }
  void lose() {
    client.lost(now);
    note();
  }
  RequestNo ask(std::string verb, Duration timeout = seconds(5), std::string body = "\x80") {
    const RequestNo no = client.ask(
        {.verb = std::move(verb), .body = std::move(body), .options = {}, .timeout = timeout}, now);
    note();
    return no;
  }
  RequestNo ask_for_ever(std::string verb) {
    const RequestNo no =
        client.ask({.verb = std::move(verb), .body = "\x80", .options = {}, .timeout = {}}, now);
    note();
    return no;
  }
  void welcome(std::uint64_t hello_no, std::string history = "h", std::uint64_t epoch = 1) {
    proto::session::Welcome welcome{
        .history = std::move(history), .epoch = Epoch{epoch}, .rev = Revision{7}};
    welcome.value_bytes_max = 1000;
    welcome.message_bytes_max = limits::envelope_bytes_max + 1000;
    hear("reply", hello_no, codec::encode(welcome));
  }
  void hear(std::string_view kind, std::uint64_t no, std::string body = "\x80") {
    client.received(proto::encode_answer(kind, RequestNo{no}), std::move(body), now);
    note();
  }
  void hear_error(Code code, std::uint64_t no) {
    hear("error", no, proto::encode_error({code, "because"}));
  }
  /// Lets the time pass, with each timer in its moment.
  void pass(Duration time) {
    const TimePoint end = now + time;
    for (auto due = client.next_due(); due && *due <= end; due = client.next_due()) {
      now = std::max(now, *due);
      client.tick(now);
      note();
    }
    now = end;
  }
  /// What has happened since the last call.
  std::string transcript() { return std::exchange(transcript_, {}); }

  Conversation client;
  TimePoint now{seconds(1000)};

 private:
  void note() {
    for (Effect& effect : client.take()) std::visit([this](auto& each) { note(each); }, effect);
  }
  void note(Send& send) {
    const auto header = *proto::decode_header(send.header);
    transcript_ += "> " + header.verb + " " + std::to_string(header.no.value);
    if (header.verb == "session.hello") {
      transcript_ += " " + codec::decode<proto::session::Hello>(send.body)->client_id;
    } else if (header.options.acked.value > 0) {
      transcript_ += " acked " + std::to_string(header.options.acked.value);
    }
    transcript_ += "\n";
  }
  void note(Reconnect&) { transcript_ += "reconnect\n"; }
  void note(Welcomed& welcomed) { transcript_ += "welcomed " + welcomed.welcome.history + "\n"; }
  void note(Progress& progress) { transcript_ += std::to_string(progress.no.value) + " more\n"; }
  void note(Answered& answered) {
    transcript_ += std::to_string(answered.no.value) + " ";
    transcript_ += answered.answer ? "done" : std::string(name_of(answered.answer.error().code));
    if (!answered.answer) last_error = answered.answer.error();
    transcript_ += "\n";
  }
  void note(Asked& asked) { transcript_ += "asked " + asked.header.verb + "\n"; }

  std::string transcript_;

 public:
  Error last_error;
};

}  // namespace muster::net
