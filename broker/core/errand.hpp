// errand: what a request asks for that takes a disk and time: done outside the loop, answered
// later.
#pragma once

#include <variant>

#include "broker/state/record.hpp"
#include "common/protocol/snapshot.hpp"

namespace muster::core {

struct Errand {
  using What =
      std::variant<proto::snapshot::Save, proto::snapshot::Read, proto::snapshot::Drop,
                   proto::snapshot::Upload, proto::snapshot::Write, proto::snapshot::Restore>;
  state::RequestId asker;  ///< parked until it is done
  What what;
};

}  // namespace muster::core
