// handling: see handling.hpp.
#include "common/handle/handling.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace muster::handle {
namespace {

using proto::watch::Item;

Duration backoff(unsigned failures) {
  const unsigned doublings = std::min(failures, 16U);
  return std::min<Duration>(limits::handler_retry_min * (1U << doublings),
                            limits::handler_retry_max);
}

Revision newest_of(const std::vector<Item>& items, Revision otherwise) {
  Revision newest;
  for (const Item& item : items) newest = std::max(newest, item.rev);
  return newest == Revision{} ? otherwise : newest;
}

}  // namespace

std::vector<std::pair<std::string, std::string>> environment_of(const Call& call) {
  const std::string rev = fmt::format("{}", call.rev.value);
  std::vector<std::pair<std::string, std::string>> names = {{"MUSTER_REV", rev},
                                                            {"CONSUL_INDEX", rev}};
  if (call.what == Call::What::reset) names.emplace_back("MUSTER_OP", "reset");
  if (call.what != Call::What::change || call.items.size() != 1) return names;
  const Item& item = call.items[0];
  names.emplace_back("MUSTER_OP", item.op);
  names.emplace_back("MUSTER_KEY", item.name);
  if (item.prev_rev.value != 0)
    names.emplace_back("MUSTER_PREV_REV", fmt::format("{}", item.prev_rev.value));
  if (!item.cause.empty()) names.emplace_back("MUSTER_CAUSE", item.cause);
  names.emplace_back("MUSTER_AUTHOR", item.author);
  return names;
}

Handling::Handling(Policy policy)
    : policy_(std::move(policy)),
      told_(policy_.after),
      cursor_(policy_.cursor.value_or(Revision{})),
      history_(policy_.history) {}

// --- what happens on the topic ---

void Handling::changes(const net::WatchRule::Changes& changes, TimePoint now) {
  if (state_ == State::over) return;
  begun_ = true;
  history_ = changes.history;
  if (policy_.mode == Mode::each) add_each(changes);
  else add_latest(changes);
  next(now);
}

/// One call a revision, whatever it changed.
void Handling::add_each(const net::WatchRule::Changes& changes) {
  for (const Item& item : changes.items) {
    if (!calls_.empty() && calls_.back().what == Call::What::change &&
        calls_.back().rev == item.rev) {
      calls_.back().items.push_back(item);
      continue;
    }
    calls_.push_back({.what = Call::What::change,
                      .history = changes.history,
                      .rev = item.rev,
                      .upto = item.rev,
                      .items = {item}});
  }
}

void Handling::add_latest(const net::WatchRule::Changes& changes) {
  for (const Item& item : changes.items) {
    if (item.rev <= done_) continue;
    if (!calls_.empty()) {
      Call& waiting = calls_.back();
      if (waiting.what == Call::What::change) waiting.what = Call::What::merged;
      waiting.rev = std::max(waiting.rev, item.rev);
      waiting.items.clear();
      continue;
    }
    Item without_body = item;
    without_body.body = {};
    calls_.push_back({.what = Call::What::change,
                      .history = changes.history,
                      .rev = item.rev,
                      .upto = item.rev,
                      .after = Revision{item.rev.value - 1},
                      .items = {std::move(without_body)}});
  }
}

void Handling::reset(const net::WatchRule::Reset& reset, TimePoint now) {
  if (state_ == State::over) return;
  const bool first = !begun_ && policy_.begin == Begin::with_state;
  begun_ = true;
  const bool other = !history_.empty() && reset.history != history_;
  history_ = reset.history;
  if (other) told_ = done_ = Revision{};
  Call call{.what = first ? Call::What::state : Call::What::reset,
            .history = reset.history,
            .rev = newest_of(reset.items, reset.rev),
            .upto = reset.rev,
            .after = first ? Revision{} : std::max(done_, policy_.after)};
  if (policy_.mode == Mode::each) call.items = reset.items;
  else calls_.clear();  // the state holds what they would have told
  if (policy_.nature == Nature::stream)
    std::erase_if(call.items, [&](const Item& item) { return item.rev <= told_; });
  calls_.push_back(std::move(call));
  next(now);
}

// --- from one call to the next ---

void Handling::next(TimePoint now) {
  if (state_ != State::waiting) return;
  if (calls_.empty()) {
    if (std::exchange(paused_, false)) effects_.emplace_back(Resume{});
    return;
  }
  if (policy_.mode == Mode::each && !std::exchange(paused_, true)) effects_.emplace_back(Pause{});
  if (policy_.debounce > Duration(0)) return due_at(State::settling, now + policy_.debounce);
  prepare();
}

