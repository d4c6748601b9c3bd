// moment: a point of the past, as people write it.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "cli/command.hpp"
#include "common/protocol/kv.hpp"
#include "common/types.hpp"

namespace muster::cli {

/// "10m ago", "2d ago"; "2026-11-22", "2026-11-22T09:00", "2026-11-22 09:00:30" (local time), with
/// Z or +01:00 behind it another zone's. Errors: invalid.
Result<WallTime> parse_time(std::string_view text, WallTime now);

/// A revision ("1234") or a time. Errors: invalid.
Result<proto::kv::Moment> parse_moment(std::string_view text, WallTime now);

/// -rev and -at, for commands that read.
class MomentOptions {
 public:
  void declare(Command& command);
  /// After the words were parsed; none: now. Errors: invalid.
  Result<std::optional<proto::kv::Moment>> moment() const;

 private:
  const Command* command_ = nullptr;
  std::uint64_t rev_ = 0;
  std::string at_;
};

}  // namespace muster::cli
