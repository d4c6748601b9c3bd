// exit_code: what the exit of `muster` says, in one table (DESIGN section 12).
#pragma once

#include <array>

#include "common/error.hpp"

namespace muster::cli {

/// The named ones are ours; `lock` also passes on its child's, and 128+n is signal n.
enum class Exit : int {
  ok = 0,
  failed = 1,          ///< anything without a code of its own
  command_failed = 2,  ///< exec: a command failed somewhere
  unreachable = 3,
  denied = 4,
  not_found = 5,
  not_acquired = 6,
  conflict = 7,
  deadlock = 8,
  fenced = 9,
  usage = 64,
  no_target = 68,
  timeout = 124,
  nodes_lost = 125,
  interrupted = 130,
};

constexpr int number_of(Exit exit) { return static_cast<int>(exit); }
constexpr Exit exit_of_signal(int signal) { return static_cast<Exit>(128 + signal); }

struct ExitRow {
  Code code;
  Exit exit;
};

inline constexpr std::array<ExitRow, code_names.size()> exit_rows = {{
    {Code::hello, Exit::failed},
    {Code::invalid, Exit::failed},
    {Code::not_found, Exit::not_found},
    {Code::conflict, Exit::conflict},
    {Code::denied, Exit::denied},
    {Code::busy, Exit::failed},
    {Code::too_large, Exit::failed},
    {Code::gone, Exit::failed},
    {Code::timeout, Exit::timeout},
    {Code::unavailable, Exit::failed},
    {Code::fenced, Exit::fenced},
    {Code::deadlock, Exit::deadlock},
    {Code::version, Exit::failed},
    {Code::internal, Exit::failed},
}};

constexpr bool each_code_in_its_row() {
  for (std::size_t i = 0; i < exit_rows.size(); ++i) {
    if (exit_rows.at(i).code != static_cast<Code>(i)) return false;
  }
  return true;
}
static_assert(each_code_in_its_row());

/// Of an error that the broker answered.
constexpr Exit exit_of(Code code) { return exit_rows.at(static_cast<std::size_t>(code)).exit; }

}  // namespace muster::cli
