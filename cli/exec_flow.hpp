// exec_flow: a job's output on its way through: what has arrived, what has left, who may send on.
//
// Every byte of a stream has an offset. A stream may send what lies below its `allow`, which is
// raised only as bytes leave (are written out): a stopped reader stops the commands, and memory
// stays within a budget that all nodes share. Half of the budget is for all alike, so that nobody
// waits for a silent one (what was allowed cannot be taken back); half is for whoever is fast.
//
//   0 <= left <= received <= allow        of each stream
//   allow - left <= floor + extra         floor: its share of the first half; extra: out of the
//   second
//
// `first` is what each stream may send before anything was granted: small enough for the largest
// fleet, large enough for a line.
#pragma once

#include <compare>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "common/limits.hpp"
#include "common/protocol/exec.hpp"

namespace muster::cli {

/// One stream of one node.
struct Source {
  std::string node;
  std::uint64_t stream = 0;  ///< 1 stdout, 2 stderr
  auto operator<=>(const Source&) const = default;
};

class ExecFlow {
 public:
  static constexpr std::uint64_t first = limits::output_budget_bytes / (2 * limits::targets_max);

  explicit ExecFlow(std::uint64_t budget = limits::output_budget_bytes) : half_(budget / 2) {}

  /// The part of a chunk that is new: empty for one that was seen, or that comes behind a gap.
  /// A gap makes the source due at once.
  std::string_view arrive(const Source& source, std::uint64_t offset, std::string_view bytes);
  /// The stream ends at what has been received.
  void end(const Source& source);
  /// So many received bytes of the source have been written out.
  void leave(const Source& source, std::uint64_t bytes);
  /// The connection is a new one: what was under way may be lost.
  void ask_again(const std::string& node);

  bool ended(const Source& source) const;
  std::uint64_t received(const Source& source) const;

  /// What to tell the nodes now; to be asked after arrivals and leavings.
  std::vector<proto::exec::Credit> due(const std::string& job);

 private:
  struct Stream {
    std::uint64_t left = 0;
    std::uint64_t received = 0;
    std::uint64_t allow = first;
    std::uint64_t floor = first;  ///< its share when it was last granted something
    bool ended = false;
    bool resend = false;
    bool marked = false;  ///< is in marked_
  };

  void mark(const Source& source, Stream& stream);
  bool grant(Stream& stream);
  std::uint64_t share() const;
  static std::uint64_t extra_of(const Stream& stream);

  const std::uint64_t half_;
  std::map<Source, Stream> streams_;
  std::vector<Source> marked_;  ///< to be looked at by due()
  std::uint64_t extra_ = 0;     ///< of all streams
  std::uint64_t active_ = 0;    ///< streams that have sent something and go on
};

}  // namespace muster::cli
