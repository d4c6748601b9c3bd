// samples: how long each of many things took, and two kinds of things measured in turns.
//
// Machines are shared and noisy: only ratios of what was measured in the same seconds mean
// something. So subjects take turns, and a ratio is the median over the rounds.
#pragma once

#include <cstddef>
#include <functional>
#include <vector>

#include "common/types.hpp"

namespace muster::bench {

class Samples {
 public:
  void add(Duration taken) { us_.push_back(static_cast<double>(taken.count())); }
  void add_ns(std::uint64_t ns) { us_.push_back(static_cast<double>(ns) / 1000.0); }
  /// Things that were not timed one by one.
  void add_untimed(std::size_t count) { untimed_ += count; }
  void merge(const Samples& other);
  /// The time that all of them took together, which is less than their sum when they overlap.
  void took(double seconds) { seconds_ += seconds; }

  std::size_t size() const { return us_.size() + untimed_; }
  /// Microseconds; `q` from 0 to 1. 0 without samples.
  double quantile(double q) const;
  double p50() const { return quantile(0.5); }
  double per_second() const;

 private:
  mutable std::vector<double> us_;
  std::size_t untimed_ = 0;
  double seconds_ = 0;
};

/// Nanoseconds of a clock that only counts.
std::uint64_t now_ns();

/// One after the other.
template <class Act>
Samples timed(std::size_t count, Act&& act) {
  Samples samples;
  const std::uint64_t start = now_ns();
  for (std::size_t n = 0; n < count; ++n) {
    const std::uint64_t before = now_ns();
    act();
    samples.add_ns(now_ns() - before);
  }
  samples.took(static_cast<double>(now_ns() - start) / 1e9);
  return samples;
}

/// What takes turns with others.
class Subject {
 public:
  explicit Subject(std::function<Samples()> round) : round_(std::move(round)) {}

  void take_turn() { rounds_.push_back(round_()); }
  const std::vector<Samples>& rounds() const { return rounds_; }
  Samples all() const;

 private:
  std::function<Samples()> round_;
  std::vector<Samples> rounds_;
};

void take_turns(std::size_t rounds, std::initializer_list<Subject*> subjects);

/// The median over the rounds of what `ratio` says of each.
double median_of(std::size_t rounds, const std::function<double(std::size_t)>& ratio);

}  // namespace muster::bench
