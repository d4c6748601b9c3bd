// definitions: what may be defined on a node; services and checks over the API; nodes forgotten.
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "broker/core/checks.hpp"
#include "broker/core/turn.hpp"
#include "common/protocol/offers.hpp"

namespace muster::core::definitions {

Result<proto::catalog::Defined> define(Turn& turn, const proto::catalog::Define& request);
Result<proto::catalog::Undefined> undefine(Turn& turn, const proto::catalog::Undefine& request);
Result<proto::Empty> forget(Turn& turn, const proto::catalog::Forget& request);
/// Parks until the node has answered.
Result<ParkedLater> reload(Turn& turn, const proto::catalog::Reload& request);
/// It has.
void reloaded(Turn& turn, const state::RequestId& asker, std::string_view body);

/// What may be defined (common/protocol/offers). Errors: invalid.
std::optional<Error> wrong_offers(const std::vector<proto::catalog::Service>& services,
                                  const std::vector<proto::health::Check>& checks);
/// Whether all that is defined on the node by now is within its bounds. Errors: too_large.
Result<Done> fits(Turn& turn, std::string_view node);

/// Says the node, if it is there, which checks are defined over the API.
void hand_out(Turn& turn, const std::string& node);

}  // namespace muster::core::definitions
