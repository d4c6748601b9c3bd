// lines: on which line of a JSON text a key stands.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace muster::definitions {

/// `path` as errors name it: "services[1].port". Case and underscores do not count, since a key has
/// several spellings; where the key is not there, the line of what it would stand in. 0: unknown.
std::size_t line_of(std::string_view text, std::string_view path);

}  // namespace muster::definitions
