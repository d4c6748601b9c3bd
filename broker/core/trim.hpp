// trim: giving up the past: the log's, and that of prefixes with an age of their own.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "broker/core/turn.hpp"
#include "common/protocol/admin.hpp"
#include "common/protocol/kv_past.hpp"

namespace muster::core::trim {

/// The rules are what the broker was started with: new ones begin where the past is whole now, of
/// those that are gone nothing more is kept. `keep`: prefix -> age in ms.
void set_rules(Turn& turn, const std::map<std::string, std::uint64_t>& keep);

/// Some of the records below the floor, in whole records.
Result<proto::Empty> log(Turn& turn, const proto::admin::Trim& request);

/// What a rule keeps is over its age.
Result<proto::Empty> forget(Turn& turn, const proto::kv::ForgetPast& request);

/// A rule with something to forget: the prefix, and the time.
std::optional<proto::kv::ForgetPast> due(const state::View& view, WallTime now);

}  // namespace muster::core::trim
