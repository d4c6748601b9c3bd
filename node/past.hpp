// past: ids of jobs that are over on this node: run and reported, or stopped before they came.
#pragma once

#include <deque>
#include <map>
#include <optional>
#include <string>

#include "common/limits.hpp"
#include "node/fact.hpp"

namespace muster::node {

/// Bounded: the oldest are forgotten, long after the broker could send them again.
class Past {
 public:
  void add(const std::string& job, Fact::What what) {
    if (!jobs_.emplace(job, what).second) return;
    order_.push_back(job);
    if (order_.size() <= limits::tasks_known_max) return;
    jobs_.erase(order_.front());
    order_.pop_front();
  }
  std::optional<Fact::What> find(const std::string& job) const {
    const auto found = jobs_.find(job);
    return found == jobs_.end() ? std::nullopt : std::optional(found->second);
  }
  /// Oldest first.
  template <class Visit>
  void each(Visit visit) const {
    for (const std::string& job : order_) visit(job, jobs_.at(job));
  }

 private:
  std::map<std::string, Fact::What> jobs_;  ///< stopped or done
  std::deque<std::string> order_;
};

}  // namespace muster::node
