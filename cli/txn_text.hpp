// txn_text: transactions and exports as JSON, there and back, as pure functions.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "cli/format.hpp"
#include "common/protocol/kv_txn.hpp"

namespace muster::cli {

/// One entry of an export, indented by tabs as Consul does it.
std::string exported(const proto::kv::Entry& entry);

/// The keys of an export. Errors: invalid, in Consul's words.
Result<std::vector<proto::kv::Put>> imported(std::string_view text);

/// Errors: invalid, with the place and the rule.
Result<proto::kv::Txn> parse_txn(std::string_view text);

Json outcome_json(const proto::kv::Outcome& outcome);

}  // namespace muster::cli
