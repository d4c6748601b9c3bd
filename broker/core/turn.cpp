// turn: what leaves for connections that are not the caller's.
#include "broker/core/turn.hpp"

namespace muster::core {

void Turn::send_to(const state::RequestId& to, std::string_view kind, std::string body) {
  const auto parked = memory().parked.find(to);
  if (parked == memory().parked.end() && to != caller_.request) return;
  const Route& route = to == caller_.request ? caller_.route : parked->second.route;
  draft_.sends.push_back({route, proto::encode_answer(kind, to.no), std::move(body)});
}

void Turn::dispatch(const Route& route, Dispatch what, std::string body) {
  // Numbers are taken when the draft is kept, so that an error leaves no hole.
  const RequestNo no{memory().last_dispatch.value + draft_.sends.size() + 1};
  draft_.sends.push_back({route, proto::encode_header({what.verb, no, {}}), std::move(body)});
  then([no, what = std::move(what)](Memory& memory) {
    memory.last_dispatch = std::max(memory.last_dispatch, no);
    memory.dispatches[no] = what;
  });
}

}  // namespace muster::core
