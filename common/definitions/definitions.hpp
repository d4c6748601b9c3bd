// definitions: services, checks and watches from files in Consul's JSON form.
//
//   {"service": {...}} or {"services": [{...}, ...]}      id, name, tags, address, port, meta,
//                                                         check {...}, checks [{...}, ...]
//   {"watches": [{...}, ...]}                             see watch.hpp
//   {"check": {...}} or {"checks": [{...}, ...]}          of the node, or of a service_id
//
// Keys may also be written as Consul's API does (ID, Name, ...). Several files in a folder count
// together, in order of their names; only *.json is read. What Consul knows and this version does
// not act upon (connect, proxy, ...) is taken and noted; what nobody knows is an error, since it
// is most likely misspelt.
#pragma once

#include <string>
#include <vector>

#include "common/definitions/watch.hpp"
#include "common/error.hpp"
#include "common/protocol/catalog.hpp"

namespace muster {

struct Definitions {
  std::vector<proto::catalog::Service> services;
  std::vector<proto::health::Check> checks;
  std::vector<WatchDefinition> watches;
  std::vector<std::string> notes;  ///< what is defined and not acted upon, for the log
};

/// Errors: invalid, with file, line, key and rule.
Result<Definitions> read_definitions(const std::string& folder);
/// All count together. Errors: the same.
Result<Definitions> read_definition_files(const std::vector<std::string>& files);

}  // namespace muster