void Handling::prepare() {
  if (!calls_.empty()) {
    call_ = std::move(calls_.front());
    calls_.pop_front();
    if (call_->what != Call::What::state) call_->after = std::max(call_->after, done_);
  }
  state_ = State::preparing;
  due_.reset();
  effects_.emplace_back(Prepare{*call_});
}

void Handling::prepared(std::string input, Revision upto, TimePoint now) {
  if (state_ != State::preparing) return;
  if (policy_.mode == Mode::latest) {
    call_->upto = done_ = std::max(call_->upto, upto);
    std::erase_if(calls_, [&](const Call& call) { return call.rev <= done_; });
    const bool same = has_last_input_ && input == last_input_ && call_->what != Call::What::reset;
    if (same) return policy_.cursor ? acknowledge(std::nullopt) : acknowledged(now);
    last_input_ = input;
    has_last_input_ = true;
  }
  state_ = State::running;
  told_ = call_->rev;
  effects_.emplace_back(Run{*call_, std::move(input)});
}

void Handling::not_prepared(TimePoint now) {
  if (state_ == State::preparing) due_at(State::backing_off, now + limits::read_retry);
}

void Handling::ended(std::int64_t exit_code, TimePoint now) {
  if (state_ != State::running) return;
  if (exit_code == 0) {
    failures_ = 0;
    if (policy_.cursor) return acknowledge(0);
    return acknowledged(now);
  }
  has_last_input_ = false;  // the same again is news to a handler that has failed
  if (policy_.cursor) effects_.emplace_back(Note{history_, cursor_, exit_code});
  if (policy_.on_error == OnError::retry) {
    due_at(State::backing_off, now + backoff(failures_));
    ++failures_;
    return;
  }
  if (policy_.on_error == OnError::exit || policy_.runs == Runs::once) return over(1);
  state_ = State::waiting;
  call_.reset();
  next(now);
}

// --- the cursor ---

void Handling::acknowledge(std::optional<std::int64_t> exit_code) {
  state_ = State::acknowledging;
  exit_code_ = exit_code;
  due_.reset();
  effects_.emplace_back(Move{call_->history, cursor_, call_->upto, exit_code});
}

void Handling::moved(TimePoint now) {
  if (state_ != State::acknowledging) return;
  cursor_ = call_->upto;
  acknowledged(now);
}

/// Somebody else has moved it; if not, it cannot be moved: the history is another, and a reset
/// comes.
void Handling::stands(Revision at, TimePoint now) {
  if (state_ != State::acknowledging) return;
  const bool stuck = at == cursor_;
  cursor_ = at;
  std::erase_if(calls_, [&](const Call& call) { return call.upto <= at; });
  if (stuck || at >= call_->upto) return acknowledged(now);
  acknowledge(exit_code_);
}

void Handling::not_moved(TimePoint now) {
  if (state_ == State::acknowledging) due_ = now + limits::read_retry;
}

void Handling::acknowledged(TimePoint now) {
  const bool ran = state_ == State::running || exit_code_.has_value();
  exit_code_.reset();
  call_.reset();
  if (ran && policy_.runs == Runs::once) return over(0);
  state_ = State::waiting;
  next(now);
}

void Handling::idle(const std::string& history, Revision seen) {
  if (!policy_.cursor || state_ != State::waiting || !calls_.empty()) return;
  if (history != history_ || seen.value < cursor_.value + limits::cursor_idle_revs) return;
  call_ = Call{.what = Call::What::merged, .history = history, .rev = seen, .upto = seen};
  acknowledge(std::nullopt);
}

// --- time ---

void Handling::due_at(State state, TimePoint when) {
  state_ = state;
  due_ = when;
}

void Handling::tick(TimePoint now) {
  if (!due_ || now < *due_) return;
  due_.reset();
  if (state_ == State::settling) return prepare();
  if (state_ == State::acknowledging) return acknowledge(exit_code_);
  if (state_ != State::backing_off) return;
  if (policy_.mode == Mode::latest && !calls_.empty()) {
    call_->what = call_->what == Call::What::reset ? Call::What::reset : Call::What::merged;
    call_->rev = std::max(call_->rev, calls_.back().rev);
    call_->items.clear();
    calls_.clear();
  }
  state_ = State::preparing;
  effects_.emplace_back(Prepare{*call_});
}

void Handling::over(std::int64_t exit_code) {
  state_ = State::over;
  calls_.clear();
  call_.reset();
  effects_.emplace_back(Over{exit_code});
}

}  // namespace muster::handle
