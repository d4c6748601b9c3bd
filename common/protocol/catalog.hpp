// catalog: nodes, their services and checks.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "common/protocol/exec.hpp"
#include "common/protocol/health.hpp"

namespace muster::proto::catalog {

struct Service {
  std::string id;
  std::string name;
  std::vector<std::string> tags;
  std::string address;
  std::uint16_t port = 0;
  std::map<std::string, std::string> meta;
  bool enable_tag_override = false;  ///< kept and shown
  std::uint32_t weight_passing = 1;  ///< kept and shown, for those who balance loads
  std::uint32_t weight_warning = 1;
  std::string owner;  ///< file: of the node's definitions; api: of catalog.define
  Revision create_rev;
  Revision mod_rev;
  MSGPACK_DEFINE_MAP(id, name, tags, address, port, meta, enable_tag_override, weight_passing,
                     weight_warning, owner, create_rev, mod_rev)
};

struct Node {
  std::string name;
  std::string id;       ///< a UUID, made when the node's data folder was
  std::string address;  ///< empty in catalog.register: where its connection comes from
  std::vector<std::string> tags;
  std::map<std::string, std::string> meta;
  std::string version;
  bool up = false;
  std::uint64_t attach_gen = 0;
  std::uint64_t since_ms = 0;  ///< up or down since, wall clock
  Revision create_rev;
  Revision mod_rev;
  std::string problem;  ///< why its newest definitions are not the ones in force; empty: they are
  std::vector<Service> services;
  std::vector<health::Check> checks;
  MSGPACK_DEFINE_MAP(name, id, address, tags, meta, version, up, attach_gen, since_ms, create_rev,
                     mod_rev, problem, services, checks)
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
  std::vector<health::Check> checks;  ///< defined over the API: to be run, too
  MSGPACK_DEFINE_MAP(attach_gen, rev, checks)
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

struct Defined {
  Revision rev;
  bool unchanged = false;
  MSGPACK_DEFINE_MAP(rev, unchanged)
};
struct Undefined {
  Revision rev;
  std::uint64_t count = 0;  ///< services and checks taken away
  MSGPACK_DEFINE_MAP(rev, count)
};

/// Defines a service and checks over the API; the node's daemon runs the checks. What has the same
/// id and owner is replaced. A check that runs a program, and any on a node that defines it in a
/// file: denied and conflict. Errors: not_found (node), invalid, too_large, denied, conflict.
struct Define {
  static constexpr std::string_view verb = "catalog.define";
  using Reply = Defined;
  std::string node;
  std::vector<Service> services;
  std::vector<health::Check> checks;
  MSGPACK_DEFINE_MAP(node, services, checks)
};

/// Takes away a service with its checks, or one check; nothing there is no error: count is 0.
/// Errors: not_found (node), conflict (a file defines it).
struct Undefine {
  static constexpr std::string_view verb = "catalog.undefine";
  using Reply = Undefined;
  std::string node;
  std::string service;  ///< id
  std::string check;    ///< id
  MSGPACK_DEFINE_MAP(node, service, check)
};

/// Broker to node: the checks defined over the API, all of them, have changed.
struct Take {
  static constexpr std::string_view verb = "node.checks";
  using Reply = Empty;
  std::vector<health::Check> checks;
  MSGPACK_DEFINE_MAP(checks)
};

struct Reloaded {
  std::uint64_t services = 0;
  std::uint64_t checks = 0;
  std::uint64_t watches = 0;
  std::string problem;  ///< what is wrong with the definitions: the old ones stay
  MSGPACK_DEFINE_MAP(services, checks, watches, problem)
};

/// Asks a node to read its definitions again; answered when it has. Errors: not_found,
/// unavailable (it is down).
struct Reload {
  static constexpr std::string_view verb = "catalog.reload";
  using Reply = Reloaded;
  std::string node;
  MSGPACK_DEFINE_MAP(node)
};
/// Broker to node: the same.
struct ReadAgain {
  static constexpr std::string_view verb = "node.reload";
  using Reply = Reloaded;
  std::string node;
  MSGPACK_DEFINE_MAP(node)
};

/// Forgets a node that is down, with services and checks. Errors: not_found, conflict (it is up).
struct Forget {
  static constexpr std::string_view verb = "catalog.forget";
  using Reply = Empty;
  std::string node;
  MSGPACK_DEFINE_MAP(node)
};

struct Listing {
  std::vector<Node> nodes;  ///< by name
  Revision rev;
  std::string next;  ///< more follow: ask again with `from` = this; empty: that is all
  MSGPACK_DEFINE_MAP(nodes, rev, next)
};

/// With services and checks (of outputs as many as a reply takes: health.list has them all), cut at
/// about 1 MiB. Errors: invalid (pattern), not_found (name given).
struct Nodes {
  static constexpr std::string_view verb = "catalog.nodes";
  using Reply = Listing;
  std::string name;       ///< exactly this node; empty: all
  exec::Target matching;  ///< only those that an exec with this target would ask, up or not
  std::string from;       ///< the first one to be listed
  MSGPACK_DEFINE_MAP(name, matching, from)
};

}  // namespace muster::proto::catalog
