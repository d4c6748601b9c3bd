// kv_text: what the kv commands print, as Consul prints it, as pure functions.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "cli/format.hpp"
#include "common/protocol/kv_past.hpp"

namespace muster::cli {

enum class Encoding { raw, base64 };

/// The value and a newline, always.
std::string value_text(const proto::kv::Entry& entry, Encoding encoding);

/// Consul's table of two columns, in its order, the name padded to 17.
std::string detailed_text(const proto::kv::Entry& entry, Encoding encoding);

/// `key:value`
std::string pair_text(const proto::kv::Entry& entry, Encoding encoding);

/// Key names, cut after the first separator behind the prefix, each once; without a separator
/// whole.
std::vector<std::string> cut_keys(std::span<const proto::kv::Entry> entries,
                                  std::string_view prefix, std::string_view separator);

/// `muster kv list`
Listing kv_listing(std::span<const proto::kv::Entry> entries, WallTime now);

/// `+ key  value`, `- key  value`, `~ key  before -> after`, in one line; what does not fit a line
/// is said as a number of bytes.
std::string difference_text(const proto::kv::Difference& difference);

}  // namespace muster::cli
