// check: a check as Consul's files define it.
#pragma once

#include <string>
#include <vector>

#include "common/definitions/fields.hpp"
#include "common/protocol/health.hpp"

namespace muster::definitions {

/// Throws Broken. What is known and not acted upon goes into `notes`.
proto::health::Check check_of(const json& value, const std::string& where,
                              std::vector<std::string>& notes);

}  // namespace muster::definitions
