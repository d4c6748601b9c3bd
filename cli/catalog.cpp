// catalog: nodes, services and datacenters with Consul's columns.
#include <algorithm>
#include <array>
#include <map>
#include <set>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "cli/catalog_read.hpp"
#include "cli/format.hpp"
#include "cli/nouns.hpp"
#include "cli/print.hpp"
#include "common/consul/consul_catalog.hpp"

namespace muster::cli {
namespace {

using proto::catalog::Node;
using proto::catalog::Service;

std::string pairs_of(const Json& object) {
  std::vector<std::string> words;
  for (const auto& [key, value] : object.items())
    words.push_back(fmt::format("{}={}", key, value.get<std::string>()));
  return fmt::format("{}", fmt::join(words, ", "));
}

bool offers(const Node& node, const std::string& service) {
  return std::any_of(node.services.begin(), node.services.end(),
                     [&](const Service& s) { return s.name == service; });
}

/// Errors: invalid (no KEY=VALUE).
Result<bool> has_meta(const Node& node, const std::vector<std::string>& wanted) {
  for (const std::string& entry : wanted) {
    const std::size_t equals = entry.find('=');
    if (equals == std::string::npos || equals == 0)
      return Error{Code::invalid, fmt::format("-node-meta is KEY=VALUE, not {}", entry)};
    const auto found = node.meta.find(entry.substr(0, equals));
    if (found == node.meta.end() || found->second != entry.substr(equals + 1)) return false;
  }
  return true;
}

constexpr Command::Text nodes_text = {.name = "catalog nodes",
                                      .arguments = "[options]",
                                      .about = "Lists the nodes with Consul's columns, up or down.",
                                      .examples =
                                          "  muster catalog nodes\n"
                                          "  muster catalog nodes -service=web -detailed\n"};

void add(Listing& listing, const Node& node, std::string_view cluster, bool detailed) {
  Json object = consul_node(node, cluster);
  if (detailed) {
    listing.rows.push_back({node.name, node.id, node.address, std::string(cluster),
                            pairs_of(object["TaggedAddresses"]), pairs_of(object["Meta"])});
  } else {
    listing.rows.push_back(
        {node.name, node.id.substr(0, node.id.find('-')), node.address, std::string(cluster)});
  }
  listing.objects.push_back(std::move(object));
}

Exit nodes(Arguments words) {
  Command command(nodes_text);
  Format format = Format::table;
  std::string service;
  std::vector<std::string> meta;
  bool detailed = false;
  command.timeout();
  command.format(format);
  command.text("service", service, "only those that offer this service", "NAME");
  command.texts("node-meta", meta, "only those with this meta; may be given again", "KEY=VALUE");
  command.flag("detailed", detailed, "with all addresses and meta");
  command.without_effect({"near"}, Takes::value);
  if (const auto exit = command.parse(words)) return *exit;
  if (!command.arguments().empty()) return command.misuse("takes no arguments");
  Inquiry broker(command.surroundings());
  const auto found = all_nodes(broker, {});
  if (!found) return broker.report("Error listing nodes: ", found.error());
  Listing listing{.header = {"Node", "ID", "Address", "DC"}, .rows = {}, .objects = {}};
  if (detailed) listing.header.insert(listing.header.end(), {"TaggedAddresses", "Meta"});
  for (const Node& node : *found) {
    const Result<bool> wanted = has_meta(node, meta);
    if (!wanted) return command.misuse(wanted.error().message);
    if (*wanted && (service.empty() || offers(node, service)))
      add(listing, node, broker.cluster(), detailed);
  }
  if (listing.rows.empty() && format == Format::table) {
    complain("No nodes match the given query - try expanding your search.");
    return Exit::ok;
  }
  print(format_listing(listing, format));
  return Exit::ok;
}

constexpr Command::Text services_text = {.name = "catalog services",
                                         .arguments = "[options]",
                                         .about = "Lists the names of the services, one a line.",
                                         .examples =
                                             "  muster catalog services -tags\n"
                                             "  muster catalog services -node=web1\n"};

/// As Go's tabwriter puts it: tags begin six blanks behind the longest name.
std::string lines_of(const Json& services, bool with_tags) {
  std::size_t width = 0;
  for (const auto& [name, tags] : services.items()) width = std::max(width, name.size() + 6);
  std::string out;
  for (const auto& [name, tags] : services.items()) {
    std::vector<std::string> words = tags.get<std::vector<std::string>>();
    std::sort(words.begin(), words.end());
    if (!with_tags || words.empty()) out += name + "\n";
    else out += fmt::format("{:<{}}{}\n", name, width, fmt::join(words, ","));
  }
  return out;
}

Exit services(Arguments words) {
  Command command(services_text);
  Format format = Format::table;
  proto::catalog::Nodes request;
  bool with_tags = false;
  command.timeout();
  command.format(format);
  command.text("node", request.name, "only those of this node", "NAME");
  command.flag("tags", with_tags, "with the tags of all their instances");
  if (const auto exit = command.parse(words)) return *exit;
  if (!command.arguments().empty()) return command.misuse("takes no arguments");
  Inquiry broker(command.surroundings());
  const auto found = all_nodes(broker, request);
  if (!found) return broker.report("Error listing services: ", found.error());
  const Json all = consul_services(*found);
  if (format == Format::json) {
    print_line(indented(all));
  } else if (format == Format::jsonl) {
    for (const auto& [name, tags] : all.items())
      print_line(compact({{"Name", name}, {"Tags", tags}}));
  } else if (all.empty()) {
    complain("No services match the given query - try expanding your search.");
  } else {
    print(lines_of(all, with_tags));
  }
  return Exit::ok;
}

constexpr Command::Text datacenters_text = {
    .name = "catalog datacenters",
    .arguments = "[options]",
    .about = "Says the cluster's name, which is what Consul calls the datacenter.",
    .examples = "  muster catalog datacenters\n"};

Exit datacenters(Arguments words) {
  Command command(datacenters_text);
  Format format = Format::table;
  command.timeout();
  command.format(format);
  if (const auto exit = command.parse(words)) return *exit;
  if (!command.arguments().empty()) return command.misuse("takes no arguments");
  Inquiry broker(command.surroundings());
  const auto pong = broker.ask(proto::session::Ping{});
  if (!pong) return broker.report("Error listing datacenters: ", pong.error());
  const std::string cluster(broker.cluster());
  if (format == Format::json) print_line(indented(Json::array({cluster})));
  else if (format == Format::jsonl) print_line(compact(cluster));
  else print_line(cluster);
  return Exit::ok;
}

constexpr std::array verbs = {
    Verb{"nodes", &nodes, "the nodes"},
    Verb{"services", &services, "the names of the services"},
    Verb{"datacenters", &datacenters, "the cluster's name"},
};

}  // namespace

constinit const Noun catalog_noun = {
    .name = "catalog", .about = "nodes and services with Consul's columns", .verbs = verbs};

}  // namespace muster::cli
