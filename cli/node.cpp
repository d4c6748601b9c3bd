// node: the machines of the fleet.
#include "cli/node.hpp"

#include <array>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "cli/catalog_read.hpp"
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

Json json_of_check(const proto::health::Check& check) {
  return {{"id", check.id},         {"name", check.name},
          {"status", check.status}, {"since_ms", check.since_ms},
          {"notes", check.notes},   {"output", check.output.view()},
          {"type", check.type},     {"service", check.service_id},
          {"owner", check.owner}};
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
  Json checks = Json::array();
  for (const proto::health::Check& check : node.checks) checks.push_back(json_of_check(check));
  return {{"name", node.name},
          {"id", node.id},
          {"address", node.address},
          {"up", node.up},
          {"since_ms", node.since_ms},
          {"tags", node.tags},
          {"meta", node.meta},
          {"version", node.version},
          {"state", state_of(node)},
          {"health", sum_of(checks_of(node))},
          {"problem", node.problem},
          {"create_rev", node.create_rev.value},
          {"mod_rev", node.mod_rev.value},
          {"services", services},
          {"checks", checks}};
}

Listing listing_of(const std::vector<Node>& nodes) {
  Listing listing{.header = {"Node", "Status", "Health", "Since", "Address", "Services", "Version"},
                  .rows = {},
                  .objects = {}};
  for (const Node& node : nodes) {
    listing.rows.push_back({node.name, std::string(state_of(node)), sum_of(checks_of(node)),
                            since(node), node.address.empty() ? "-" : node.address,
                            services_of(node), node.version.empty() ? "-" : node.version});
    listing.objects.push_back(json_of(node));
  }
  return listing;
}

/// A node whose newest definitions are wrong goes on with the old ones; that must not stay unseen.
void complain_of_problems(const std::vector<Node>& nodes) {
  for (const Node& node : nodes) {
    if (!node.problem.empty())
      complain(fmt::format("node {} keeps its old definitions: {}", node.name, node.problem));
  }
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
  const auto nodes = all_nodes(broker, request);
  if (!nodes) return broker.report("muster node list: ", nodes.error());
  print(format_listing(listing_of(*nodes), format));
  complain_of_problems(*nodes);
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
  complain_of_problems(found->nodes);
  return Exit::ok;
}

constexpr Command::Text forget_text = {
    .name = "node forget",
    .arguments = "[options] NAME",
    .about =
        "Forgets a node that is down, with its services and checks. One that is up is stopped "
        "first; it would\nonly come back.",
    .examples = "  muster node forget web1\n"};

Exit forget(Arguments words) {
  Command command(forget_text);
  command.timeout();
  if (const auto exit = command.parse(words)) return *exit;
  if (command.arguments().size() != 1) return command.misuse("takes one NAME");
  Inquiry broker(command.surroundings());
  const auto gone = broker.ask(proto::catalog::Forget{.node = command.arguments()[0]});
  if (!gone) return broker.report("muster node forget: ", gone.error());
  print_line(fmt::format("Forgot node: {}", command.arguments()[0]));
  return Exit::ok;
}

constexpr std::array verbs = {
    Verb{"list", &list, "which nodes there are, and whether they are up"},
    Verb{"show", &show, "all that is known of one"},
    Verb{"forget", &forget, "forget one that is down for good"},
};

}  // namespace

Json json_of_service(const proto::catalog::Service& service) {
  return {{"id", service.id},           {"name", service.name}, {"tags", service.tags},
          {"address", service.address}, {"port", service.port}, {"meta", service.meta},
          {"owner", service.owner}};
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
