// watch_order: what is watched, and with which handler: from options, checked as Consul does.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/handle/driver.hpp"

namespace muster::cli {

class Command;
using handle::Subject;
using handle::WatchType;

struct WatchOrder {
  handle::Order what;
  std::vector<std::string> program;  ///< the handler; empty: the state is printed once
  Duration timeout{};                ///< of the handler; 0: as long as it takes
};

/// The options of `muster watch`, and what they mean.
class WatchOptions {
 public:
  void declare(Command& command);
  /// Errors: invalid, in Consul's words where it has some.
  Result<WatchOrder> order(const Command& command) const;

 private:
  Result<Subject> subject(const Command& command) const;
  Result<handle::Policy> policy(const Command& command, WatchType type) const;

  std::string type_, key_, prefix_, service_, name_, state_, passing_only_;
  std::vector<std::string> tags_;
  bool shell_ = true;
  bool each_ = false;
  bool latest_ = false;
  bool once_ = false;
  std::string initial_, on_error_, cursor_;
  std::uint64_t after_ = 0;
  Duration debounce_{};
  Duration timeout_{};
};

}  // namespace muster::cli
