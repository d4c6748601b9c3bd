// catalog: nodes and what they offer (messages: common/protocol/catalog.hpp).
//
//   (unknown) -- register --> up       its services are on record, its tasks are compared with ours
//   up   -- presence(down) --> down    its process is gone; its unfinished tasks are lost
//   down -- register | presence(up) --> up
//   up   -- register, same id --> up   a new connection takes over, the old one is told node.gone
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "broker/core/patterns.hpp"
#include "broker/core/turn.hpp"
#include "common/protocol/catalog.hpp"

namespace muster::core::catalog {

Result<proto::catalog::Registered> enrol(Turn& turn, const proto::catalog::Register& request);
Result<proto::Empty> presence(Turn& turn, const proto::catalog::Presence& request);
Result<proto::catalog::Listing> nodes(Turn& turn, const proto::catalog::Nodes& request);

/// What a target means: which nodes.
class Matcher {
 public:
  /// Errors: invalid (a pattern, a tag without a service).
  static Result<Matcher> compile(const proto::exec::Target& target);

  /// Those that match, with their services, by name from `from` on, until `visit` returns false.
  void each(Turn& turn, std::string_view from,
            const std::function<bool(proto::catalog::Node)>& visit) const;

 private:
  Matcher(proto::exec::Target target, Pattern node, Pattern service, Pattern tag)
      : target_(std::move(target)),
        node_(std::move(node)),
        service_(std::move(service)),
        tag_(std::move(tag)) {}
  bool offers(const proto::catalog::Service& service) const;

  proto::exec::Target target_;
  Pattern node_;
  Pattern service_;
  Pattern tag_;
};

/// The nodes that a target means, with their services, up or not. Errors: invalid (a pattern).
Result<std::vector<proto::catalog::Node>> matching(Turn& turn, const proto::exec::Target& target);

/// The node that speaks on the caller's connection. Errors: denied (it has not registered).
Result<std::string> node_of(const Turn& turn);

}  // namespace muster::core::catalog
