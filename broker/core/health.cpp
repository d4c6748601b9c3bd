// health: see health.hpp.
#include "broker/core/health.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "broker/core/catalog.hpp"
#include "broker/core/checks.hpp"
#include "broker/core/definitions.hpp"
#include "broker/core/services.hpp"

namespace muster::core::health {
namespace {

using checks::Check;

Error no_status(const std::string& text) {
  return Error{Code::invalid,
               fmt::format("a status is passing, warning or critical, not '{}'", text)};
}

Result<Check> find(Turn& turn, const std::string& node, const std::string& id) {
  auto check = turn.checks().get(state::joined(node, id));
  if (check) return *std::move(check);
  return Error{Code::not_found, fmt::format("no check {} on node {}", id, node)};
}

/// Whether it is over by now; a proposal may have been overtaken.
bool over(const Turn& turn, const Check& check, CheckWait wait) {
  const auto& clocks = turn.memory().check_clocks;
  const auto clock = clocks.find({state::joined(check.node, check.id), wait});
  return clock != clocks.end() && clock->second.since + clock->second.length <= turn.now();
}

/// All of a node, its liveness among them, by id.
std::vector<Check> all_of(Turn& turn, const proto::catalog::Node& node) {
  std::vector<Check> all = checks::of_node(turn, node.name);
  all.push_back(checks::liveness(node));
  std::sort(all.begin(), all.end(), [](const Check& a, const Check& b) { return a.id < b.id; });
  return all;
}

Check maintenance_of(const proto::health::Maintain& request) {
  const std::string_view what = request.service.empty() ? "node" : "service";
  Check check;
  check.node = request.node;
  check.owner = checks::by_api;
  check.service_id = request.service;
  check.id = request.service.empty()
                 ? std::string(proto::health::node_maintenance_id)
                 : fmt::format("{}{}", proto::health::service_maintenance_prefix, request.service);
  check.name = request.service.empty() ? "Node Maintenance Mode" : "Service Maintenance Mode";
  check.notes = !request.reason.empty()
                    ? request.reason
                    : fmt::format(
                          "Maintenance mode is enabled for this {}, but no reason was "
                          "provided. This is a default message.",
                          what);
  return check;
}

}  // namespace

Result<proto::Empty> report(Turn& turn, const proto::health::Report& request) {
  const Result<std::string> node = catalog::node_of(turn);
  if (!node) return node.error();
  for (const proto::health::Finding& finding : request.findings) {
    if (!proto::offers::is_status(finding.status)) return no_status(finding.status);
    const auto check = turn.checks().get(state::joined(*node, finding.id));
    if (!check || !checks::is_run(*check)) continue;  // taken away meanwhile
    checks::tell(turn, *check, finding.status);
    checks::keep_output(turn, *check, finding.output.view());
  }
  return proto::Empty{};
}

Result<proto::Empty> update(Turn& turn, const proto::health::Update& request) {
  if (!proto::offers::is_status(request.status)) return no_status(request.status);
  const Result<Check> check = find(turn, request.node, request.check);
  if (!check) return check.error();
  if (check->definition.ttl_ms == 0) {
    return Error{Code::invalid, fmt::format("check {} has no TTL: it is not told, it is looked at",
                                            request.check)};
  }
  checks::tell(turn, *check, request.status);
  checks::keep_output(turn, *check, request.output.view());
  turn.then([due = CheckDue{state::joined(request.node, request.check), CheckWait::told},
             now = turn.now()](Memory& memory) {
    const auto clock = memory.check_clocks.find({due.check, due.wait});
    if (clock == memory.check_clocks.end()) return;
    CheckClock anew = clock->second;
    anew.since = now;
    memory.start_clock(due, anew);
  });
  return proto::Empty{};
}

Result<proto::Empty> expire(Turn& turn, const proto::health::Expire& request) {
  const Result<Check> check = find(turn, request.node, request.check);
  if (!check) return check.error();
  if (!over(turn, *check, CheckWait::told))
    return Error{Code::conflict, "it was told of meanwhile"};
  checks::tell(turn, *check, proto::health::critical);
  checks::keep_output(turn, *check, "TTL expired");
  return proto::Empty{};
}

Result<proto::Empty> abandon(Turn& turn, const proto::health::Abandon& request) {
  const Result<Check> check = find(turn, request.node, request.check);
  if (!check) return check.error();
  const auto service = turn.services().get(state::joined(request.node, check->service_id));
  if (!service || check->status != proto::health::critical ||
      !over(turn, *check, CheckWait::recovery))
    return Error{Code::conflict, "it has recovered meanwhile"};
  services::erase(turn, request.node, *service, checks::of_node(turn, request.node));
  definitions::hand_out(turn, request.node);
  return proto::Empty{};
}

Result<proto::Empty> maintain(Turn& turn, const proto::health::Maintain& request) {
  if (!turn.nodes().get(request.node))
    return Error{Code::not_found, fmt::format("no node {}", request.node)};
  if (!request.service.empty() &&
      !turn.services().get(state::joined(request.node, request.service))) {
    return Error{Code::not_found,
                 fmt::format("No service registered with ID \"{}\"", request.service)};
  }
  if (request.reason.size() > limits::check_output_bytes) {
    return Error{Code::too_large, fmt::format("the reason has {} bytes, at most {} are taken",
                                              request.reason.size(), limits::check_output_bytes)};
  }
  const Check check = maintenance_of(request);
  if (request.enable) {
    if (const Result<bool> put = checks::put(turn, check); !put) return put.error();
    return proto::Empty{};
  }
  const auto present = turn.checks().get(state::joined(check.node, check.id));
  if (present) checks::erase(turn, *present);
  return proto::Empty{};
}

Result<proto::health::Listing> list(Turn& turn, const proto::health::List& request) {
  if (!request.state.empty() && request.state != "any" && !proto::offers::is_status(request.state))
    return no_status(request.state);
  const auto wanted = [&](const Check& check) {
    return (request.service.empty() || check.service_name == request.service) &&
           (request.state.empty() || request.state == "any" || check.status == request.state);
  };
  proto::health::Listing listing{.checks = {}, .rev = turn.last_rev(), .next = {}};
  std::size_t bytes = 0;
  const std::string first = request.from.substr(0, request.from.find('\0'));
  turn.nodes().scan(request.node, std::max(request.node, first),
                    [&](std::string_view name, const state::NodeRow& node) {
                      if (!request.node.empty() && name != request.node) return false;
                      for (Check& check : all_of(turn, node)) {
                        const std::string key = state::joined(name, check.id);
                        if (key < request.from || !wanted(check)) continue;
                        checks::add_output(turn, check);
                        bytes += proto::offers::weight(check);
                        if (bytes > limits::reply_bytes_max && !listing.checks.empty()) {
                          listing.next = key;
                          return false;
                        }
                        listing.checks.push_back(std::move(check));
                      }
                      return true;
                    });
  return listing;
}

}  // namespace muster::core::health
