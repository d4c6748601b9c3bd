// endpoint: parsing.
#include "common/net/endpoint.hpp"

#include <charconv>
#include <optional>

#include <fmt/format.h>

namespace muster::net {
namespace {

std::optional<std::uint16_t> parse_port(std::string_view text) {
  if (text == "*") return std::uint16_t{0};
  std::uint16_t port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return port;
}

bool is_host(std::string_view host) {
  if (host.empty()) return false;
  const bool bracketed = host.front() == '[' && host.back() == ']' && host.size() > 2;
  return bracketed || host.find_first_of(":/[]@; \t") == std::string_view::npos;
}

}  // namespace

std::string Endpoint::text() const {
  if (scheme != "tcp") return fmt::format("{}://{}", scheme, path);
  return port == 0 ? fmt::format("tcp://{}:*", host) : fmt::format("tcp://{}:{}", host, port);
}

Result<Endpoint> parse_endpoint(std::string_view text) {
  const Error wrong{Code::invalid, fmt::format("'{}' is not an endpoint", text),
                    "write tcp://HOST:PORT or ipc://PATH"};
  const std::size_t colon = text.find("://");
  if (colon == std::string_view::npos) return wrong;
  Endpoint endpoint{.scheme = std::string(text.substr(0, colon))};
  const std::string_view rest = text.substr(colon + 3);
  if (endpoint.scheme == "ipc" || endpoint.scheme == "inproc") {
    if (rest.empty() || rest.find('\0') != std::string_view::npos) return wrong;
    endpoint.path = rest;
    return endpoint;
  }
  const std::size_t last = rest.rfind(':');
  if (endpoint.scheme != "tcp" || last == std::string_view::npos) return wrong;
  const auto port = parse_port(rest.substr(last + 1));
  if (!port || !is_host(rest.substr(0, last))) return wrong;
  endpoint.host = rest.substr(0, last);
  endpoint.port = *port;
  return endpoint;
}

}  // namespace muster::net
