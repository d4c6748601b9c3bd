// catalog_read: whole lists of nodes and checks, which come in parts; and which node is meant.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "cli/command.hpp"
#include "cli/inquiry.hpp"
#include "common/protocol/catalog.hpp"
#include "common/protocol/health.hpp"

namespace muster::cli {

/// By name. Errors: as catalog.nodes.
Result<std::vector<proto::catalog::Node>> all_nodes(Inquiry& broker, proto::catalog::Nodes request);
/// By node and id. Errors: as health.list.
Result<std::vector<proto::health::Check>> all_checks(Inquiry& broker, proto::health::List request);

/// -node; without it, the node that we run on: MUSTER_NODE, else the host's name.
void add_this_node(Command& command, std::string& node, std::string_view help);

/// "up", "down", "maintenance".
std::string_view state_of(const proto::catalog::Node& node);
/// "passing", "1 warning", "2 critical, 1 warning".
std::string sum_of(const std::vector<const proto::health::Check*>& checks);
/// For a table: its first line, as far as there is room; maintenance: the reason; "-": none.
std::string shown_output(const proto::health::Check& check);
/// All checks of a node, its services' too.
std::vector<const proto::health::Check*> checks_of(const proto::catalog::Node& node);

}  // namespace muster::cli
