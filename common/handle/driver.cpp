// driver: see driver.hpp.
#include "common/handle/driver.hpp"

#include <fmt/format.h>

#include "common/protocol/cursor.hpp"

namespace muster::handle {
namespace {

bool for_good(Code code) {
  return code == Code::invalid || code == Code::denied || code == Code::too_large;
}

}  // namespace

Driver::Driver(net::Client& client, Order order, const net::RequestOptions& asking, Events events)
    : client_(client),
      reactor_(client.reactor()),
      order_(std::move(order)),
      topic_(topic_of(order_.subject)),
      asking_{.timeout = std::nullopt, .cause = asking.cause, .fence = asking.fence},
      events_(std::move(events)),
      reader_(client, order_.subject, asking_) {}

Driver::~Driver() {
  client_.forget(asked_);
  for (const net::TimerId timer : {timer_, idle_}) reactor_.cancel(timer);
}

void Driver::fail(const Error& error) {
  stopped_ = true;
  events_.failed(error);
}

/// Without a deadline: over an outage it is asked again.
template <class Request, class Done>
void Driver::ask(const Request& request, Done done) {
  asked_ = client_.request<Request>(request, asking_,
                                    [this, done](const Result<typename Request::Reply>& answer) {
                                      asked_ = {};
                                      done(answer);
                                    });
}

// --- where it begins ---

void Driver::begin() {
  if (!order_.cursor.empty()) return open_cursor();
  if (order_.after) {
    order_.policy.after = *order_.after;
    return subscribe(net::Cursor{.after = order_.after});
  }
  if (order_.policy.begin == Begin::with_state) return begin_with_state();
  subscribe(net::Cursor{});
}

/// What `latest` tells is asked for in parts, since it may fit no reply: the topic begins at the
/// present revision, and the first call is the state then or later. `each` has it from the topic.
void Driver::begin_with_state() {
  if (order_.policy.mode == Mode::each) return subscribe(net::Cursor{.after = Revision{0}});
  ask(proto::session::Ping{}, [this](const Result<proto::session::Pong>& now) {
    if (!now) return fail(now.error());
    subscribe(net::Cursor{.after = now->rev, .history = now->history});
    handling_->reset({.topic = topic_, .history = now->history, .rev = now->rev, .items = {}},
                     BootClock::now());
    perform();
  });
}

/// A new one stands before the first state, where that is to make the first call.
void Driver::open_cursor() {
  proto::cursor::Open request{
      .name = order_.cursor, .topic = topic_, .after = order_.after, .node = order_.node};
  if (order_.policy.begin == Begin::with_state) request.after = Revision{0};
  ask(request, [this](const Result<proto::cursor::Opened>& answer) { opened(answer); });
}

void Driver::opened(const Result<proto::cursor::Opened>& answer) {
  if (!answer) {
    const Code code = answer.error().code;
    if (code == Code::conflict && !order_.node.empty()) {  // what the node defines is another thing
      return ask(proto::cursor::Forget{.name = order_.cursor},
                 [this](const Result<proto::Empty>&) { open_cursor(); });
    }
    if (code == Code::conflict || for_good(code)) return fail(answer.error());
    timer_ = reactor_.after(limits::report_again, [this] { open_cursor(); });
    return;
  }
  const bool before_state = answer->rev == Revision{0};
  order_.policy.begin = before_state ? Begin::with_state : Begin::with_changes;
  order_.policy.cursor = order_.policy.after = answer->rev;
  if (before_state) return begin_with_state();
  order_.policy.history = answer->history;
  subscribe(net::Cursor{.after = answer->rev, .history = answer->history});
}

void Driver::subscribe(net::Cursor from) {
  if (!handling_) handling_.emplace(order_.policy);
  subscription_ = std::make_unique<net::Subscription>(client_);
  subscription_->add(topic_, std::move(from),
                     {.changes =
                          [this](const auto& changes) {
                            handling_->changes(changes, BootClock::now());
                            perform();
                          },
                      .reset = [this](const auto& reset) { on_reset(reset); },
                      .failed = [this](const Error& error) { topic_failed(error); }});
  reactor_.cancel(idle_);
  if (!order_.policy.cursor) return;
  idle_ = reactor_.every(limits::cursor_idle_interval, [this] {
    if (!client_.reached()) return;
    handling_->idle(client_.welcome().history, subscription_->seen(topic_).value_or(Revision{}));
    perform();
  });
}

/// A reset whose state fits no reply: `latest` does not need it.
void Driver::topic_failed(const Error& error) {
  if (error.code != Code::too_large || order_.policy.mode == Mode::each) return fail(error);
  events_.notice(fmt::format(
      "the changes after revision {} are not kept any more; going on with what there is",
      told().value));
  begin_with_state();
}

/// The state instead of changes: at the start; later only when the broker does not keep the changes
/// any more, or has another history.
void Driver::on_reset(const net::WatchRule::Reset& reset) {
  if (handling_->begun() || order_.policy.begin == Begin::with_changes) {
    events_.notice(
        fmt::format("the changes after revision {} are not kept any more; going on with what there "
                    "is at {}",
                    told().value, reset.rev.value));
  }
  handling_->reset(reset, BootClock::now());
  perform();
}

// --- what the Handling wants ---

void Driver::perform() {
  if (performing_) return;  // the loop below takes what an effect has caused
  performing_ = true;
  for (auto effects = handling_->take(); !effects.empty(); effects = handling_->take()) {
    for (Handling::Effect& effect : effects) {
      if (!stopped_) std::visit([this](auto& each) { perform(each); }, effect);
    }
  }
  performing_ = false;
  arm();
}

void Driver::perform(const Handling::Prepare& effect) {
  const Call& call = effect.call;
  if (order_.policy.mode == Mode::each) {
    const Result<Json> json = json_of(order_.subject.type, call);
    if (!json) events_.notice(fmt::format("revision {}: {}", call.rev.value, json.error().message));
    return handling_->prepared(compact(json ? *json : Json(nullptr)) + "\n", call.upto,
                               BootClock::now());
  }
  reader_.read({.at_least = call.upto, .after = call.after},
               [this](const Result<PresentState>& state) {
                 const TimePoint now = BootClock::now();
                 if (state) handling_->prepared(compact(state->json) + "\n", state->upto, now);
                 else if (for_good(state.error().code)) return fail(state.error());
                 else handling_->not_prepared(now);
                 perform();
               });
}

void Driver::perform(Handling::Run& effect) { events_.run(effect.call, std::move(effect.input)); }

void Driver::ended(std::int64_t exit_code) {
  handling_->ended(exit_code, BootClock::now());
  perform();
}

void Driver::perform(const Handling::Move& effect) {
  ask(proto::cursor::Advance{.name = order_.cursor,
                             .history = effect.history,
                             .from = effect.from,
                             .rev = effect.rev,
                             .exit_code = effect.exit_code},
      [this, otherwise = effect.rev](const Result<proto::Empty>& answer) {
        const TimePoint now = BootClock::now();
        if (answer) handling_->moved(now);
        else if (const Code code = answer.error().code;
                 code == Code::conflict || code == Code::not_found) {
          events_.notice(answer.error().message);
          return ask_where_it_stands(otherwise);
        } else if (for_good(code)) {
          return fail(answer.error());
        } else {
          handling_->not_moved(now);
        }
        perform();
      });
}

/// A cursor that was forgotten is made anew.
void Driver::ask_where_it_stands(Revision otherwise) {
  ask(
      proto::cursor::Open{
          .name = order_.cursor, .topic = topic_, .after = otherwise, .node = order_.node},
      [this](const Result<proto::cursor::Opened>& opened) {
        if (opened) handling_->stands(opened->rev, BootClock::now());
        else if (opened.error().code == Code::conflict || for_good(opened.error().code))
          return fail(opened.error());
        else handling_->not_moved(BootClock::now());
        perform();
      });
}

void Driver::perform(const Handling::Note& effect) {
  client_.request<proto::cursor::Advance>({.name = order_.cursor,
                                           .history = effect.history,
                                           .from = effect.at,
                                           .rev = effect.at,
                                           .exit_code = effect.exit_code},
                                          asking_, [](const Result<proto::Empty>&) {});
}

void Driver::perform(const Handling::Pause&) { subscription_->pause(topic_); }
void Driver::perform(const Handling::Resume&) { subscription_->resume(topic_); }

void Driver::perform(const Handling::Over& effect) {
  stopped_ = true;
  events_.over(effect.exit_code);
}

void Driver::arm() {
  reactor_.cancel(timer_);
  const auto due = handling_->next_due();
  if (!due || stopped_) return;
  timer_ = reactor_.at(*due, [this] {
    handling_->tick(BootClock::now());
    perform();
  });
}

}  // namespace muster::handle
