// watches: those of the node's definitions: each a Driver with a cursor, and its handler.
//
// A cursor is named after node and watch, so neither a restart nor a reload runs a handler again. A
// handler that fails is logged; a POST that fails is tried again. None ends the daemon.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "common/definitions/watch.hpp"
#include "common/net/client.hpp"

namespace muster::node {

class Watch;

class Watches {
 public:
  /// The client must outlive it. `node` is this node's name.
  Watches(net::Client& client, std::string node);
  ~Watches();
  Watches(const Watches&) = delete;
  Watches& operator=(const Watches&) = delete;

  /// From now on these: what is defined as before goes on, the handlers of others are ended.
  void define(const std::vector<WatchDefinition>& definitions);
  std::size_t size() const { return watches_.size(); }

 private:
  net::Client& client_;
  const std::string node_;
  std::vector<std::unique_ptr<Watch>> watches_;
};

}  // namespace muster::node
