// exec_lines: see exec_lines.hpp.
#include "cli/exec_lines.hpp"

#include <algorithm>
#include <array>
#include <cstring>

#include <fmt/format.h>

namespace muster::cli {
namespace {

void put_line(const std::string& node, std::string_view line, std::string& out) {
  out.append("    ").append(node).append(":");
  if (!line.empty()) out.append(" ").append(line);
  out.append("\n");
}

/// How an outcome counts.
struct Ending {
  std::string_view state;
  std::string_view words;  ///< behind "==> node: "
  Exit exit;
  bool acknowledged;
};

constexpr std::array<Ending, 8> endings = {{
    {"exited", "", Exit::ok, true},
    {"refused", "refused the command", Exit::command_failed, false},
    {"lost", "lost: the node went away while the command ran", Exit::nodes_lost, true},
    {"timeout", "ended after its time was up", Exit::timeout, true},
    {"cancelled", "cancelled", Exit::interrupted, true},
    {"expired", "not started: the node did not take it in time", Exit::command_failed, false},
    {"not_started", "not started", Exit::command_failed, false},
    {"indeterminate", "unknown whether the command ran", Exit::nodes_lost, false},
}};

const Ending& ending_of(const proto::exec::Outcome& outcome) {
  const auto* found = std::find_if(endings.begin(), endings.end(),
                                   [&](const Ending& e) { return e.state == outcome.state; });
  return found == endings.end() ? endings.back() : *found;
}

/// In what order exits win, weakest first.
constexpr std::array strength = {Exit::ok, Exit::command_failed, Exit::timeout, Exit::nodes_lost,
                                 Exit::interrupted};

Exit exit_of_one(const proto::exec::Outcome& outcome) {
  if (outcome.state == "exited" && (outcome.code != 0 || outcome.signal != 0))
    return Exit::command_failed;
  return ending_of(outcome).exit;
}

}  // namespace

std::size_t ExecLines::part_bytes() const {
  const std::size_t share =
      limits::output_budget_bytes / 2 / std::max<std::size_t>(open_.size(), 1);
  return std::clamp<std::size_t>(share, 256, part_bytes_max);
}

void ExecLines::add(const Source& source, std::string_view bytes, std::string& out) {
  std::string& open = open_[source];
  const std::size_t part = part_bytes();
  while (!bytes.empty()) {
    const std::size_t room = part > open.size() ? part - open.size() : 0;
    const std::size_t newline = bytes.find('\n');
    const std::size_t length = std::min(newline, bytes.size());
    if (length > room) {  // too long for one line
      open.append(bytes.substr(0, room));
      put_line(source.node, open, out);
      open.clear();
      bytes.remove_prefix(room);
      continue;
    }
    if (newline == std::string_view::npos) {
      open.append(bytes);
      break;
    }
    open.append(bytes.substr(0, newline));
    put_line(source.node, open, out);
    open.clear();
    bytes.remove_prefix(newline + 1);
  }
  if (open.empty()) open_.erase(source);
}

void ExecLines::finish(const Source& source, std::string& out) {
  const auto found = open_.find(source);
  if (found == open_.end()) return;
  put_line(source.node, found->second, out);
  open_.erase(found);
}

std::string ending_line(const proto::exec::Outcome& outcome) {
  if (outcome.state == "exited" && outcome.signal != 0) {
    const char* name = sigabbrev_np(static_cast<int>(outcome.signal));
    return fmt::format("==> {}: ended by signal {} ({})", outcome.node, outcome.signal,
                       name == nullptr ? "?" : name);
  }
  if (outcome.state == "exited")
    return fmt::format("==> {}: finished with exit code {}", outcome.node, outcome.code);
  const std::string more = outcome.message.empty() ? "" : ": " + outcome.message;
  return fmt::format("==> {}: {}{}", outcome.node, ending_of(outcome).words, more);
}

std::string summary_line(std::span<const proto::exec::Outcome> outcomes) {
  const auto completed = std::count_if(outcomes.begin(), outcomes.end(), [](const auto& outcome) {
    return outcome.state == "exited";
  });
  const auto acknowledged =
      std::count_if(outcomes.begin(), outcomes.end(),
                    [](const auto& outcome) { return ending_of(outcome).acknowledged; });
  return fmt::format("{} / {} node(s) completed / acknowledged", completed, acknowledged);
}

Exit exit_of(std::span<const proto::exec::Outcome> outcomes) {
  const auto rank = [](Exit exit) { return std::find(strength.begin(), strength.end(), exit); };
  Exit worst = Exit::ok;
  for (const proto::exec::Outcome& outcome : outcomes) {
    const Exit exit = exit_of_one(outcome);
    if (rank(exit) > rank(worst)) worst = exit;
  }
  return worst;
}

}  // namespace muster::cli
