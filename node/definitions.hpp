// definitions: services from files in Consul's JSON form.
//
//   {"service": {...}} or {"services": [{...}, ...]}      id, name, tags, address, port, meta
//
// Several files in a folder count together, in order of their names; only *.json is read.
#pragma once

#include <string>
#include <vector>

#include "common/error.hpp"
#include "common/protocol/catalog.hpp"

namespace muster::node {

struct Definitions {
  std::vector<proto::catalog::Service> services;
  std::vector<std::string> notes;  ///< what is defined and not run by this version, for the log
};

/// Errors: invalid, with file, line or key, and the rule.
Result<Definitions> read_definitions(const std::string& folder);

}  // namespace muster::node
