// sim_log: entries in a deque.
#include "test/support/sim_log.hpp"

#include <algorithm>

namespace muster::test {

void SimLog::append(log::Entry entry, log::Listener& listener) {
  ENSURE(entry.seq == last().next());
  ENSURE(entries_.empty() || entry.first_rev == entries_.back().last_rev.next());
  if (fate_ == Fate::deposed) {
    fate_ = Fate::commits;
    listener.on_deposed();
    return;
  }
  bytes_ += entry.bytes.size();
  entries_.push_back(std::move(entry));
  listener.on_committed();
}

bool SimLog::read(Seq from, const std::function<bool(const log::Entry&)>& visit) const {
  if (from.value < first_) return false;
  for (std::size_t i = from.value - first_; i < entries_.size(); ++i) {
    if (!visit(entries_[i])) break;
  }
  return true;
}

Seq SimLog::seek(Revision after) const {
  const auto found =
      std::partition_point(entries_.begin(), entries_.end(),
                           [&](const log::Entry& entry) { return entry.last_rev <= after; });
  return Seq{first_ + static_cast<std::uint64_t>(found - entries_.begin())};
}

Seq SimLog::next_floor() const {
  const std::uint64_t next = (first_ / segment_ + 1) * segment_;
  return next <= last().value ? Seq{next} : first();
}

void SimLog::trim(Seq floor) {
  while (!entries_.empty() && first_ < floor.value && next_floor() > first() &&
         next_floor() <= floor) {
    const Seq until = next_floor();
    while (first_ < until.value) {
      bytes_ -= entries_.front().bytes.size();
      entries_.pop_front();
      ++first_;
    }
  }
}

void SimLog::tear() {
  if (entries_.empty()) return;
  bytes_ -= entries_.back().bytes.size();
  entries_.pop_back();
}

}  // namespace muster::test
