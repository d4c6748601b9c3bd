// consul_catalog: nodes, services and checks as Consul's watch and API write them, to the byte.
//
// The catalog's names are Consul's: `Datacenter` is the cluster's name, the revisions of a row are
// its indexes.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "common/consul/json.hpp"
#include "common/protocol/catalog.hpp"

namespace muster {

/// `{"ID":…,"Node":…,"Address":…,"Datacenter":…,"TaggedAddresses":…,"Meta":…,"CreateIndex":…,
/// "ModifyIndex":…}`
Json consul_node(const proto::catalog::Node& node, std::string_view cluster);

/// `{"ID":…,"Service":…,"Tags":…,"Meta":…,"Port":…,"Address":…,"Weights":…,"EnableTagOverride":…,
/// "CreateIndex":…,"ModifyIndex":…,"Proxy":…,"Connect":…}`
Json consul_service(const proto::catalog::Service& service);

/// `{"Node":…,"CheckID":…,"Name":…,"Status":…,"Notes":…,"Output":…,"ServiceID":…,"ServiceName":…,
/// "ServiceTags":…,"Type":…,"Definition":…,"CreateIndex":…,"ModifyIndex":…}`
Json consul_check(const proto::health::Check& check);

/// `{"Node":…,"Service":…,"Checks":[…]}`: the node's own checks, then the service's.
Json consul_instance(const proto::catalog::Node& node, const proto::catalog::Service& service,
                     std::string_view cluster);

/// `{"db":["master"],"web":["primary","v1"]}`: every service with the tags of all its instances.
Json consul_services(const std::vector<proto::catalog::Node>& nodes);

/// The checks of the node itself, of which `serfHealth` is one, and of one of its services.
std::vector<const proto::health::Check*> checks_of(const proto::catalog::Node& node,
                                                   const proto::catalog::Service& service);

/// The worst of them; none: passing.
std::string_view worst_status(const std::vector<const proto::health::Check*>& checks);

/// As Go writes a duration: "0s", "500ms", "1m0s", "1.5s".
std::string go_duration(std::uint64_t ms);

}  // namespace muster
