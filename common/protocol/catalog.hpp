// catalog: nodes, their services and checks.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "common/protocol/exec.hpp"

namespace muster::proto::catalog {

struct Service {
  std::string id;
  std::string name;
  std::vector<std::string> tags;
  std::string address;
  std::uint16_t port = 0;
  std::map<std::string, std::string> meta;
  MSGPACK_DEFINE_MAP(id, name, tags, address, port, meta)
};

struct Node {
  std::string name;
  std::string id;  ///< a UUID, made when the node's data folder was
  std::string address;
  std::vector<std::string> tags;
  std::map<std::string, std::string> meta;
  std::string version;
  bool up = false;
  std::uint64_t attach_gen = 0;
  std::uint64_t since_ms = 0;  ///< up or down since, wall clock
  Revision create_rev;
  Revision mod_rev;
  std::vector<Service> services;
  MSGPACK_DEFINE_MAP(name, id, address, tags, meta, version, up, attach_gen, since_ms, create_rev,
                     mod_rev, services)
};

/// A task that a node knows of.
struct KnownTask {
  std::string job;
  std::string state;  ///< accepted, running, or how it ended
  MSGPACK_DEFINE_MAP(job, state)
};

struct Registered {
  std::uint64_t attach_gen = 0;
  Revision rev;
  MSGPACK_DEFINE_MAP(attach_gen, rev)
};

/// A node tells who it is and what it offers; after each hello, and when its definitions change.
/// Errors: invalid (names), conflict (a live node of that name has another id), version.
struct Register {
  static constexpr std::string_view verb = "catalog.register";
  using Reply = Registered;
  Node node;                     ///< up, attach_gen, revs are the broker's
  std::vector<KnownTask> tasks;  ///< all it knows of
  MSGPACK_DEFINE_MAP(node, tasks)
};

/// The broker's own word when the node's subscription to node:NAME came or went (DESIGN 5).
struct Presence {
  static constexpr std::string_view verb = "catalog.presence";
  using Reply = Empty;
  std::string node;
  std::uint64_t attach_gen = 0;
  bool up = false;
  MSGPACK_DEFINE_MAP(node, attach_gen, up)
};

/// Broker to node: another connection has taken this node's place; say nothing more.
struct Superseded {
  static constexpr std::string_view verb = "node.gone";
  using Reply = Empty;
  std::string node;
  MSGPACK_DEFINE_MAP(node)
};

struct Listing {
  std::vector<Node> nodes;  ///< by name
  Revision rev;
  MSGPACK_DEFINE_MAP(nodes, rev)
};

/// With services. Errors: invalid (pattern), not_found (name given).
struct Nodes {
  static constexpr std::string_view verb = "catalog.nodes";
  using Reply = Listing;
  std::string name;       ///< exactly this node; empty: all
  exec::Target matching;  ///< only those that an exec with this target would ask, up or not
  MSGPACK_DEFINE_MAP(name, matching)
};

}  // namespace muster::proto::catalog
