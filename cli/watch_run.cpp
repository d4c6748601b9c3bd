// watch_run: see watch_run.hpp.
#include "cli/watch_run.hpp"

#include <algorithm>
#include <csignal>

#include <fmt/format.h>

#include "cli/duration.hpp"
#include "cli/print.hpp"
#include "common/protocol/cursor.hpp"

namespace muster::cli {
namespace {

constexpr milliseconds look_interval{250};
constexpr std::int64_t code_timeout = 124;
constexpr std::int64_t code_not_run = 127;

/// Ours, with what the call says, and without what a watch around us has said.
std::vector<std::string> environment_for(const handle::Call& call, const std::string& broker) {
  std::vector<std::string> all = os::environment_with({{"MUSTER_BROKER", broker}});
  for (const char* name : {"MUSTER_OP=", "MUSTER_KEY=", "MUSTER_PREV_REV=", "MUSTER_CAUSE=",
                           "MUSTER_AUTHOR=", "MUSTER_REV=", "CONSUL_INDEX="}) {
    std::erase_if(all, [&](const std::string& entry) { return entry.starts_with(name); });
  }
  for (const auto& [name, value] : handle::environment_of(call))
    all.push_back(fmt::format("{}={}", name, value));
  return all;
}

bool for_good(Code code) {
  return code == Code::invalid || code == Code::denied || code == Code::too_large;
}

}  // namespace

WatchRun::WatchRun(const Surroundings& surroundings, WatchOrder order)
    : surroundings_(surroundings),
      order_(std::move(order)),
      topic_(topic_of(order_.subject)),
      signals_({SIGINT, SIGTERM, SIGHUP, SIGQUIT}) {}

WatchRun::~WatchRun() {
  for (const net::TimerId timer : {timer_, patience_}) reactor_.cancel(timer);
}

Exit WatchRun::run() {
  auto opened = open_client(reactor_, context_, surroundings_, net::Pings::always);
  if (!opened) {
    complain(fmt::format("muster watch: {}", opened.error().message));
    return Exit::usage;
  }
  client_ = *std::move(opened);
  net::RequestOptions asking = options_of(surroundings_);
  asking.timeout = std::nullopt;  // over an outage it is asked again
  reader_ = std::make_unique<StateReader>(*client_, order_.subject, asking);
  reactor_.watch(signals_.fd(), net::Interest::readable, [this] { on_signal(); });
  client_->request<proto::session::Ping>(
      {}, options_of(surroundings_), [this](const Result<proto::session::Pong>& pong) {
        if (!pong) return give_up(report("muster watch: ", pong.error(), *client_));
        reached_ = true;
        reactor_.every(look_interval, [this] { look_at_link(); });
        begin();
      });
  reactor_.run();
  return exit_;
}

void WatchRun::begin() {
  if (!order_.cursor.empty()) return open_cursor();
  if (order_.after) {
    order_.policy.after = *order_.after;
    return subscribe(net::Cursor{.after = order_.after});
  }
  const bool with_state = order_.policy.begin == handle::Begin::with_state;
  subscribe(with_state ? net::Cursor{.after = Revision{0}} : net::Cursor{});
}

/// A new one stands before the first state, where that is to make the first call.
void WatchRun::open_cursor() {
  proto::cursor::Open request{
      .name = order_.cursor, .topic = topic_, .after = order_.after, .node = {}};
  if (order_.policy.begin == handle::Begin::with_state) request.after = Revision{0};
  client_->request<proto::cursor::Open>(
      request, options_of(surroundings_), [this](const Result<proto::cursor::Opened>& opened) {
        if (!opened) return give_up(report("muster watch: ", opened.error(), *client_));
        const bool before_state = opened->rev == Revision{0};
        order_.policy.begin =
            before_state ? handle::Begin::with_state : handle::Begin::with_changes;
        order_.policy.cursor = order_.policy.after = opened->rev;
        if (before_state) return subscribe(net::Cursor{.after = Revision{0}});
        order_.policy.history = opened->history;
        subscribe(net::Cursor{.after = opened->rev, .history = opened->history});
      });
}

void WatchRun::subscribe(net::Cursor from) {
  handling_.emplace(order_.policy);
  subscription_ = std::make_unique<net::Subscription>(*client_);
  subscription_->add(
      topic_, std::move(from),
      {.changes =
           [this](const auto& changes) {
             handling_->changes(changes, BootClock::now());
             perform();
           },
       .reset = [this](const auto& reset) { on_reset(reset); },
       .failed =
           [this](const Error& error) { give_up(report("muster watch: ", error, *client_)); }});
  if (order_.policy.cursor) {
    reactor_.every(limits::cursor_idle_interval, [this] {
      if (!client_->reached()) return;
      handling_->idle(client_->welcome().history, subscription_->seen(topic_).value_or(Revision{}));
      perform();
    });
  }
}

void WatchRun::look_at_link() {
  if (client_->reached() == reached_) return;
  reached_ = !reached_;
  complain(reached_
               ? fmt::format("muster watch: the broker at {} is back", client_->broker())
               : fmt::format("muster watch: lost the broker at {}, trying again; nothing is missed",
                             client_->broker()));
}

/// The state instead of changes: at the start; later only when the broker does not keep the changes
/// any more, or has another history.
void WatchRun::on_reset(const net::WatchRule::Reset& reset) {
  if (handling_->begun() || order_.policy.begin == handle::Begin::with_changes) {
    complain(fmt::format(
        "muster watch: the changes after revision {} are not kept any more; going on with what "
        "there is at {}",
        handling_->told().value, reset.rev.value));
  }
  handling_->reset(reset, BootClock::now());
  perform();
}

// --- what the Handling wants ---

void WatchRun::perform() {
  if (performing_) return;  // the loop below takes what an effect has caused
  performing_ = true;
  for (auto effects = handling_->take(); !effects.empty(); effects = handling_->take()) {
    for (Handling::Effect& effect : effects) {
      if (!ending_) std::visit([this](auto& each) { perform(each); }, effect);
    }
  }
  performing_ = false;
  arm();
}

void WatchRun::perform(const Handling::Prepare& effect) {
  const handle::Call& call = effect.call;
  if (order_.policy.mode == handle::Mode::each) {
    const Result<Json> json = json_of(order_.subject.type, call);
    if (!json)
      complain(fmt::format("muster watch: revision {}: {}", call.rev.value, json.error().message));
    return handling_->prepared(compact(json ? *json : Json(nullptr)) + "\n", call.upto,
                               BootClock::now());
  }
  reader_->read({.at_least = call.upto, .after = call.after},
                [this](const Result<PresentState>& state) {
                  const TimePoint now = BootClock::now();
                  if (state) handling_->prepared(compact(state->json) + "\n", state->upto, now);
                  else if (for_good(state.error().code))
                    return give_up(report("muster watch: ", state.error(), *client_));
                  else handling_->not_prepared(now);
                  perform();
                });
}

void WatchRun::perform(Handling::Run& effect) {
  os::Command command{.argv = order_.program,
                      .environment = environment_for(effect.call, surroundings_.broker),
                      .input = os::Stream::pipe,
                      .leftovers = os::Leftovers::keep};
  auto started = Child::start(reactor_, command, std::move(effect.input),
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
  const std::uint64_t rev = handling_->told().value;
  std::int64_t code = end.signal != 0 ? 128 + end.signal : end.code;
  if (end.refused != 0) {
    complain(
        fmt::format("Error starting handler: fork/exec {}: {}", order_.program[0], words_for(end)));
    if (order_.policy.on_error != handle::OnError::retry) return give_up(Exit::failed);
    code = code_not_run;
  } else if (late_) {
    complain(fmt::format("Error executing handler: it took longer than {} (revision {})",
                         format_duration(order_.timeout), rev));
    code = code_timeout;
  } else if (code != 0) {
    complain(fmt::format("Error executing handler: {} (revision {})", words_for(end), rev));
  }
  handling_->ended(code, BootClock::now());
  perform();
}

void WatchRun::perform(const Handling::Move& effect) {
  client_->request<proto::cursor::Advance>(
      {.name = order_.cursor,
       .history = effect.history,
       .from = effect.from,
       .rev = effect.rev,
       .exit_code = effect.exit_code},
      {.timeout = std::nullopt},
      [this, otherwise = effect.rev](const Result<proto::Empty>& answer) {
        const TimePoint now = BootClock::now();
        if (answer) handling_->moved(now);
        else if (const Code code = answer.error().code;
                 code == Code::conflict || code == Code::not_found) {
          complain(fmt::format("muster watch: {}", answer.error().message));
          return ask_where_it_stands(otherwise);
        } else if (for_good(code)) {
          return give_up(report("muster watch: ", answer.error(), *client_));
        } else {
          handling_->not_moved(now);
        }
        perform();
      });
}

/// A cursor that was forgotten is made anew.
void WatchRun::ask_where_it_stands(Revision otherwise) {
  client_->request<proto::cursor::Open>(
      {.name = order_.cursor, .topic = topic_, .after = otherwise, .node = {}},
      {.timeout = std::nullopt}, [this](const Result<proto::cursor::Opened>& opened) {
        if (opened) handling_->stands(opened->rev, BootClock::now());
        else if (opened.error().code == Code::conflict || for_good(opened.error().code))
          return give_up(report("muster watch: ", opened.error(), *client_));
        else handling_->not_moved(BootClock::now());
        perform();
      });
}

void WatchRun::perform(const Handling::Note& effect) {
  client_->request<proto::cursor::Advance>({.name = order_.cursor,
                                            .history = effect.history,
                                            .from = effect.at,
                                            .rev = effect.at,
                                            .exit_code = effect.exit_code},
                                           {.timeout = std::nullopt},
                                           [](const Result<proto::Empty>&) {});
}

void WatchRun::perform(const Handling::Pause&) { subscription_->pause(topic_); }
void WatchRun::perform(const Handling::Resume&) { subscription_->resume(topic_); }

void WatchRun::perform(const Handling::Over& effect) {
  give_up(effect.exit_code == 0 ? Exit::ok : Exit::failed);
}

void WatchRun::arm() {
  reactor_.cancel(timer_);
  const auto due = handling_->next_due();
  if (!due) return;
  timer_ = reactor_.at(*due, [this] {
    handling_->tick(BootClock::now());
    perform();
  });
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
