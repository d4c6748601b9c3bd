// consul_catalog: see consul_catalog.hpp.
#include "common/consul/consul_catalog.hpp"

#include <algorithm>
#include <map>

#include <fmt/format.h>

namespace muster {
namespace {

using proto::catalog::Node;
using proto::catalog::Service;
using proto::health::Check;

bool is_ipv4(std::string_view address) {
  return std::all_of(address.begin(), address.end(),
                     [](char c) { return c == '.' || (c >= '0' && c <= '9'); });
}

Json tagged_addresses(const std::string& address) {
  Json all = Json::object();
  if (address.empty()) return all;
  const std::string_view family = is_ipv4(address)                         ? "_ipv4"
                                  : address.find(':') != std::string::npos ? "_ipv6"
                                                                           : "";
  for (const std::string_view place : {"lan", "wan"}) {
    all[std::string(place)] = address;
    if (!family.empty()) all[fmt::format("{}{}", place, family)] = address;
  }
  return all;
}

Json map_or_null(const std::map<std::string, std::string>& map) {
  return map.empty() ? Json(nullptr) : Json(map);
}

Json definition_of(const proto::health::Definition& definition) {
  return {{"Interval", go_duration(definition.interval_ms)},
          {"Timeout", go_duration(definition.timeout_ms)},
          {"DeregisterCriticalServiceAfter", go_duration(definition.deregister_after_ms)},
          {"HTTP", definition.http},
          {"Header", definition.header.empty() ? Json(nullptr) : Json(definition.header)},
          {"Method", definition.method},
          {"Body", definition.body},
          {"TLSSkipVerify", definition.tls_skip_verify},
          {"TCP", definition.tcp}};
}

int badness(std::string_view status) {
  if (status == proto::health::passing) return 0;
  return status == proto::health::warning ? 1 : 2;
}

}  // namespace

Json consul_node(const Node& node, std::string_view cluster) {
  return {{"ID", node.id},
          {"Node", node.name},
          {"Address", node.address},
          {"Datacenter", cluster},
          {"TaggedAddresses", tagged_addresses(node.address)},
          {"Meta", Json(node.meta)},
          {"CreateIndex", node.create_rev.value},
          {"ModifyIndex", node.mod_rev.value}};
}

Json consul_service(const Service& service) {
  return {{"ID", service.id},
          {"Service", service.name},
          {"Tags", service.tags},
          {"Meta", map_or_null(service.meta)},
          {"Port", service.port},
          {"Address", service.address},
          {"Weights", {{"Passing", service.weight_passing}, {"Warning", service.weight_warning}}},
          {"EnableTagOverride", service.enable_tag_override},
          {"CreateIndex", service.create_rev.value},
          {"ModifyIndex", service.mod_rev.value},
          {"Proxy", {{"MeshGateway", Json::object()}, {"Expose", Json::object()}}},
          {"Connect", Json::object()}};
}

Json consul_check(const Check& check) {
  return {{"Node", check.node},
          {"CheckID", check.id},
          {"Name", check.name},
          {"Status", check.status},
          {"Notes", check.notes},
          {"Output", check.output.view()},
          {"ServiceID", check.service_id},
          {"ServiceName", check.service_name},
          {"ServiceTags", check.service_tags},
          {"Type", check.type},
          {"Definition", definition_of(check.definition)},
          {"CreateIndex", check.create_rev.value},
          {"ModifyIndex", check.mod_rev.value}};
}

Json consul_instance(const Node& node, const Service& service, std::string_view cluster) {
  Json checks = Json::array();
  for (const Check* check : checks_of(node, service)) checks.push_back(consul_check(*check));
  return {{"Node", consul_node(node, cluster)},
          {"Service", consul_service(service)},
          {"Checks", std::move(checks)}};
}

Json consul_services(const std::vector<Node>& nodes) {
  std::map<std::string, std::vector<std::string>> all;
  for (const Node& node : nodes) {
    for (const Service& service : node.services) {
      std::vector<std::string>& tags = all[service.name];
      for (const std::string& tag : service.tags) {
        if (std::find(tags.begin(), tags.end(), tag) == tags.end()) tags.push_back(tag);
      }
    }
  }
  Json out = Json::object();
  for (const auto& [name, tags] : all) out[name] = tags;
  return out;
}

std::vector<const Check*> checks_of(const Node& node, const Service& service) {
  std::vector<const Check*> found;
  for (const std::string& of : {std::string(), service.id}) {
    for (const Check& check : node.checks) {
      if (check.service_id == of) found.push_back(&check);
    }
  }
  return found;
}

std::string_view worst_status(const std::vector<const Check*>& checks) {
  std::string_view worst = proto::health::passing;
  for (const Check* check : checks) {
    if (badness(check->status) > badness(worst)) worst = check->status;
  }
  return worst;
}

std::string go_duration(std::uint64_t ms) {
  if (ms == 0) return "0s";
  if (ms < 1000) return fmt::format("{}ms", ms);
  const std::uint64_t minutes = ms / 60'000;
  std::string rest = fmt::format("{}.{:03}", ms % 60'000 / 1000, ms % 1000);
  while (rest.back() == '0') rest.pop_back();
  if (rest.back() == '.') rest.pop_back();
  if (minutes == 0) return rest + "s";
  if (minutes < 60) return fmt::format("{}m{}s", minutes, rest);
  return fmt::format("{}h{}m{}s", minutes / 60, minutes % 60, rest);
}

}  // namespace muster
