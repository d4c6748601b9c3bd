// offers: what the services and checks of a node must be. One rule for the files that define them,
// for muster validate and for the broker: what a node's daemon takes, the broker takes, too.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/error.hpp"
#include "common/protocol/catalog.hpp"

namespace muster::proto::offers {

/// A rule that was broken.
struct Breach {
  std::string key;  ///< as in a file of definitions; empty: of the whole
  std::string rule;
};

std::optional<Breach> breach(const catalog::Service& service);
std::optional<Breach> breach(const health::Check& check);
/// Counts and bytes of all that one node offers.
std::optional<Breach> breach(const std::vector<catalog::Service>& services,
                             const std::vector<health::Check>& checks);

/// Names and ids: what is wrong with one; none: nothing.
std::optional<std::string> wrong_name(std::string_view name);
bool is_status(std::string_view text);

/// About as many bytes as it takes on the wire.
std::size_t weight(const catalog::Service& service);
std::size_t weight(const health::Check& check);

}  // namespace muster::proto::offers
