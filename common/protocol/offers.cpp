// offers: see offers.hpp.
#include "common/protocol/offers.hpp"

#include <algorithm>
#include <charconv>

#include <fmt/format.h>

#include "common/limits.hpp"
#include "common/protocol/codec.hpp"

namespace muster::proto::offers {
namespace {

using catalog::Service;
using health::Check;
using health::Definition;

bool has_control(std::string_view text) {
  return std::any_of(text.begin(), text.end(),
                     [](char c) { return static_cast<unsigned char>(c) < 32 || c == 127; });
}

bool is_reserved(std::string_view id) {
  return id == health::liveness_id || id == health::node_maintenance_id ||
         id.starts_with(health::service_maintenance_prefix);
}

std::size_t kinds(const Definition& d) {
  return (d.args.empty() ? 0U : 1U) + (d.http.empty() ? 0U : 1U) + (d.tcp.empty() ? 0U : 1U) +
         (d.unit.empty() ? 0U : 1U) + (d.ttl_ms == 0 ? 0U : 1U);
}

/// HOST:PORT; an IPv6 address stands in brackets.
bool is_host_and_port(std::string_view text) {
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos || colon == 0) return false;
  const std::string_view host = text.substr(0, colon);
  const std::string_view digits = text.substr(colon + 1);
  unsigned port = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), port);
  if (error != std::errc() || end != digits.data() + digits.size() || port == 0 || port > 65535)
    return false;
  return host.find('/') == std::string_view::npos &&
         (host.find(':') == std::string_view::npos || (host.front() == '[' && host.back() == ']'));
}

bool is_url(std::string_view text) {
  for (const std::string_view scheme : {"http://", "https://"}) {
    if (text.starts_with(scheme))
      return text.size() > scheme.size() && text[scheme.size()] != '/' && !has_control(text);
  }
  return false;
}

std::optional<Breach> breach_of_request(const Definition& d) {
  if (!d.http.empty() && !is_url(d.http))
    return Breach{"http", "must be a URL: http://HOST... or https://HOST..."};
  if (!d.tcp.empty() && !is_host_and_port(d.tcp)) return Breach{"tcp", "must be HOST:PORT"};
  if (has_control(d.method) || d.method.find(' ') != std::string::npos)
    return Breach{"method", "must be one word"};
  for (const auto& [name, values] : d.header) {
    if (name.empty() || has_control(name) || name.find(':') != std::string::npos)
      return Breach{"header", "has a name that no header has"};
    if (std::any_of(values.begin(), values.end(), has_control))
      return Breach{"header", fmt::format("{} has a control character in its value", name)};
  }
  return std::nullopt;
}

std::optional<Breach> breach_of_times(const Definition& d) {
  if (d.ttl_ms == 0 && d.interval_ms == 0)
    return Breach{"interval", "must be > 0 for all but TTL checks"};
  if (d.ttl_ms == 0 && d.interval_ms < limits::check_interval_ms_min)
    return Breach{"interval", fmt::format("is at least {}ms", limits::check_interval_ms_min)};
  for (const auto& [key, value] : {std::pair{"interval", d.interval_ms},
                                   {"timeout", d.timeout_ms},
                                   {"ttl", d.ttl_ms},
                                   {"deregister_critical_service_after", d.deregister_after_ms}}) {
    if (value > limits::check_time_ms_max) return Breach{key, "is at most 8760h"};
  }
  for (const auto& [key, value] : {std::pair{"success_before_passing", d.success_before_passing},
                                   {"failures_before_warning", d.failures_before_warning},
                                   {"failures_before_critical", d.failures_before_critical}}) {
    if (value > limits::check_runs_max)
      return Breach{key, fmt::format("is at most {}", limits::check_runs_max)};
  }
  return std::nullopt;
}

}  // namespace

std::optional<std::string> wrong_name(std::string_view name) {
  if (!name.empty() && name.size() <= limits::name_bytes_max &&
      name.find('\0') == std::string_view::npos && codec::is_utf8(name)) {
    return std::nullopt;
  }
  return fmt::format("has 1..{} bytes of UTF-8 and no NUL", limits::name_bytes_max);
}

bool is_status(std::string_view text) {
  return text == health::passing || text == health::warning || text == health::critical;
}

std::optional<Breach> breach(const Service& service) {
  if (const auto rule = wrong_name(service.id)) return Breach{"id", *rule};
  if (const auto rule = wrong_name(service.name)) return Breach{"name", *rule};
  return std::nullopt;
}

std::optional<Breach> breach(const Check& check) {
  if (const auto rule = wrong_name(check.id)) return Breach{"id", *rule};
  if (const auto rule = wrong_name(check.name)) return Breach{"name", *rule};
  if (is_reserved(check.id))
    return Breach{"id", fmt::format("{} is muster's own: give it another", check.id)};
  const Definition& d = check.definition;
  if (const std::size_t given = kinds(d); given != 1)
    return Breach{"", fmt::format("has one of args, http, tcp, unit and ttl, not {}",
                                  given == 0 ? "none" : "several")};
  if (!is_status(check.status)) return Breach{"status", "must be passing, warning or critical"};
  if (const auto times = breach_of_times(d)) return times;
  return breach_of_request(d);
}

std::optional<Breach> breach(const std::vector<Service>& services,
                             const std::vector<Check>& checks) {
  for (const auto& [what, count, most] :
       {std::tuple{"services", services.size(), limits::services_max},
        {"checks", checks.size(), limits::checks_max}}) {
    if (count > most)
      return Breach{"", fmt::format("{} {} on one node, at most {} are taken", count, what, most)};
  }
  std::size_t bytes = 0;
  for (const Service& service : services) bytes += weight(service);
  for (const Check& check : checks) bytes += weight(check);
  if (bytes <= limits::offers_bytes_max) return std::nullopt;
  return Breach{"", fmt::format("the services and checks of one node have {} bytes, at most {} are "
                                "taken",
                                bytes, limits::offers_bytes_max)};
}

std::size_t weight(const Service& service) {
  std::size_t bytes = 192 + service.id.size() + service.name.size() + service.address.size();
  for (const std::string& tag : service.tags) bytes += tag.size() + 5;
  for (const auto& [name, value] : service.meta) bytes += name.size() + value.size() + 10;
  return bytes;
}

std::size_t weight(const Check& check) {
  const Definition& d = check.definition;
  std::size_t bytes = 640 + check.node.size() + check.id.size() + check.name.size() +
                      check.notes.size() + check.service_id.size() + check.service_name.size() +
                      check.output.size() + d.http.size() + d.method.size() + d.body.size() +
                      d.tcp.size() + d.unit.size();
  for (const std::string& arg : d.args) bytes += arg.size() + 5;
  for (const std::string& tag : check.service_tags) bytes += tag.size() + 5;
  for (const auto& [name, values] : d.header) {
    bytes += name.size() + 8;
    for (const std::string& value : values) bytes += value.size() + 5;
  }
  return bytes;
}

}  // namespace muster::proto::offers
