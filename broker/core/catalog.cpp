// catalog: registration, presence, and who matches a target.
#include "broker/core/catalog.hpp"

#include <algorithm>
#include <set>
#include <tuple>

#include <fmt/format.h>

#include "broker/core/definitions.hpp"
#include "broker/core/exec.hpp"
#include "broker/core/services.hpp"

namespace muster::core::catalog {
namespace {

using checks::Check;
using definitions::fits;
using definitions::wrong_offers;
using proto::catalog::Node;
using proto::catalog::Service;

std::optional<Error> wrong(const Node& node) {
  for (const auto& [what, name] :
       {std::pair{"a node's name", &node.name}, {"a node's id", &node.id}}) {
    if (const auto rule = proto::offers::wrong_name(*name))
      return Error{Code::invalid, fmt::format("{} {}", what, *rule)};
  }
  return wrong_offers(node.services, node.checks);
}

bool from_file(const std::string& owner) { return owner != checks::by_api; }

/// What the node's files define takes the place of what they defined before; what was defined over
/// the API stays, unless a file says the same id.
Result<Done> put_offers(Turn& turn, const Node& node) {
  std::set<std::string> ids;
  for (Service service : node.services) {
    service.owner = checks::by_file;
    ids.insert(service.id);
    services::put(turn, node.name, std::move(service));
  }
  const std::vector<Check> present = checks::of_node(turn, node.name);
  for (const Service& service : services::of_node(turn, node.name)) {
    if (from_file(service.owner) && !ids.contains(service.id))
      services::erase(turn, node.name, service, present);
  }
  ids.clear();
  for (Check check : node.checks) {
    check.node = node.name;
    check.owner = checks::by_file;
    ids.insert(check.id);
    if (const Result<bool> put = checks::put(turn, std::move(check)); !put) return put.error();
  }
  for (const Check& check : checks::of_node(turn, node.name)) {
    if (from_file(check.owner) && !ids.contains(check.id)) checks::erase(turn, check);
  }
  return fits(turn, node.name);
}

/// But for what changes with each registration.
bool same(const Node& a, const Node& b) {
  return std::tie(a.id, a.address, a.tags, a.meta, a.version, a.up, a.problem) ==
         std::tie(b.id, b.address, b.tags, b.meta, b.version, b.up, b.problem);
}

/// News of a node; of its going and coming its checks and services have news, too.
void put_node(Turn& turn, Node node, const std::optional<Node>& before) {
  node.mod_rev = turn.rev();
  turn.nodes().put(node.name, node);
  turn.touch("nodes");
  turn.touch("node:", node.name);
  if (before && before->up == node.up) return;
  turn.touch("checks");
  turn.touch("services");
  services::touch_each(turn, node.name);
}

/// The connection that spoke for this node before is told that it does no longer.
void supersede(Turn& turn, const std::string& name) {
  const auto link = turn.memory().nodes.find(name);
  if (link == turn.memory().nodes.end() || link->second.route == turn.caller().route) return;
  turn.give_up_asking(
      name, {Code::unavailable, fmt::format("node {} has connected anew", name), "ask again"});
  if (!link->second.route.empty()) turn.send(name, {}, proto::catalog::Superseded{.node = name});
}

void link(Turn& turn, const std::string& name, std::uint64_t attach_gen) {
  turn.then([=, route = turn.caller().route, now = turn.now(),
             before = turn.memory().last_dispatch](Memory& memory) {
    NodeLink& node = memory.nodes[name];
    // What an earlier connection was asked and has not answered, it never will.
    const bool moved = node.route != route;
    std::erase_if(memory.dispatches, [&](const auto& asked) {
      return moved && asked.second.node == name && asked.first <= before;
    });
    node.route = route;
    node.attach_gen = attach_gen;
    if (const auto here = memory.connections.find(route); here != memory.connections.end())
      here->second.node = name;
    memory.at(now + limits::presence_grace, NodeDue{name, attach_gen});
  });
}

/// Where one node fills the reply by itself, outputs are left out.
std::size_t add_checks(Turn& turn, Node& node) {
  std::size_t bytes = 256 + node.id.size() + node.problem.size();
  for (const auto& [key, value] : node.meta) bytes += key.size() + value.size() + 10;
  for (const std::string& tag : node.tags) bytes += tag.size() + 5;
  for (const Service& service : node.services) bytes += proto::offers::weight(service);
  node.checks = checks::of_node(turn, node.name);
  node.checks.push_back(checks::liveness(node));
  std::sort(node.checks.begin(), node.checks.end(),
            [](const Check& a, const Check& b) { return a.id < b.id; });
  for (Check& check : node.checks) {
    if (bytes < limits::offers_bytes_max) checks::add_output(turn, check);
    bytes += proto::offers::weight(check);
  }
  return bytes;
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
  node.checks.clear();
  if (node.address.empty()) node.address = turn.caller().address;
  node.up = true;
  node.attach_gen = (before ? before->attach_gen : 0) + 1;
  node.create_rev = before ? before->create_rev : turn.rev();
  node.mod_rev = before ? before->mod_rev : turn.rev();
  node.since_ms = before && before->up ? before->since_ms : turn.wall().ms;
  // A daemon that comes again as it was is no news, but its generation is another.
  if (before && same(*before, node)) turn.nodes().put(name, node);
  else put_node(turn, node, before);
  if (const Result<Done> put = put_offers(turn, request.node); !put) return put.error();
  supersede(turn, name);
  link(turn, name, node.attach_gen);
  exec::compare(turn, name, request.tasks);
  return proto::catalog::Registered{
      .attach_gen = node.attach_gen, .rev = turn.rev(), .checks = checks::for_node(turn, name)};
}

Result<proto::Empty> presence(Turn& turn, const proto::catalog::Presence& request) {
  const auto before = turn.nodes().get(request.node);
  if (!before) return Error{Code::not_found, fmt::format("no node {}", request.node)};
  if (before->attach_gen != request.attach_gen)
    return Error{Code::conflict, "it registered again meanwhile"};
  if (before->up == request.up) return proto::Empty{};
  Node node = *before;
  node.up = request.up;
  node.since_ms = turn.wall().ms;
  put_node(turn, node, before);
  if (request.up) return proto::Empty{};
  exec::node_down(turn, request.node);
  turn.give_up_asking(request.node,
                      {Code::unavailable, fmt::format("node {} went down", request.node)});
  return proto::Empty{};
}

Result<Matcher> Matcher::compile(const proto::exec::Target& target) {
  if (!target.tag.empty() && target.service.empty()) {
    return Error{Code::invalid, "Cannot provide tag filter without service filter."};
  }
  Result<Pattern> node = Pattern::compile("node", target.node);
  if (!node) return node.error();
  Result<Pattern> service = Pattern::compile("service", target.service);
  if (!service) return service.error();
  Result<Pattern> tag = Pattern::compile("tag", target.tag);
  if (!tag) return tag.error();
  return Matcher(target, std::move(*node), std::move(*service), std::move(*tag));
}

bool Matcher::offers(const Service& service) const {
  if (!service_.matches(service.name)) return false;
  return target_.tag.empty() ||
         std::any_of(service.tags.begin(), service.tags.end(),
                     [&](const std::string& tag) { return tag_.matches(tag); });
}

void Matcher::each(Turn& turn, std::string_view from,
                   const std::function<bool(Node)>& visit) const {
  turn.nodes().scan({}, from, [&](std::string_view name, const Node& row) {
    if (!node_.matches(name)) return true;
    if (!target_.names.empty() &&
        std::find(target_.names.begin(), target_.names.end(), name) == target_.names.end())
      return true;
    Node whole = row;
    whole.services = services::of_node(turn, name);
    if (!target_.service.empty() &&
        std::none_of(whole.services.begin(), whole.services.end(),
                     [&](const Service& service) { return offers(service); }))
      return true;
    return visit(std::move(whole));
  });
}

Result<std::vector<Node>> matching(Turn& turn, const proto::exec::Target& target) {
  const Result<Matcher> matcher = Matcher::compile(target);
  if (!matcher) return matcher.error();
  std::vector<Node> found;
  matcher->each(turn, {}, [&](Node node) {
    found.push_back(std::move(node));
    return found.size() < limits::targets_max;
  });
  return found;
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

Result<proto::catalog::Listing> nodes(Turn& turn, const proto::catalog::Nodes& request) {
  proto::exec::Target target = request.matching;
  if (!request.name.empty()) target.names = {request.name};
  const Result<Matcher> matcher = Matcher::compile(target);
  if (!matcher) return matcher.error();
  proto::catalog::Listing listing{.nodes = {}, .rev = turn.last_rev(), .next = {}};
  std::size_t bytes = 0;
  matcher->each(turn, std::max(request.name, request.from), [&](Node node) {
    bytes += add_checks(turn, node);
    if (bytes > limits::reply_bytes_max && !listing.nodes.empty()) {
      listing.next = node.name;
      return false;
    }
    listing.nodes.push_back(std::move(node));
    return request.name.empty();
  });
  if (!request.name.empty() && listing.nodes.empty())
    return Error{Code::not_found, fmt::format("no node {}", request.name)};
  return listing;
}

}  // namespace muster::core::catalog
