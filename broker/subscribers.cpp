// subscribers: sets of connections, a topic each.
#include "broker/subscribers.hpp"

namespace muster::broker {

void Subscribers::came(const std::string& topic, Subscriber who) {
  if (!who) return;  // it has gone since: its end is told next
  Listeners& listeners = topics_[topic];
  const bool known = !listeners.seen.insert(*who).second;
  if (known && listeners.gone > 0) --listeners.gone;
}

Subscribers::Left Subscribers::left(const std::string& topic, Subscriber who) {
  const auto found = topics_.find(topic);
  if (found == topics_.end()) return Left::stranger;
  Listeners& listeners = found->second;
  if (!who) ++listeners.gone;
  else if (listeners.seen.erase(*who) == 0) return Left::stranger;
  if (listeners.gone < listeners.seen.size()) return Left::one;
  topics_.erase(found);
  return Left::last;
}

}  // namespace muster::broker
