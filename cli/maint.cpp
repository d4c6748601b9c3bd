// maint: maintenance of a node or of one of its services.
#include <fmt/format.h>

#include "cli/catalog_read.hpp"
#include "cli/format.hpp"
#include "cli/nouns.hpp"
#include "cli/print.hpp"
#include "common/consul/consul_catalog.hpp"

namespace muster::cli {
namespace {

using proto::health::Check;
using proto::health::Maintain;

constexpr Command::Text maint_text = {
    .name = "maint",
    .arguments = "[options]",
    .about =
        "Takes a node, or one of its services, out of service, or back; without -enable and "
        "-disable it lists\nwhat is in maintenance. It is a critical check: watches, lists and "
        "load balancers see it.",
    .examples =
        "  muster maint -enable -reason=\"new disk\"\n"
        "  muster maint -enable -node=web1 -service=web\n"
        "  muster maint -all\n"};

bool is_maintenance(const Check& check) {
  return check.id == proto::health::node_maintenance_id ||
         check.id.starts_with(proto::health::service_maintenance_prefix);
}

void print_maintenance(const Check& check, bool with_node) {
  const bool of_node = check.service_id.empty();
  print_line(of_node ? "Node:" : "Service:");
  if (!of_node) print_line(fmt::format("  ID:     {}", check.service_id));
  if (of_node || with_node)
    print_line(fmt::format("  {} {}", of_node ? "Name:  " : "Node:  ", check.node));
  print_line(fmt::format("  Reason: {}", check.notes));
  print_line("");
}

Exit list(Inquiry& broker, const std::string& node, bool all, Format format) {
  const auto checks = all_checks(broker, {.node = all ? "" : node, .service = {}, .state = {}});
  if (!checks) return broker.report("muster maint: ", checks.error());
  if (!all && checks->empty()) {
    complain(fmt::format("muster maint: no node {} (-node=NAME names one, -all lists all)", node));
    return Exit::not_found;
  }
  Listing listing;
  for (const Check& check : *checks) {
    if (!is_maintenance(check)) continue;
    if (format == Format::table) print_maintenance(check, all);
    listing.objects.push_back(consul_check(check));
  }
  if (format != Format::table) print(format_listing(listing, format));
  return Exit::ok;
}

Exit change(Inquiry& broker, const Maintain& request) {
  const std::string_view what = request.service.empty() ? "node" : "service";
  const auto done = broker.ask(request);
  if (!done) {
    return broker.report(
        fmt::format("Error {} {} maintenance: ", request.enable ? "enabling" : "disabling", what),
        done.error());
  }
  const std::string_view now = request.enable ? "enabled" : "disabled";
  if (request.service.empty()) print_line(fmt::format("Node maintenance is now {}", now));
  else print_line(fmt::format("Service maintenance is now {} for \"{}\"", now, request.service));
  return Exit::ok;
}

Exit maint(Arguments words) {
  Command command(maint_text);
  Maintain request;
  Format format = Format::table;
  bool disable = false;
  bool all = false;
  command.timeout();
  command.format(format);
  command.flag("enable", request.enable, "into maintenance");
  command.flag("disable", disable, "back into service");
  command.text("reason", request.reason, "with -enable: why", "TEXT");
  command.text("service", request.service, "this service only, by its id", "ID");
  command.flag("all", all, "list what is in maintenance on any node");
  add_this_node(command, request.node, "which node");
  if (const auto exit = command.parse(words)) return *exit;
  if (!command.arguments().empty()) return command.misuse("takes no arguments");
  if (request.enable && disable)
    return command.misuse_as_consul("Only one of -enable or -disable may be provided");
  if (!request.enable && !request.reason.empty())
    return command.misuse_as_consul("Reason may only be provided with -enable");
  if (!request.enable && !disable && !request.service.empty())
    return command.misuse_as_consul("Service requires either -enable or -disable");
  Inquiry broker(command.surroundings());
  if (request.enable || disable) return change(broker, request);
  return list(broker, request.node, all, format);
}

}  // namespace

constinit const Noun maint_noun = {
    .name = "maint", .about = "maintenance of a node or a service", .verbs = {}, .usual = &maint};

}  // namespace muster::cli
