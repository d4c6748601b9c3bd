// checker: what must be true of every run, looked for in the whole log and in what clients were
// told.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "test/sim/broker.hpp"
#include "test/sim/client.hpp"

namespace muster::sim {

/// A sentence that names what was broken; empty: nothing was.
std::string check(const Broker& broker, const std::vector<std::unique_ptr<Client>>& clients);

}  // namespace muster::sim
