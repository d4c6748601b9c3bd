// play: a runner in a test: its clock moves when told, what it wants done becomes a transcript.
#pragma once

#include <string>

#include <fmt/format.h>

#include "node/runner.hpp"

namespace muster::node {

class Play {
 public:
  /// Registered with a broker that is told everything and has not answered yet.
  Play() {
    runner.registered();
    note();
  }

  void launch(const std::string& job, std::uint64_t credit = 1000, std::uint64_t timeout_ms = 0) {
    launch({.job = job, .timeout_ms = timeout_ms, .kill_grace_ms = 5000, .credit = credit});
  }
  void launch(const proto::exec::Launch& wanted) {
    const auto answer = runner.launch(wanted, now);
    if (!answer)
      transcript_ += fmt::format("launch {}: {}\n", wanted.job, name_of(answer.error().code));
    note();
  }
  /// As far as "it runs".
  void run(const std::string& job, std::uint64_t credit = 1000, std::uint64_t timeout_ms = 0) {
    launch(job, credit, timeout_ms);
    noted(job);
    started(job);
  }
  void noted(const std::string& job) {
    runner.noted(job);
    note();
  }
  void started(const std::string& job) {
    runner.started(job);
    note();
  }
  void output(const std::string& job, std::string_view bytes, std::uint64_t stream = 1) {
    runner.output({job, stream}, bytes);
    note();
  }
  void streams_end(const std::string& job) {
    for (const std::uint64_t stream : {1U, 2U}) runner.ended_stream({job, stream});
    note();
  }
  void exited(const std::string& job, int code = 0) {
    runner.exited(job, {.code = code, .duration = milliseconds(7)}, now);
    note();
  }
  void credit(const std::string& job, std::uint64_t have, std::uint64_t allow) {
    runner.credit({.job = job, .stream = 1, .have = have, .allow = allow}, now);
    note();
  }
  void ask_again(const std::string& job, std::uint64_t have) {
    runner.credit({.job = job, .stream = 1, .have = have, .resend = true}, now);
    note();
  }
  void stop(const std::string& job) {
    const auto answer = runner.stop(job);
    if (!answer) transcript_ += fmt::format("stop {}: {}\n", job, name_of(answer.error().code));
    note();
  }
  void taken(const std::string& job, std::uint64_t stream = 1) {
    runner.taken({job, stream});
    note();
  }
  void missed(const std::string& job, std::uint64_t offset) {
    runner.missed({job, 1}, offset, now);
    note();
  }
  void reported(const std::string& job) {
    runner.reported(job);
    note();
  }
  void not_reported(const std::string& job) {
    runner.not_reported(job, now);
    note();
  }
  void disconnect() { runner.disconnected(); }
  void reconnect() {
    runner.registered();
    note();
  }
  /// Lets the time pass, with each timer in its moment.
  void pass(Duration time) {
    const TimePoint end = now + time;
    for (auto due = runner.next_due(); due && *due <= end; due = runner.next_due()) {
      now = std::max(now, *due);
      runner.tick(now);
      note();
    }
    now = end;
  }
  /// What has happened since the last call.
  std::string transcript() { return std::exchange(transcript_, {}); }
  void note() {
    for (Effect& effect : runner.take()) std::visit([this](auto& each) { note(each); }, effect);
  }

  Runner runner;
  TimePoint now{seconds(1000)};

 private:
  void note(Note& effect) { transcript_ += "note " + line_of(effect.fact); }
  void note(Fork& effect) { transcript_ += "fork " + effect.launch.job + "\n"; }
  void note(Allow& effect) {
    transcript_ += fmt::format("allow {}/{} {}\n", effect.job, effect.stream, effect.bytes);
  }
  void note(End& effect) { transcript_ += "end " + effect.job + "\n"; }
  void note(Drop& effect) { transcript_ += "drop " + effect.job + "\n"; }
  void note(Say& effect) {
    std::visit([this](const auto& each) { say(each); }, effect.what);
  }
  void say(const proto::exec::Started& said) { transcript_ += "> started " + said.job + "\n"; }
  void say(const proto::exec::Output& said) {
    const std::string text =
        said.bytes.size() <= 20 ? said.bytes.data : fmt::format("({})", said.bytes.size());
    transcript_ += fmt::format("> {}/{} @{} '{}'{}\n", said.job, said.stream, said.offset, text,
                               said.eof ? " eof" : "");
  }
  void say(const proto::exec::Exited& said) {
    const proto::exec::Outcome& o = said.outcome;
    transcript_ += fmt::format("> exited {}: {} {}{}\n", said.job, o.state, o.code,
                               o.message.empty() ? "" : ", " + o.message);
  }

  std::string transcript_;
};

}  // namespace muster::node
