// samples: quantiles, turns.
#include "test/bench/samples.hpp"

#include <algorithm>
#include <cmath>
#include <ctime>

namespace muster::bench {

void Samples::merge(const Samples& other) {
  us_.insert(us_.end(), other.us_.begin(), other.us_.end());
  untimed_ += other.untimed_;
  seconds_ += other.seconds_;
}

double Samples::quantile(double q) const {
  if (us_.empty()) return 0;
  std::sort(us_.begin(), us_.end());
  const auto last = static_cast<double>(us_.size() - 1);
  return us_[static_cast<std::size_t>(std::lround(q * last))];
}

double Samples::per_second() const {
  return seconds_ > 0 ? static_cast<double>(size()) / seconds_ : 0;
}

std::uint64_t now_ns() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<std::uint64_t>(now.tv_sec) * 1'000'000'000U +
         static_cast<std::uint64_t>(now.tv_nsec);
}

Samples Subject::all() const {
  Samples all;
  for (const Samples& round : rounds_) all.merge(round);
  return all;
}

void take_turns(std::size_t rounds, std::initializer_list<Subject*> subjects) {
  for (std::size_t n = 0; n < rounds; ++n) {
    for (Subject* subject : subjects) subject->take_turn();
  }
}

double median_of(std::size_t rounds, const std::function<double(std::size_t)>& ratio) {
  std::vector<double> all;
  for (std::size_t n = 0; n < rounds; ++n) all.push_back(ratio(n));
  std::sort(all.begin(), all.end());
  return all.empty() ? 0 : all[all.size() / 2];
}

}  // namespace muster::bench
