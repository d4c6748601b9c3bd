// base64: with padding, as Consul.
#pragma once

#include <string>
#include <string_view>

#include "common/error.hpp"

namespace muster {

std::string to_base64(std::string_view bytes);
/// Line ends are skipped; anything else that is not base64 is refused. Errors: invalid.
Result<std::string> from_base64(std::string_view text);

}  // namespace muster
