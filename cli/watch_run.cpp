// watch_run: see watch_run.hpp.
#include "cli/watch_run.hpp"

#include <csignal>

#include <fmt/format.h>

#include "cli/consul_json.hpp"
#include "cli/print.hpp"

namespace muster::cli {
namespace {

constexpr milliseconds look_interval{250};

std::string topic_of(const WatchOrder& order) {
  return proto::watch::topic(order.type == WatchType::key ? "key:" : "event:", order.name);
}

/// One line, as Consul hands it to a handler.
Result<std::string> input_of(WatchType type, const Bytes& body) {
  if (type == WatchType::key) {
    const auto entry = codec::decode<proto::kv::Entry>(body.view());
    if (!entry) return entry.error();
    return compact(consul_key(*entry)) + "\n";
  }
  const auto event = codec::decode<proto::event::Event>(body.view());
  if (!event) return event.error();
  return compact(Json::array({consul_event(*event)})) + "\n";
}

}  // namespace

WatchRun::WatchRun(const Surroundings& surroundings, WatchOrder order)
    : surroundings_(surroundings),
      order_(std::move(order)),
      topic_(topic_of(order_)),
      signals_({SIGINT, SIGTERM, SIGHUP, SIGQUIT}) {}

Exit WatchRun::run() {
  auto opened = open_client(reactor_, context_, surroundings_, net::Pings::always);
  if (!opened) {
    complain(fmt::format("muster watch: {}", opened.error().message));
    return Exit::usage;
  }
  client_ = *std::move(opened);
  reactor_.watch(signals_.fd(), net::Interest::readable, [this] { on_signal(); });
  client_->request<proto::session::Ping>(
      {}, options_of(surroundings_), [this](const Result<proto::session::Pong>& pong) {
        if (!pong) return give_up(report("muster watch: ", pong.error(), *client_));
        reached_ = true;
        reactor_.every(look_interval, [this] { look_at_link(); });
      });
  subscribe();
  reactor_.run();
  return exit_;
}

void WatchRun::subscribe() {
  subscription_ = std::make_unique<net::Subscription>(*client_);
  net::Cursor from;
  if (order_.after) from.after = order_.after;
  else if (order_.type == WatchType::key) from.after = Revision{0};  // the present state first
  subscription_->add(
      topic_, from,
      {.changes = [this](const auto& changes) { on_changes(changes); },
       .reset = [this](const auto& reset) { on_reset(reset); },
       .failed =
           [this](const Error& error) { give_up(report("muster watch: ", error, *client_)); }});
}

void WatchRun::look_at_link() {
  if (client_->reached() == reached_) return;
  reached_ = !reached_;
  complain(reached_
               ? fmt::format("muster watch: the broker at {} is back", client_->broker())
               : fmt::format("muster watch: lost the broker at {}, trying again; nothing is missed",
                             client_->broker()));
}

void WatchRun::on_changes(const net::WatchRule::Changes& changes) {
  begun_ = true;
  for (const Item& item : changes.items) add(item);
  call_next();
}

/// The state instead of changes: at the start of a key's watch; later only when the broker does not
/// keep the changes any more, or has another history.
void WatchRun::on_reset(const net::WatchRule::Reset& reset) {
  if (begun_ || order_.after) {
    const Revision from = begun_ ? last_ : *order_.after;
    complain(fmt::format(
        "muster watch: the changes after revision {} are not kept any more; going on with what there is at {}",
        from.value, reset.rev.value));
  }
  begun_ = true;
  for (const Item& item : reset.items) {
    if (order_.type == WatchType::key || item.rev > last_) add(item);
  }
  if (order_.type == WatchType::key && reset.items.empty()) add_absent(reset.rev);
  call_next();
}

void WatchRun::add(const Item& item) {
  if (order_.type == WatchType::key && item.op != "put") {
    calls_.push_back({.rev = item.rev, .op = item.op, .author = item.author, .input = "null\n"});
    return;
  }
  Result<std::string> input = input_of(order_.type, item.body);
  if (!input)
    return complain(
        fmt::format("muster watch: revision {}: {}", item.rev.value, input.error().message));
  calls_.push_back(
      {.rev = item.rev, .op = item.op, .author = item.author, .input = *std::move(input)});
}

void WatchRun::add_absent(Revision rev) {
  calls_.push_back({.rev = rev, .op = "absent", .author = {}, .input = "null\n"});
}

void WatchRun::call_next() {
  if (running_ || ending_) return;
  if (calls_.empty()) return subscription_->resume(topic_);
  subscription_->pause(topic_);
  Call call = std::move(calls_.front());
  calls_.pop_front();
  last_ = call.rev;
  os::Command command{
      .argv = order_.program,
      .environment = os::environment_with({{"MUSTER_REV", fmt::format("{}", call.rev.value)},
                                           {"CONSUL_INDEX", fmt::format("{}", call.rev.value)},
                                           {"MUSTER_OP", call.op},
                                           {"MUSTER_AUTHOR", call.author},
                                           {"MUSTER_BROKER", surroundings_.broker}}),
      .input = os::Stream::pipe,
      .leftovers = os::Leftovers::keep};
  auto started = Child::start(reactor_, command, std::move(call.input),
                              [this](const ChildEnd& end) { on_gone(end); });
  if (!started) {
    complain(fmt::format("Error starting handler: {}", started.error().message));
    return give_up(Exit::failed);
  }
  handler_ = *std::move(started);
  running_ = true;
}

/// A handler that fails is reported and does not end the watch; one that cannot be run does.
void WatchRun::on_gone(const ChildEnd& end) {
  running_ = false;
  if (ending_) return give_up(*ending_);
  if (end.refused != 0) {
    complain(
        fmt::format("Error starting handler: fork/exec {}: {}", order_.program[0], words_for(end)));
    return give_up(Exit::failed);
  }
  if (end.code != 0 || end.signal != 0) {
    complain(fmt::format("Error executing handler: {} (revision {})", words_for(end), last_.value));
  }
  call_next();
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
  reactor_.stop();
}

}  // namespace muster::cli
