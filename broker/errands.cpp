// errands: a queue and a thread.
#include "broker/errands.hpp"

#include <utility>

namespace muster::broker {
namespace {

constexpr seconds look_every(10);

}  // namespace

void Errands::take(core::Errand errand, Seq committed) {
  const bool save = std::holds_alternative<proto::snapshot::Save>(errand.what);
  waiting_.push_back({std::move(errand), save ? committed : Seq{}});
}

bool Errands::wants_checkpoint(Seq checkpointed) const {
  return !waiting_.empty() && waiting_.front().needs > checkpointed;
}

std::vector<state::RequestId> Errands::give_up_saves(Seq checkpointed) {
  std::vector<state::RequestId> askers;
  std::erase_if(waiting_, [&](const Waiting& waiting) {
    if (waiting.needs <= checkpointed) return false;
    askers.push_back(waiting.errand.asker);
    return true;
  });
  return askers;
}

void Errands::begin_next(Seq checkpointed, TimePoint now) {
  if (!thread_.idle() || wants_checkpoint(checkpointed)) return;
  if (waiting_.empty()) return look_at_old(now);
  thread_.start([this, now, errand = std::move(waiting_.front().errand)] {
    Result<Bytes> answer = archive_.serve(errand, now);
    done_.emplace(Done{errand.asker, std::move(answer), archive_.take_candidate()});
    keeps_some_ = true;
  });
  waiting_.pop_front();
}

void Errands::look_at_old(TimePoint now) {
  if (!keeps_some_ || now < looked_ + look_every) return;
  looked_ = now;
  thread_.start([this, now] { keeps_some_ = archive_.forget_old(now); });
}

std::optional<Errands::Done> Errands::take_done() {
  const auto end = thread_.take_end();
  if (!end) return std::nullopt;
  if (end->error) std::rethrow_exception(end->error);
  return std::exchange(done_, std::nullopt);
}

}  // namespace muster::broker
