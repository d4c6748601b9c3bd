// consul_json: keys and events as Consul's watch hands them to a handler, to the byte.
#pragma once

#include <optional>
#include <string>

#include "common/consul/json.hpp"
#include "common/protocol/event.hpp"
#include "common/protocol/kv.hpp"

namespace muster {

/// `{"Key":…,"CreateIndex":…,"ModifyIndex":…,"LockIndex":…,"Flags":…,"Value":…,"Session":…}`; an
/// empty value is null.
Json consul_key(const proto::kv::Entry& entry);

/// `{"ID":…,"Name":…,"Payload":…,"NodeFilter":…,"ServiceFilter":…,"TagFilter":…,"Version":1,"LTime":…}`;
/// LTime is the revision, which grows as Serf's clock does.
Json consul_event(const proto::event::Event& event);

}  // namespace muster
