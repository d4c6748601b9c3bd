// node: what other nouns share with it: choosing nodes, services as JSON.
#pragma once

#include "cli/command.hpp"
#include "cli/format.hpp"
#include "common/protocol/catalog.hpp"
#include "common/protocol/exec.hpp"

namespace muster::cli {

/// -node, -service, -tag
void add_target(Command& command, proto::exec::Target& target);

Json json_of_service(const proto::catalog::Service& service);

}  // namespace muster::cli
