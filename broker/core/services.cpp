// services: see services.hpp.
#include "broker/core/services.hpp"

#include <tuple>

#include "broker/core/checks.hpp"

namespace muster::core::services {
namespace {

auto parts(const Service& s) {
  return std::tie(s.id, s.name, s.tags, s.address, s.port, s.meta, s.enable_tag_override,
                  s.weight_passing, s.weight_warning, s.owner);
}

}  // namespace

std::vector<Service> of_node(Turn& turn, std::string_view node) {
  std::vector<Service> found;
  turn.services().scan(state::joined(node, {}), [&](std::string_view, const Service& service) {
    found.push_back(service);
    return true;
  });
  return found;
}

bool put(Turn& turn, const std::string& node, Service service) {
  const std::string key = state::joined(node, service.id);
  const auto before = turn.services().get(key);
  if (before && parts(*before) == parts(service)) return false;
  service.create_rev = before ? before->create_rev : turn.rev();
  service.mod_rev = turn.rev();
  turn.services().put(key, service);
  turn.touch("services");
  turn.touch("service:", service.name);
  if (!before) return true;
  if (before->name != service.name) turn.touch("service:", before->name);
  if (before->name != service.name || before->tags != service.tags)
    checks::relabel(turn, node, service);
  return true;
}

std::uint64_t erase(Turn& turn, const std::string& node, const Service& service,
                    const std::vector<proto::health::Check>& checks) {
  std::uint64_t count = 1;
  for (const proto::health::Check& check : checks) {
    if (check.service_id != service.id) continue;
    checks::erase(turn, check);
    ++count;
  }
  turn.services().erase(state::joined(node, service.id));
  turn.touch("services");
  turn.touch("service:", service.name);
  return count;
}

void touch_each(Turn& turn, std::string_view node) {
  for (const Service& service : of_node(turn, node)) turn.touch("service:", service.name);
}

}  // namespace muster::core::services
