// wire: two frames out, two frames back, over any number of connections: the same generator for
// the broker and for the bare sockets that it is compared with.
#pragma once

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include <zmq.hpp>

#include "common/types.hpp"
#include "test/bench/samples.hpp"

namespace muster::bench {

/// Verb and body of the n-th request.
using Make = std::function<std::pair<std::string_view, std::string>(std::size_t)>;

class Wire {
 public:
  Wire(const std::string& endpoint, std::size_t connections);

  /// As the broker wants it before anything else.
  void say_hello();
  /// `count` requests, `in_flight` of them at a time on each connection. Throws: an answer that is
  /// an error, or none for ten seconds.
  Samples run(std::size_t count, std::size_t in_flight, const Make& make);

 private:
  struct Connection {
    zmq::socket_t socket;
    RequestNo last;
    std::vector<std::pair<RequestNo, std::uint64_t>> sent;  ///< when; in order
  };

  void ask(Connection& connection, std::string_view verb, const std::string& body);
  /// How many answers were there.
  std::size_t hear(Connection& connection, Samples& samples);

  zmq::context_t context_;
  std::vector<Connection> connections_;
};

}  // namespace muster::bench
