// offline: a snapshot into a data folder on which no broker runs.
#pragma once

#include <string>

#include "broker/broker.hpp"

namespace muster::broker {

/// The state of the snapshot in `file` takes the place of the one in `options.data`, if there is
/// one: that is put aside. Throws Failure: not a snapshot, not whole, a broker runs there; then
/// nothing has changed.
void restore_offline(const Options& options, const std::string& file);

}  // namespace muster::broker
