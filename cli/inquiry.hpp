// inquiry: a command's few questions to the broker, one after the other; and what all commands do
// with a client.
#pragma once

#include <memory>
#include <string_view>

#include "cli/exit_code.hpp"
#include "cli/surroundings.hpp"
#include "common/net/client.hpp"

namespace muster::cli {

/// Begins to connect; all borrowed must outlive the client. Errors: invalid (the endpoint).
Result<std::unique_ptr<net::Client>> open_client(net::Reactor& reactor, zmq::context_t& context,
                                                 const Surroundings& surroundings,
                                                 net::Pings pings = net::Pings::while_waiting);

/// With the cause and the fence that we run under.
net::RequestOptions options_of(const Surroundings& surroundings);

/// Says what went wrong, behind `before`, and what to do next; returns the exit code for it.
/// Nobody there: says so in our own words, exit 3.
Exit report(std::string_view before, const Error& error, const net::Client& client);

class Inquiry {
 public:
  explicit Inquiry(const Surroundings& surroundings);

  /// Errors: the broker's; or it did not answer in time, which `report` tells apart.
  template <class Request>
  Result<typename Request::Reply> ask(const Request& request) {
    if (!client_) return client_.error();
    return (*client_)->call(request, options_of(surroundings_));
  }

  /// The cluster's name; known once something was answered.
  std::string cluster() const { return client_ ? (*client_)->welcome().cluster : std::string(); }

  /// As the function of that name.
  Exit report(std::string_view before, const Error& error) const;

 private:
  const Surroundings& surroundings_;
  zmq::context_t context_;
  net::Reactor reactor_;
  Result<std::unique_ptr<net::Client>> client_;
};

}  // namespace muster::cli
