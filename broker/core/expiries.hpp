// expiries: when keys expire: by key, and the next one.
//
// Each key stands in it once, however often its time begins anew, so it grows with the keys that
// have a TTL and with nothing else.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>

#include "common/types.hpp"

namespace muster::core {

class Expiries {
 public:
  void set(const std::string& key, TimePoint when) {
    const auto [known, fresh] = by_key_.emplace(key, when);
    if (!fresh) by_time_.erase({known->second, known->first});
    known->second = when;
    by_time_.emplace(when, known->first);
  }

  void forget(const std::string& key) {
    const auto known = by_key_.find(key);
    if (known == by_key_.end()) return;
    by_time_.erase({known->second, known->first});
    by_key_.erase(known);
  }

  std::optional<TimePoint> of(const std::string& key) const {
    const auto known = by_key_.find(key);
    return known == by_key_.end() ? std::nullopt : std::optional(known->second);
  }

  std::optional<std::pair<TimePoint, std::string>> next() const {
    if (by_time_.empty()) return std::nullopt;
    return std::pair{by_time_.begin()->first, std::string(by_time_.begin()->second)};
  }

  std::size_t size() const { return by_key_.size(); }

 private:
  std::map<std::string, TimePoint> by_key_;
  std::set<std::pair<TimePoint, std::string_view>> by_time_;  ///< of the keys of by_key_
};

}  // namespace muster::core
