// surroundings: what a handler's process finds around it, and how it ended, as a number.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "common/handle/child.hpp"
#include "common/handle/handling.hpp"

namespace muster::handle {

inline constexpr std::int64_t code_timeout = 124;
inline constexpr std::int64_t code_not_run = 127;

/// This process' environment, with what the call says, and without what a watch around us said.
std::vector<std::string> environment_for(const Call& call, const std::string& broker);

/// Its exit code; 128 + the signal that killed it; 127: it could not be run.
std::int64_t code_of(const ChildEnd& end);

}  // namespace muster::handle
