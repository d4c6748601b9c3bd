// service: what the nodes offer.
#include <array>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "cli/inquiry.hpp"
#include "cli/node.hpp"
#include "cli/nouns.hpp"
#include "cli/print.hpp"
#include "common/protocol/catalog.hpp"

namespace muster::cli {
namespace {

Listing listing_of(const std::vector<proto::catalog::Node>& nodes) {
  Listing listing{
      .header = {"Service", "Node", "Status", "Address", "Tags"}, .rows = {}, .objects = {}};
  for (const proto::catalog::Node& node : nodes) {
    for (const proto::catalog::Service& service : node.services) {
      const std::string address = service.address.empty() ? node.address : service.address;
      listing.rows.push_back(
          {service.name, node.name, node.up ? "up" : "down",
           service.port == 0 ? address : fmt::format("{}:{}", address, service.port),
           service.tags.empty() ? "-" : fmt::format("{}", fmt::join(service.tags, ","))});
      Json object = json_of_service(service);
      object["node"] = node.name;
      object["up"] = node.up;
      listing.objects.push_back(std::move(object));
    }
  }
  return listing;
}

constexpr Command::Text list_text = {
    .name = "service list",
    .arguments = "[options] [NAME]",
    .about = "Lists the services of all nodes, up or down, or the instances of one.",
    .examples =
        "  muster service list\n"
        "  muster service list web\n"
        "  muster service list -format=jsonl | jq -r 'select(.up) | .node'\n"};

Exit list(Arguments words) {
  Command command(list_text);
  Format format = Format::table;
  command.timeout();
  command.format(format);
  if (const auto exit = command.parse(words)) return *exit;
  if (command.arguments().size() > 1) return command.misuse("takes one NAME at most");
  Inquiry broker(command.surroundings());
  auto found = broker.ask(proto::catalog::Nodes{});
  if (!found) return broker.report("muster service list: ", found.error());
  if (!command.arguments().empty()) {
    for (proto::catalog::Node& node : found->nodes) {
      std::erase_if(node.services,
                    [&](const auto& service) { return service.name != command.arguments()[0]; });
    }
  }
  print(format_listing(listing_of(found->nodes), format));
  return Exit::ok;
}

constexpr std::array verbs = {Verb{"list", &list, "which services there are, and where"}};

}  // namespace

constinit const Noun service_noun = {
    .name = "service", .about = "what the nodes offer", .verbs = verbs};

}  // namespace muster::cli
