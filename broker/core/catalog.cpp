// catalog: registration, presence, and who matches a target.
#include "broker/core/catalog.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "broker/core/exec.hpp"
#include "broker/core/patterns.hpp"

namespace muster::core::catalog {
namespace {

using proto::catalog::Node;
using proto::catalog::Service;

std::optional<Error> wrong_name(std::string_view what, std::string_view name) {
  if (!name.empty() && name.size() <= limits::name_bytes_max &&
      name.find('\0') == std::string_view::npos && codec::is_utf8(name)) {
    return std::nullopt;
  }
  return Error{Code::invalid, fmt::format("{} has 1..255 bytes of UTF-8 and no NUL", what)};
}

std::optional<Error> wrong(const Node& node) {
  if (const auto error = wrong_name("a node's name", node.name)) return error;
  if (const auto error = wrong_name("a node's id", node.id)) return error;
  if (node.services.size() > limits::services_max) {
    return Error{Code::too_large, fmt::format("{} services on one node, at most {} are taken",
                                              node.services.size(), limits::services_max)};
  }
  for (const Service& service : node.services) {
    if (const auto error = wrong_name("a service's id", service.id)) return error;
    if (const auto error = wrong_name("a service's name", service.name)) return error;
  }
  return std::nullopt;
}

std::vector<Service> services_of(Turn& turn, std::string_view node) {
  std::vector<Service> services;
  turn.services().scan(state::joined(node, {}), [&](std::string_view, const Service& service) {
    services.push_back(service);
    return true;
  });
  return services;
}

bool same(const Service& a, const Service& b) {
  return std::tie(a.id, a.name, a.tags, a.address, a.port, a.meta) ==
         std::tie(b.id, b.name, b.tags, b.address, b.port, b.meta);
}

void put_services(Turn& turn, const std::string& node, const std::vector<Service>& wanted) {
  const std::vector<Service> present = services_of(turn, node);
  bool changed = false;
  const auto touched = [&](const Service& service) {
    turn.touch("service:", service.name);
    changed = true;
  };
  for (const Service& service : wanted) {
    const auto before = std::find_if(present.begin(), present.end(),
                                     [&](const Service& s) { return s.id == service.id; });
    if (before != present.end() && same(*before, service)) continue;
    if (before != present.end() && before->name != service.name) touched(*before);
    turn.services().put(state::joined(node, service.id), service);
    touched(service);
  }
  for (const Service& service : present) {
    if (std::any_of(wanted.begin(), wanted.end(),
                    [&](const Service& s) { return s.id == service.id; }))
      continue;
    turn.services().erase(state::joined(node, service.id));
    touched(service);
  }
  if (changed) turn.touch("services");
}

void put_node(Turn& turn, const Node& node) {
  turn.nodes().put(node.name, node);
  turn.touch("nodes");
  turn.touch("node:", node.name);
}

/// The connection that spoke for this node before is told that it does no longer.
void supersede(Turn& turn, const std::string& name) {
  const auto link = turn.memory().nodes.find(name);
  if (link == turn.memory().nodes.end() || link->second.route.empty() ||
      link->second.route == turn.caller().route)
    return;
  turn.send(name, {}, proto::catalog::Superseded{.node = name});
}

void link(Turn& turn, const std::string& name, std::uint64_t attach_gen) {
  turn.then([=, route = turn.caller().route, now = turn.now(),
             before = turn.memory().last_dispatch](Memory& memory) {
    NodeLink& node = memory.nodes[name];
    node.route = route;
    node.attach_gen = attach_gen;
    // What the earlier connection was asked and has not answered, it never will.
    std::erase_if(memory.dispatches, [&](const auto& asked) {
      return asked.second.node == name && asked.first <= before;
    });
    if (const auto here = memory.connections.find(route); here != memory.connections.end())
      here->second.node = name;
    memory.at(now + limits::presence_grace, NodeDue{name, attach_gen});
  });
}

}  // namespace

Result<proto::catalog::Registered> enrol(Turn& turn, const proto::catalog::Register& request) {
  if (const auto error = wrong(request.node)) return *error;
  const std::string& name = request.node.name;
  const auto before = turn.nodes().get(name);
  if (before && before->up && before->id != request.node.id) {
    return Error{Code::conflict, fmt::format("a live node has the name {} and another id", name),
                 "give this one another name, or stop the other"};
  }
  Node node = request.node;
  node.services.clear();
  node.up = true;
  node.attach_gen = (before ? before->attach_gen : 0) + 1;
  node.create_rev = before ? before->create_rev : turn.rev();
  node.mod_rev = turn.rev();
  node.since_ms = before && before->up ? before->since_ms : turn.wall().ms;
  put_node(turn, node);
  put_services(turn, name, request.node.services);
  supersede(turn, name);
  link(turn, name, node.attach_gen);
  exec::compare(turn, name, request.tasks);
  return proto::catalog::Registered{.attach_gen = node.attach_gen, .rev = turn.rev()};
}

Result<proto::Empty> presence(Turn& turn, const proto::catalog::Presence& request) {
  auto node = turn.nodes().get(request.node);
  if (!node) return Error{Code::not_found, fmt::format("no node {}", request.node)};
  if (node->attach_gen != request.attach_gen)
    return Error{Code::conflict, "it registered again meanwhile"};
  if (node->up == request.up) return proto::Empty{};
  node->up = request.up;
  node->since_ms = turn.wall().ms;
  node->mod_rev = turn.rev();
  put_node(turn, *node);
  for (const Service& service : services_of(turn, request.node))
    turn.touch("service:", service.name);
  turn.touch("services");
  if (!request.up) exec::node_down(turn, request.node);
  return proto::Empty{};
}

Result<std::vector<Node>> matching(Turn& turn, const proto::exec::Target& target) {
  if (!target.tag.empty() && target.service.empty()) {
    return Error{Code::invalid, "Cannot provide tag filter without service filter."};
  }
  const Result<Pattern> node = Pattern::compile("node", target.node);
  if (!node) return node.error();
  const Result<Pattern> service = Pattern::compile("service", target.service);
  if (!service) return service.error();
  const Result<Pattern> tag = Pattern::compile("tag", target.tag);
  if (!tag) return tag.error();
  const auto offers = [&](const Service& s) {
    if (!service->matches(s.name)) return false;
    return target.tag.empty() || std::any_of(s.tags.begin(), s.tags.end(),
                                             [&](const std::string& t) { return tag->matches(t); });
  };
  std::vector<Node> found;
  turn.nodes().scan({}, [&](std::string_view name, const Node& row) {
    if (!node->matches(name)) return true;
    if (!target.names.empty() &&
        std::find(target.names.begin(), target.names.end(), name) == target.names.end())
      return true;
    Node whole = row;
    whole.services = services_of(turn, name);
    if (!target.service.empty() &&
        std::none_of(whole.services.begin(), whole.services.end(), offers))
      return true;
    found.push_back(std::move(whole));
    return found.size() < limits::targets_max;
  });
  return found;
}

Result<proto::catalog::Listing> nodes(Turn& turn, const proto::catalog::Nodes& request) {
  proto::exec::Target target = request.matching;
  if (!request.name.empty()) target.names = {request.name};
  Result<std::vector<Node>> found = matching(turn, target);
  if (!found) return found.error();
  if (!request.name.empty() && found->empty())
    return Error{Code::not_found, fmt::format("no node {}", request.name)};
  return proto::catalog::Listing{.nodes = std::move(*found), .rev = turn.last_rev()};
}

Result<std::string> node_of(const Turn& turn) {
  const auto here = turn.memory().connections.find(turn.caller().route);
  if (here != turn.memory().connections.end() && !here->second.node.empty()) {
    const auto link = turn.memory().nodes.find(here->second.node);
    if (link != turn.memory().nodes.end() && link->second.route == turn.caller().route)
      return here->second.node;
  }
  return Error{Code::denied, "no node has registered on this connection",
               "send catalog.register first"};
}

}  // namespace muster::core::catalog
