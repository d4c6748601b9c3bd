// node: the machines of the fleet.
#include "cli/node.hpp"

#include <array>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "cli/duration.hpp"
#include "cli/inquiry.hpp"
#include "cli/nouns.hpp"
#include "cli/print.hpp"
#include "common/protocol/catalog.hpp"

namespace muster::cli {
namespace {

using proto::catalog::Node;

std::string since(const Node& node) {
  const std::uint64_t now = WallTime::now().ms;
  const std::uint64_t age = now > node.since_ms ? now - node.since_ms : 0;
  return node.since_ms == 0 ? "-" : format_age(milliseconds(static_cast<std::int64_t>(age)));
}

std::string services_of(const Node& node) {
  std::vector<std::string> names;
  for (const proto::catalog::Service& service : node.services) names.push_back(service.name);
  return names.empty() ? "-" : fmt::format("{}", fmt::join(names, ","));
}

Json json_of(const Node& node) {
  Json services = Json::array();
  for (const proto::catalog::Service& service : node.services)
    services.push_back(json_of_service(service));
  return {{"name", node.name},
          {"id", node.id},
          {"address", node.address},
          {"up", node.up},
          {"since_ms", node.since_ms},
          {"tags", node.tags},
          {"meta", node.meta},
          {"version", node.version},
          {"create_rev", node.create_rev.value},
          {"mod_rev", node.mod_rev.value},
          {"services", services}};
}

Listing listing_of(const std::vector<Node>& nodes) {
  Listing listing{.header = {"Node", "Status", "Since", "Address", "Services", "Version"},
                  .rows = {},
                  .objects = {}};
  for (const Node& node : nodes) {
    listing.rows.push_back({node.name, node.up ? "up" : "down", since(node),
                            node.address.empty() ? "-" : node.address, services_of(node),
                            node.version.empty() ? "-" : node.version});
    listing.objects.push_back(json_of(node));
  }
  return listing;
}

constexpr Command::Text list_text = {
    .name = "node list",
    .arguments = "[options]",
    .about = "Lists the nodes, up or down. -node, -service and -tag choose as for `muster exec`.",
    .examples =
        "  muster node list\n"
        "  muster node list -service=web -format=json\n"};

Exit list(Arguments words) {
  Command command(list_text);
  Format format = Format::table;
  proto::catalog::Nodes request;
  command.timeout();
  command.format(format);
  add_target(command, request.matching);
  if (const auto exit = command.parse(words)) return *exit;
  if (!command.arguments().empty())
    return command.misuse("takes no arguments (muster node show NAME shows one)");
  Inquiry broker(command.surroundings());
  const auto found = broker.ask(request);
  if (!found) return broker.report("muster node list: ", found.error());
  print(format_listing(listing_of(found->nodes), format));
  return Exit::ok;
}

constexpr Command::Text show_text = {.name = "node show",
                                     .arguments = "[options] NAME",
                                     .about = "Shows all that is known of a node, as JSON.",
                                     .examples = "  muster node show web1\n"};

Exit show(Arguments words) {
  Command command(show_text);
  Format format = Format::json;
  command.timeout();
  command.format(format);
  if (const auto exit = command.parse(words)) return *exit;
  if (command.arguments().size() != 1) return command.misuse("takes one NAME");
  Inquiry broker(command.surroundings());
  const auto found =
      broker.ask(proto::catalog::Nodes{.name = command.arguments()[0], .matching = {}});
  if (!found) return broker.report("muster node show: ", found.error());
  print(format_one(listing_of(found->nodes), format));
  return Exit::ok;
}

constexpr std::array verbs = {
    Verb{"list", &list, "which nodes there are, and whether they are up"},
    Verb{"show", &show, "all that is known of one"},
};

}  // namespace

Json json_of_service(const proto::catalog::Service& service) {
  return {{"id", service.id},           {"name", service.name}, {"tags", service.tags},
          {"address", service.address}, {"port", service.port}, {"meta", service.meta}};
}

void add_target(Command& command, proto::exec::Target& target) {
  command.text("node", target.node,
               "nodes whose name matches this regular expression (RE2, unanchored)", "REGEX");
  command.text("service", target.service, "nodes with a service whose name matches", "REGEX");
  command.text("tag", target.tag, "and of which a tag matches; with -service", "REGEX");
}

constinit const Noun node_noun = {
    .name = "node", .about = "the machines of the fleet", .verbs = verbs};

}  // namespace muster::cli
