// payload: where a value comes from (an argument, `-`, `@file`).
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "common/base64.hpp"
#include "common/error.hpp"

namespace muster::cli {

/// `-` reads stdin to its end, `@file` the file, anything else is the value itself. At most
/// `bytes_max` are held. Errors: not_found (as Consul says it), too_large.
Result<std::string> read_payload(const std::string& argument, std::size_t bytes_max);

/// All of stdin. Errors: too_large.
Result<std::string> read_stdin(std::size_t bytes_max);

}  // namespace muster::cli
