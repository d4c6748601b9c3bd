// health: checks of nodes and services: how they are defined, where they stand, who says so.
//
// A check belongs to a node, or to one service of it. Its node runs it and reports changes of
// status; a TTL check is not run, it is told. Each node has one more, `serfHealth`, that stands in
// no table: whether the node is up. Maintenance is a critical check as well: `_node_maintenance`,
// `_service_maintenance:ID`, its notes the reason.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "common/protocol/envelope.hpp"

namespace muster::proto::health {

inline constexpr std::string_view passing = "passing";
inline constexpr std::string_view warning = "warning";
inline constexpr std::string_view critical = "critical";

inline constexpr std::string_view liveness_id = "serfHealth";
inline constexpr std::string_view node_maintenance_id = "_node_maintenance";
inline constexpr std::string_view service_maintenance_prefix = "_service_maintenance:";

/// What is done to learn a status: exactly one of args, http, tcp, unit and ttl_ms is given.
struct Definition {
  std::vector<std::string> args;  ///< a program; exit 0 passing, 1 warning, else critical
  std::string http;               ///< a URL: 2xx passing, 429 warning, else critical
  std::string method;             ///< empty: GET
  std::map<std::string, std::vector<std::string>> header;
  std::string body;
  bool tls_skip_verify = false;
  std::string tcp;           ///< host:port: whether it can be connected to
  std::string unit;          ///< of systemd: whether it is active
  std::uint64_t ttl_ms = 0;  ///< told by health.update; critical when not told for so long
  std::uint64_t interval_ms = 0;
  std::uint64_t timeout_ms = 0;              ///< 0: 30 s for a program, 10 s otherwise
  std::uint64_t success_before_passing = 0;  ///< so many runs in a row; 0 and 1: the first
  std::uint64_t failures_before_warning = 0;
  std::uint64_t failures_before_critical = 0;
  std::uint64_t deregister_after_ms = 0;  ///< critical for so long: its service goes; 0: never
  MSGPACK_DEFINE_MAP(args, http, method, header, body, tls_skip_verify, tcp, unit, ttl_ms,
                     interval_ms, timeout_ms, success_before_passing, failures_before_warning,
                     failures_before_critical, deregister_after_ms)
};

struct Check {
  std::string node;
  std::string id;
  std::string name;
  std::string notes;
  std::string status = std::string(critical);
  std::string type;        ///< script, http, tcp, systemd, ttl; empty: liveness, maintenance
  std::string service_id;  ///< empty: of the node
  std::string service_name;
  std::vector<std::string> service_tags;
  Definition definition;
  std::string owner;  ///< file, api
  Bytes output;       ///< of the last run that was told of: its last 4 KiB
  Revision create_rev;
  Revision mod_rev;            ///< of status and definition
  Revision output_rev;         ///< of the output: apart, since it changes more often
  std::uint64_t since_ms = 0;  ///< the status, wall clock
  MSGPACK_DEFINE_MAP(node, id, name, notes, status, type, service_id, service_name, service_tags,
                     definition, owner, output, create_rev, mod_rev, output_rev, since_ms)
};

/// What a node has found out about one of its checks.
struct Finding {
  std::string id;
  std::string status;
  Bytes output;
  MSGPACK_DEFINE_MAP(id, status, output)
};

/// A node tells changes of status, and now and then a new output. A check that is not defined any
/// more is passed over. Errors: denied (no node has registered on this connection).
struct Report {
  static constexpr std::string_view verb = "health.report";
  using Reply = Empty;
  std::vector<Finding> findings;
  MSGPACK_DEFINE_MAP(findings)
};

/// Tells a TTL check's status; its time begins anew. The same status and output again is no change.
/// Errors: not_found, invalid (it has no TTL; no such status).
struct Update {
  static constexpr std::string_view verb = "health.update";
  using Reply = Empty;
  std::string node;
  std::string check;
  std::string status;
  Bytes output;
  MSGPACK_DEFINE_MAP(node, check, status, output)
};

/// The broker's own word: a TTL check was not told of in time.
struct Expire {
  static constexpr std::string_view verb = "health.expire";
  using Reply = Empty;
  std::string node;
  std::string check;
  MSGPACK_DEFINE_MAP(node, check)
};

/// The broker's own word: a check was critical for as long as its definition allows; its service
/// goes, with all its checks.
struct Abandon {
  static constexpr std::string_view verb = "health.abandon";
  using Reply = Empty;
  std::string node;
  std::string check;
  MSGPACK_DEFINE_MAP(node, check)
};

/// Maintenance of a node, or of one service of it. Errors: not_found (node, service).
struct Maintain {
  static constexpr std::string_view verb = "health.maintain";
  using Reply = Empty;
  std::string node;
  std::string service;  ///< its id; empty: the node
  bool enable = false;
  std::string reason;
  MSGPACK_DEFINE_MAP(node, service, enable, reason)
};

struct Listing {
  std::vector<Check> checks;  ///< by node and id, liveness included
  Revision rev;
  std::string next;  ///< more follow: ask again with `from` = this; empty: that is all
  MSGPACK_DEFINE_MAP(checks, rev, next)
};

/// Those that match all given. Errors: invalid (state).
struct List {
  static constexpr std::string_view verb = "health.list";
  using Reply = Listing;
  std::string node;
  std::string service;  ///< name
  std::string state;    ///< passing, warning, critical; empty or any: all
  std::string from;
  MSGPACK_DEFINE_MAP(node, service, state, from)
};

}  // namespace muster::proto::health
