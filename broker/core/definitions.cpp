// definitions: see definitions.hpp.
#include "broker/core/definitions.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "broker/core/rights.hpp"
#include "broker/core/services.hpp"

namespace muster::core::definitions {
namespace {

using checks::Check;
using proto::catalog::Service;

Error no_node(const std::string& name) {
  return Error{Code::not_found, fmt::format("no node {}", name)};
}

Error of_a_file(std::string_view what, const std::string& id, const std::string& node) {
  return Error{Code::conflict, fmt::format("{} {} is defined in a file of node {}", what, id, node),
               "change the file, then muster reload"};
}

Error broken(std::string_view what, const std::string& id, const proto::offers::Breach& breach) {
  return Error{Code::invalid, fmt::format("{} {}: {}{}", what, id,
                                          breach.key.empty() ? "" : breach.key + " ", breach.rule)};
}

/// What a program is run for needs the right to run programs.
std::optional<Error> denied(const Turn& turn, const std::vector<Check>& checks) {
  const auto command = std::find_if(checks.begin(), checks.end(), checks::is_command);
  const std::string& who = turn.caller().request.principal;
  if (command == checks.end() || may(who, Right::exec)) return std::nullopt;
  return Error{Code::denied,
               fmt::format("{} may not run commands, so it may not define check {} either", who,
                           command->id)};
}

}  // namespace

std::optional<Error> wrong_offers(const std::vector<Service>& services,
                                  const std::vector<Check>& checks) {
  for (const Service& service : services) {
    if (const auto breach = proto::offers::breach(service))
      return broken("service", service.id, *breach);
  }
  for (const Check& check : checks) {
    if (const auto breach = proto::offers::breach(check)) return broken("check", check.id, *breach);
  }
  return std::nullopt;
}

Result<Done> fits(Turn& turn, std::string_view node) {
  const auto breach =
      proto::offers::breach(services::of_node(turn, node), checks::of_node(turn, node));
  if (breach) return Error{Code::too_large, fmt::format("node {}: {}", node, breach->rule)};
  return Done{};
}

void hand_out(Turn& turn, const std::string& node) {
  turn.send(node, {}, proto::catalog::Take{.checks = checks::for_node(turn, node)});
}

Result<proto::catalog::Defined> define(Turn& turn, const proto::catalog::Define& request) {
  if (!turn.nodes().get(request.node)) return no_node(request.node);
  if (const auto error = wrong_offers(request.services, request.checks)) return *error;
  if (const auto error = denied(turn, request.checks)) return *error;
  bool changed = false;
  for (Service service : request.services) {
    const auto before = turn.services().get(state::joined(request.node, service.id));
    if (before && before->owner != checks::by_api)
      return of_a_file("service", service.id, request.node);
    service.owner = checks::by_api;
    changed = services::put(turn, request.node, std::move(service)) || changed;
  }
  bool handed_out = false;
  for (Check check : request.checks) {
    const auto before = turn.checks().get(state::joined(request.node, check.id));
    if (before && before->owner != checks::by_api)
      return of_a_file("check", check.id, request.node);
    check.node = request.node;
    check.owner = checks::by_api;
    const Result<bool> put = checks::put(turn, std::move(check));
    if (!put) return put.error();
    handed_out = *put || handed_out;
  }
  if (!changed && !handed_out)
    return proto::catalog::Defined{.rev = turn.last_rev(), .unchanged = true};
  if (const Result<Done> room = fits(turn, request.node); !room) return room.error();
  if (handed_out) hand_out(turn, request.node);
  return proto::catalog::Defined{.rev = turn.rev(), .unchanged = false};
}

Result<proto::catalog::Undefined> undefine(Turn& turn, const proto::catalog::Undefine& request) {
  if (!turn.nodes().get(request.node)) return no_node(request.node);
  std::uint64_t count = 0;
  if (!request.service.empty()) {
    const auto service = turn.services().get(state::joined(request.node, request.service));
    if (service && service->owner != checks::by_api)
      return of_a_file("service", service->id, request.node);
    if (service)
      count += services::erase(turn, request.node, *service, checks::of_node(turn, request.node));
  }
  if (!request.check.empty()) {
    const auto check = turn.checks().get(state::joined(request.node, request.check));
    if (check && check->owner != checks::by_api) return of_a_file("check", check->id, request.node);
    if (check) {
      checks::erase(turn, *check);
      ++count;
    }
  }
  if (count == 0) return proto::catalog::Undefined{.rev = turn.last_rev(), .count = 0};
  hand_out(turn, request.node);
  return proto::catalog::Undefined{.rev = turn.rev(), .count = count};
}

Result<proto::Empty> forget(Turn& turn, const proto::catalog::Forget& request) {
  const auto node = turn.nodes().get(request.node);
  if (!node) return no_node(request.node);
  if (node->up) {
    return Error{Code::conflict, fmt::format("node {} is up", request.node),
                 "stop its muster-node first; it would only register again"};
  }
  for (const Check& check : checks::of_node(turn, request.node)) checks::erase(turn, check);
  for (const Service& service : services::of_node(turn, request.node))
    services::erase(turn, request.node, service, {});
  turn.nodes().erase(request.node);
  turn.touch("nodes");
  turn.touch("checks");
  turn.touch("node:", request.node);
  return proto::Empty{};
}

Result<ParkedLater> reload(Turn& turn, const proto::catalog::Reload& request) {
  const auto node = turn.nodes().get(request.node);
  if (!node) return no_node(request.node);
  if (!node->up || !turn.ask(request.node, proto::catalog::ReadAgain{.node = request.node}))
    return Error{Code::unavailable, fmt::format("node {} is down", request.node)};
  return turn.park("node " + request.node);
}

void reloaded(Turn& turn, const state::RequestId& asker, std::string_view body) {
  const auto said = codec::decode<proto::catalog::Reloaded>(body);
  if (said) turn.answer(asker, *said);
  else turn.refuse(asker, {Code::internal, "the node's answer cannot be read"});
}

}  // namespace muster::core::definitions
