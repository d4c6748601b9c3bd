// snapshot: saving and restoring (messages: common/protocol/snapshot.hpp).
//
// What takes a disk is an errand: the request is parked, the shell does it, `Core::done` answers.
#pragma once

#include "broker/core/turn.hpp"
#include "common/protocol/snapshot.hpp"

namespace muster::core::snapshot {

Result<ParkedLater> save(Turn& turn, const proto::snapshot::Save& request);
Result<ParkedLater> read(Turn& turn, const proto::snapshot::Read& request);
Result<ParkedLater> drop(Turn& turn, const proto::snapshot::Drop& request);
Result<ParkedLater> upload(Turn& turn, const proto::snapshot::Upload& request);
Result<ParkedLater> write(Turn& turn, const proto::snapshot::Write& request);
Result<ParkedLater> restore(Turn& turn, const proto::snapshot::Restore& request);

}  // namespace muster::core::snapshot
