// checks: the rows of checks and of their outputs: put, told a status, taken away.
//
//   (none)  -- put ------------> its initial status          critical unless it is given
//   status  -- told another ---> that one                    `since` is now
//   status  -- put, same definition --> the same status      a daemon that starts again is no news
//
// News of a check is news on `checks` and on the service it belongs to; of a node's own check on
// all of its services. A new output alone is news on nothing.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "broker/core/turn.hpp"
#include "common/protocol/catalog.hpp"

namespace muster::core::checks {

using proto::health::Check;

inline constexpr std::string_view by_file = "file";  ///< owner: of the node's definitions
inline constexpr std::string_view by_api = "api";

/// Whether the node has something to run.
bool is_run(const Check& check);
/// Whether it runs a program or asks for a unit: what the right to exec is for.
bool is_command(const Check& check);
/// By id, without outputs.
std::vector<Check> of_node(Turn& turn, std::string_view node);
/// Those that were defined over the API and are run by their node.
std::vector<Check> for_node(Turn& turn, std::string_view node);
/// Whether the node is up, as a check.
Check liveness(const proto::catalog::Node& node);

/// `check` says node, id, name, notes, definition, service_id, owner and the initial status; the
/// rest is the broker's. False: it is so already. Errors: invalid (no such service).
Result<bool> put(Turn& turn, Check check);
/// Another status; the same is no change.
void tell(Turn& turn, Check check, std::string_view status);
/// Its last bytes; the same is no change.
void keep_output(Turn& turn, const Check& check, std::string_view output);
void erase(Turn& turn, const Check& check);
/// The service's name or tags are others now.
void relabel(Turn& turn, std::string_view node, const proto::catalog::Service& service);

/// With its output.
void add_output(Turn& turn, Check& check);
/// As after a new definition, and after a restart.
void start_clocks(Memory& memory, const std::string& key, const Check& check, TimePoint now);

}  // namespace muster::core::checks
