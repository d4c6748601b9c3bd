// turn: what leaves for connections that are not the caller's.
#include "broker/core/turn.hpp"

namespace muster::core {

void Turn::refuse(const state::RequestId& to, const Error& error) {
  send_to(to, proto::verb_error, proto::encode_error(error));
  then([to](Memory& memory) { memory.parked.erase(to); });
}

void Turn::send_to(const state::RequestId& to, std::string_view kind, std::string body) {
  const auto parked = memory().parked.find(to);
  if (parked == memory().parked.end() && to != caller_.request) return;
  const Route& route = to == caller_.request ? caller_.route : parked->second.route;
  draft_.sends.push_back({route, proto::encode_answer(kind, to.no), std::move(body)});
}

void Turn::dispatch(const std::string& node, const std::string& job, std::string_view verb,
                    std::string body) {
  const auto link = memory().nodes.find(node);
  if (link == memory().nodes.end() || link->second.route.empty()) return;
  // Numbers are given when the draft is kept, so that an error leaves no hole; here: how many.
  const RequestNo no{memory().last_dispatch.value + draft_.sends.size() + 1};
  draft_.sends.push_back(
      {link->second.route, proto::encode_header({std::string(verb), no, {}}), std::move(body)});
  then([=, name = std::string(verb)](Memory& memory) {
    memory.last_dispatch = std::max(memory.last_dispatch, no);
    memory.dispatches[no] = Dispatch{.node = node, .job = job, .verb = name};
  });
}

}  // namespace muster::core
