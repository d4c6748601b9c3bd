// service: what the nodes offer: listed, and shown with health.
#include <algorithm>
#include <array>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "cli/catalog_read.hpp"
#include "cli/node.hpp"
#include "cli/nouns.hpp"
#include "cli/print.hpp"
#include "cli/service_define.hpp"
#include "common/consul/consul_catalog.hpp"

namespace muster::cli {
namespace {

using proto::catalog::Node;
using proto::catalog::Service;

std::string address_of(const Node& node, const Service& service) {
  const std::string address = service.address.empty() ? node.address : service.address;
  return service.port == 0 ? address : fmt::format("{}:{}", address, service.port);
}

std::string tags_of(const Service& service) {
  return service.tags.empty() ? "-" : fmt::format("{}", fmt::join(service.tags, ","));
}

/// As everybody sees it who asks for a service that works.
std::string status_of(const Node& node, const Service& service) {
  const auto checks = muster::checks_of(node, service);
  const bool maintenance = std::any_of(checks.begin(), checks.end(), [](const auto* check) {
    return check->id == proto::health::node_maintenance_id ||
           check->id.starts_with(proto::health::service_maintenance_prefix);
  });
  if (!node.up) return "down";
  return maintenance ? "maintenance" : std::string(worst_status(checks));
}

Listing listing_of(const std::vector<Node>& nodes) {
  Listing listing{
      .header = {"Service", "ID", "Node", "Status", "Address", "Tags"}, .rows = {}, .objects = {}};
  for (const Node& node : nodes) {
    for (const Service& service : node.services) {
      const std::string status = status_of(node, service);
      listing.rows.push_back({service.name, service.id, node.name, status,
                              address_of(node, service), tags_of(service)});
      Json object = json_of_service(service);
      object["node"] = node.name;
      object["up"] = node.up;
      object["status"] = status;
      listing.objects.push_back(std::move(object));
    }
  }
  return listing;
}

void only(std::vector<Node>& nodes, std::string_view name) {
  for (Node& node : nodes) {
    std::erase_if(node.services, [&](const Service& service) { return service.name != name; });
  }
}

constexpr Command::Text list_text = {
    .name = "service list",
    .arguments = "[options] [NAME]",
    .about =
        "Lists the services of all nodes, or the instances of one. The status is the worst of its "
        "checks and its\nnode's; `down` and `maintenance` say why that is critical.",
    .examples =
        "  muster service list\n"
        "  muster service list web\n"
        "  muster service list -format=jsonl | jq -r 'select(.status == \"passing\") | .node'\n"};

Exit list(Arguments words) {
  Command command(list_text);
  Format format = Format::table;
  command.timeout();
  command.format(format);
  if (const auto exit = command.parse(words)) return *exit;
  if (command.arguments().size() > 1) return command.misuse("takes one NAME at most");
  Inquiry broker(command.surroundings());
  auto nodes = all_nodes(broker, {});
  if (!nodes) return broker.report("muster service list: ", nodes.error());
  if (!command.arguments().empty()) only(*nodes, command.arguments()[0]);
  print(format_listing(listing_of(*nodes), format));
  return Exit::ok;
}

constexpr Command::Text show_text = {
    .name = "service show",
    .arguments = "[options] NAME",
    .about =
        "Shows the instances of a service with their checks. JSON has the shape of Consul's "
        "health/service/NAME.",
    .examples =
        "  muster service show web\n"
        "  muster service show web -format=json | jq -r '.[].Service.Address'\n"};

Listing health_of(const std::vector<Node>& nodes, std::string_view cluster) {
  Listing listing{
      .header = {"Node", "ID", "Address", "Check", "Status", "Output"}, .rows = {}, .objects = {}};
  for (const Node& node : nodes) {
    for (const Service& service : node.services) {
      for (const proto::health::Check* check : muster::checks_of(node, service)) {
        listing.rows.push_back({node.name, service.id, address_of(node, service), check->id,
                                check->status, shown_output(*check)});
      }
      listing.objects.push_back(consul_instance(node, service, cluster));
    }
  }
  return listing;
}

Exit show(Arguments words) {
  Command command(show_text);
  Format format = Format::table;
  command.timeout();
  command.format(format);
  if (const auto exit = command.parse(words)) return *exit;
  if (command.arguments().size() != 1) return command.misuse("takes one NAME");
  Inquiry broker(command.surroundings());
  auto nodes = all_nodes(broker, {});
  if (!nodes) return broker.report("muster service show: ", nodes.error());
  only(*nodes, command.arguments()[0]);
  const Listing listing = health_of(*nodes, broker.cluster());
  if (listing.objects.empty()) {
    complain(fmt::format("muster service show: no service {}", command.arguments()[0]));
    return Exit::not_found;
  }
  print(format_listing(listing, format));
  return Exit::ok;
}

constexpr std::array verbs = {
    Verb{"register", &register_service, "define services and checks on a node"},
    Verb{"deregister", &deregister_service, "take them away"},
    Verb{"list", &list, "which services there are, where, and how they are"},
    Verb{"show", &show, "one service with all its checks"},
};

}  // namespace

constinit const Noun service_noun = {
    .name = "service", .about = "what the nodes offer", .verbs = verbs};
constinit const Noun services_noun = {
    .name = "services", .about = "the same, as Consul calls it", .verbs = verbs};

}  // namespace muster::cli
