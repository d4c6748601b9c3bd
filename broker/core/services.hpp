// services: the rows of services, each with the checks that belong to it.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "broker/core/turn.hpp"
#include "common/protocol/catalog.hpp"

namespace muster::core::services {

using proto::catalog::Service;

/// By id.
std::vector<Service> of_node(Turn& turn, std::string_view node);
/// False: it is so already.
bool put(Turn& turn, const std::string& node, Service service);
/// With those of the node's checks that are its own; how many rows went.
std::uint64_t erase(Turn& turn, const std::string& node, const Service& service,
                    const std::vector<proto::health::Check>& checks);
/// Each one's watchers are told that its node is another now.
void touch_each(Turn& turn, std::string_view node);

}  // namespace muster::core::services
