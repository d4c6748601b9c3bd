// watch_run: see watch_run.hpp.
#include "cli/watch_run.hpp"

#include <csignal>

#include <fmt/format.h>

#include "cli/duration.hpp"
#include "cli/print.hpp"

namespace muster::cli {
namespace {

constexpr milliseconds look_interval{250};

}  // namespace

WatchRun::WatchRun(const Surroundings& surroundings, WatchOrder order)
    : surroundings_(surroundings),
      order_(std::move(order)),
      signals_({SIGINT, SIGTERM, SIGHUP, SIGQUIT}) {}

WatchRun::~WatchRun() { reactor_.cancel(patience_); }

Exit WatchRun::run() {
  auto opened = open_client(reactor_, context_, surroundings_, net::Pings::always);
  if (!opened) {
    complain(fmt::format("muster watch: {}", opened.error().message));
    return Exit::usage;
  }
  client_ = *std::move(opened);
  const auto failed = [this](const Error& error) {
    give_up(report("muster watch: ", error, *client_));
  };
  driver_ = std::make_unique<handle::Driver>(
      *client_, order_.what, options_of(surroundings_),
      handle::Driver::Events{
          .run = [this](const handle::Call& call,
                        std::string input) { handle_call(call, std::move(input)); },
          .over = [this](std::int64_t code) { give_up(code == 0 ? Exit::ok : Exit::failed); },
          .failed = failed,
          .notice =
              [](const std::string& line) { complain(fmt::format("muster watch: {}", line)); }});
  reactor_.watch(signals_.fd(), net::Interest::readable, [this] { on_signal(); });
  client_->request<proto::session::Ping>(
      {}, options_of(surroundings_), [=, this](const Result<proto::session::Pong>& pong) {
        if (!pong) return failed(pong.error());
        reached_ = true;
        reactor_.every(look_interval, [this] { look_at_link(); });
        driver_->begin();
      });
  reactor_.run();
  return exit_;
}

void WatchRun::look_at_link() {
  if (client_->reached() == reached_) return;
  reached_ = !reached_;
  complain(reached_
               ? fmt::format("muster watch: the broker at {} is back", client_->broker())
               : fmt::format("muster watch: lost the broker at {}, trying again; nothing is missed",
                             client_->broker()));
}

void WatchRun::handle_call(const handle::Call& call, std::string input) {
  if (ending_) return;
  os::Command command{.argv = order_.program,
                      .environment = handle::environment_for(call, surroundings_.broker),
                      .input = os::Stream::pipe,
                      .leftovers = os::Leftovers::keep};
  auto started = Child::start(reactor_, command, std::move(input),
                              [this](const ChildEnd& end) { on_gone(end); });
  if (!started) {
    complain(fmt::format("Error starting handler: {}", started.error().message));
    return give_up(Exit::failed);
  }
  handler_ = *std::move(started);
  running_ = true;
  late_ = false;
  if (order_.timeout > Duration(0)) {
    patience_ = reactor_.after(order_.timeout, [this] {
      late_ = true;
      handler_->end();
    });
  }
}

/// A handler that fails is reported and does not end the watch, unless asked to; one that cannot be
/// run does, unless it is to be tried again.
void WatchRun::on_gone(const ChildEnd& end) {
  running_ = false;
  reactor_.cancel(patience_);
  if (ending_) return give_up(*ending_);
  const std::uint64_t rev = driver_->told().value;
  std::int64_t code = handle::code_of(end);
  if (end.refused != 0) {
    complain(
        fmt::format("Error starting handler: fork/exec {}: {}", order_.program[0], words_for(end)));
    if (order_.what.policy.on_error != handle::OnError::retry) return give_up(Exit::failed);
  } else if (late_) {
    complain(fmt::format("Error executing handler: it took longer than {} (revision {})",
                         format_duration(order_.timeout), rev));
    code = handle::code_timeout;
  } else if (code != 0) {
    complain(fmt::format("Error executing handler: {} (revision {})", words_for(end), rev));
  }
  driver_->ended(code);
}

// --- the end ---

void WatchRun::on_signal() {
  while (const auto signal = signals_.next()) {
    const bool asked = *signal == SIGINT || *signal == SIGTERM;
    if (!ending_) ending_ = asked ? Exit::ok : exit_of_signal(*signal);
  }
  if (!ending_) return;
  if (!running_) return give_up(*ending_);
  handler_->end();
}

void WatchRun::give_up(Exit exit) {
  exit_ = exit;
  if (!ending_) ending_ = exit;
  reactor_.stop();
}

}  // namespace muster::cli
