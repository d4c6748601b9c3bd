// exec_lines: what `muster exec` prints: labelled lines, how each node ended, the sum.
//
// Consul's three line shapes without its flaws: a line is never cut (over 64 KiB: labelled parts),
// a chunk that ends in a newline makes no empty label line, and bytes are passed as they are.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>

#include "cli/exec_flow.hpp"
#include "cli/exit_code.hpp"
#include "common/protocol/exec.hpp"

namespace muster::cli {

class ExecLines {
 public:
  static constexpr std::size_t part_bytes_max = 64 * limits::KiB;

  /// Appends to `out` the lines that `bytes` complete, as `    node: line`. The rest is kept until
  /// its line ends; all that is kept stays within half of the output budget.
  void add(const Source& source, std::string_view bytes, std::string& out);
  /// The stream is over: a last line without a newline gets one.
  void finish(const Source& source, std::string& out);

 private:
  std::size_t part_bytes() const;

  std::map<Source, std::string> open_;  ///< lines that have begun
};

/// `==> node: finished with exit code N`, or how else it ended; without the newline.
std::string ending_line(const proto::exec::Outcome& outcome);

/// `C / A node(s) completed / acknowledged`
std::string summary_line(std::span<const proto::exec::Outcome> outcomes);

/// 130 before 125 before 124 before 2 before 0.
Exit exit_of(std::span<const proto::exec::Outcome> outcomes);

}  // namespace muster::cli
