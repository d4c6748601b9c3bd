// consul_json: see consul_json.hpp.
#include "common/consul/consul_json.hpp"

#include "common/base64.hpp"

namespace muster {
namespace {

Json base64_or_null(const Bytes& bytes) {
  return bytes.empty() ? Json(nullptr) : Json(to_base64(bytes.view()));
}

}  // namespace

Json consul_key(const proto::kv::Entry& entry) {
  return {{"Key", entry.key},
          {"CreateIndex", entry.create_rev.value},
          {"ModifyIndex", entry.mod_rev.value},
          {"LockIndex", entry.lock_index},
          {"Flags", entry.flags},
          {"Value", base64_or_null(entry.value)},
          {"Session", entry.session}};
}

Json consul_event(const proto::event::Event& event) {
  return {{"ID", event.id},
          {"Name", event.name},
          {"Payload", base64_or_null(event.payload)},
          {"NodeFilter", event.node},
          {"ServiceFilter", event.service},
          {"TagFilter", event.tag},
          {"Version", 1},
          {"LTime", event.rev.value}};
}

}  // namespace muster
