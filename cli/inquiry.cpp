// inquiry: see inquiry.hpp.
#include "cli/inquiry.hpp"

#include <fmt/format.h>

#include "cli/print.hpp"

namespace muster::cli {

Result<std::unique_ptr<net::Client>> open_client(net::Reactor& reactor, zmq::context_t& context,
                                                 const Surroundings& surroundings,
                                                 net::Pings pings) {
  return net::Client::open(
      reactor, context,
      {.broker = surroundings.broker, .kind = "cli", .name = surroundings.name, .pings = pings});
}

net::RequestOptions options_of(const Surroundings& surroundings) {
  return {
      .timeout = surroundings.timeout, .cause = surroundings.cause, .fence = surroundings.fence};
}

Exit report(std::string_view before, const Error& error, const net::Client& client) {
  const bool nobody = error.code == Code::unavailable && !client.reached();
  const std::string hint = error.hint.empty() ? "" : fmt::format(" ({})", error.hint);
  complain(fmt::format("{}{}{}", nobody ? "muster: " : before, error.message, hint));
  return nobody ? Exit::unreachable : exit_of(error.code);
}

Inquiry::Inquiry(const Surroundings& surroundings)
    : surroundings_(surroundings), client_(open_client(reactor_, context_, surroundings)) {}

Exit Inquiry::report(std::string_view before, const Error& error) const {
  if (client_) return cli::report(before, error, **client_);
  complain(fmt::format("muster: {}", error.message));
  return Exit::usage;
}

}  // namespace muster::cli
