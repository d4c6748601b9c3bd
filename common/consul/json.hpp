// json: JSON as Consul writes it: fields in order, escaped as Go does it.
#pragma once

#include <string>

#include <nlohmann/json.hpp>

namespace muster {

/// Keeps the order in which fields were put in.
using Json = nlohmann::ordered_json;

/// On one line. Bytes that are no UTF-8 become U+FFFD; `<`, `>` and `&` are escaped as Go does it.
std::string compact(const Json& json);
/// With 4 blanks a level, as Consul's watch without a handler.
std::string indented(const Json& json);
/// With a tab a level, as Consul's exports.
std::string tabbed(const Json& json);

}  // namespace muster
