// turn: what leaves for connections that are not the caller's.
#include "broker/core/turn.hpp"

namespace muster::core {

Revision Turn::removed(const std::string& key) const {
  const auto found = draft_.removed.find(key);
  return found == draft_.removed.end() ? Revision{} : found->second;
}

void Turn::send_to(const state::RequestId& to, std::string_view kind, std::string body) {
  const auto parked = memory().parked.find(to);
  if (parked == memory().parked.end() && to != caller_.request) return;
  const Route& route = to == caller_.request ? caller_.route : parked->second.route;
  draft_.sends.push_back({route, proto::encode_answer(kind, to.no), std::move(body)});
}

bool Turn::reach(Dispatch what, std::string body) {
  const auto link = memory().nodes.find(what.node);
  if (link == memory().nodes.end() || link->second.route.empty()) return false;
  dispatch(link->second.route, std::move(what), std::move(body));
  return true;
}

void Turn::dispatch(const Route& route, Dispatch what, std::string body) {
  // Numbers are taken when the draft is kept, so that an error leaves no hole.
  const RequestNo no{memory().last_dispatch.value + draft_.sends.size() + 1};
  draft_.sends.push_back({route, proto::encode_header({what.verb, no, {}}), std::move(body)});
  then([no, what = std::move(what), due = now_ + limits::answer_patience](Memory& memory) {
    memory.last_dispatch = std::max(memory.last_dispatch, no);
    memory.dispatches[no] = what;
    if (!what.asker.client.empty()) memory.at(due, AnswerDue{no});
  });
}

void Turn::give_up_asking(const std::string& node, const Error& error) {
  for (const auto& [no, asked] : memory().dispatches) {
    if (asked.node != node || asked.asker.client.empty()) continue;
    refuse(asked.asker, error);
    then([no = no](Memory& memory) { memory.dispatches.erase(no); });
  }
}

}  // namespace muster::core
