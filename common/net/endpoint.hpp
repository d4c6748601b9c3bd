// endpoint: where something listens, in ZeroMQ's words.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "common/error.hpp"

namespace muster::net {

/// tcp://HOST:PORT (an IPv6 address in brackets; `*` and port 0 or `*` only to bind), ipc://PATH,
/// inproc://NAME.
struct Endpoint {
  std::string scheme;
  std::string host;        ///< of tcp, with its brackets
  std::uint16_t port = 0;  ///< of tcp; 0: any free one
  std::string path;        ///< of ipc and inproc

  std::string text() const;
  bool operator==(const Endpoint&) const = default;
};

/// Errors: invalid, with what an endpoint looks like.
Result<Endpoint> parse_endpoint(std::string_view text);

}  // namespace muster::net
