// exec: commands on nodes: a job, one task a node, output by credit.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "common/protocol/envelope.hpp"

namespace muster::proto::exec {

/// Which nodes: all that match everything given. Patterns are RE2, unanchored; service and tag must
/// match the same service. All empty: every node.
struct Target {
  std::string node;
  std::string service;
  std::string tag;
  std::vector<std::string> names;  ///< exactly these
  MSGPACK_DEFINE_MAP(node, service, tag, names)
};

struct Command {
  std::string line;               ///< for the node's shell; or
  std::vector<std::string> args;  ///< a program and its arguments, no shell; or
  Bytes script;  ///< put into a file, run (its #! is honoured, else the shell), deleted
  MSGPACK_DEFINE_MAP(line, args, script)
};

/// How a task ended. Exactly one each.
///   exited refused lost timeout cancelled expired not_started indeterminate
struct Outcome {
  std::string node;
  std::string state;
  std::int64_t code = 0;    ///< of exited: the exit code, or
  std::int64_t signal = 0;  ///< the signal that ended it
  std::uint64_t duration_ms = 0;
  std::uint64_t out_bytes = 0;  ///< how much it wrote, on stdout
  std::uint64_t err_bytes = 0;  ///< and on stderr
  std::string message;          ///< of refused and not_started: why
  bool late = false;            ///< reported after the job had been answered
  MSGPACK_DEFINE_MAP(node, state, code, signal, duration_ms, out_bytes, err_bytes, message, late)
};

/// One `more` on the way.
struct Progress {
  std::string kind;  ///< created (names: who was asked), started, output, exited
  std::string job;
  std::string node;
  std::uint64_t stream = 0;  ///< 1 stdout, 2 stderr
  std::uint64_t offset = 0;  ///< of the first byte, from the start of the stream
  Bytes bytes;
  bool eof = false;                      ///< the stream ends after these bytes
  Outcome outcome;                       ///< of exited
  std::vector<std::string> nodes;        ///< of created
  std::vector<std::string> maintenance;  ///< of created: those of them that are in maintenance
  MSGPACK_DEFINE_MAP(kind, job, node, stream, offset, bytes, eof, outcome, nodes, maintenance)
};

struct Finished {
  std::string job;
  std::vector<Outcome> outcomes;
  MSGPACK_DEFINE_MAP(job, outcomes)
};

/// Runs a command. `more` are Progress; the reply comes when the last node has answered or is known
/// to be lost. Errors: invalid (no command, or two forms; a pattern does not compile), not_found
/// (no node matches), too_large, fenced, denied.
struct Run {
  static constexpr std::string_view verb = "exec.run";
  using Reply = Finished;
  using More = Progress;
  Command command;
  Target target;
  std::uint64_t timeout_ms = 0;        ///< of each command; 0: none
  std::uint64_t kill_grace_ms = 5000;  ///< between TERM and KILL
  std::uint64_t credit = 0;            ///< bytes that each stream of each node may send at first
  MSGPACK_DEFINE_MAP(command, target, timeout_ms, kill_grace_ms, credit)
};

/// The caller has all bytes below `have`, and takes those below `allow`. Goes to the node as it is.
/// A node that was ahead of `have` and unsure sends again from there. Errors: not_found.
struct Credit {
  static constexpr std::string_view verb = "exec.credit";
  using Reply = Empty;
  std::string job;
  std::string node;
  std::uint64_t stream = 0;
  std::uint64_t have = 0;
  std::uint64_t allow = 0;
  bool resend = false;  ///< bytes from `have` on did not arrive
  MSGPACK_DEFINE_MAP(job, node, stream, have, allow, resend)
};

/// Ends every process of the job, descendants too, on every node. Errors: not_found.
struct Cancel {
  static constexpr std::string_view verb = "exec.cancel";
  using Reply = Empty;
  std::string job;
  MSGPACK_DEFINE_MAP(job)
};

// --- broker to node ---

/// Errors: conflict (a cancel was here first).
struct Launch {
  static constexpr std::string_view verb = "exec.launch";
  using Reply = Empty;
  std::string job;
  Command command;
  std::uint64_t timeout_ms = 0;
  std::uint64_t kill_grace_ms = 0;
  std::uint64_t credit = 0;
  std::string author;
  std::string history;
  Epoch epoch;
  MSGPACK_DEFINE_MAP(job, command, timeout_ms, kill_grace_ms, credit, author, history, epoch)
};

/// Answered at once; the task reports its end by itself. Of an unknown job: a tombstone stays.
struct Stop {
  static constexpr std::string_view verb = "exec.stop";
  using Reply = Empty;
  std::string job;
  std::string history;
  Epoch epoch;
  MSGPACK_DEFINE_MAP(job, history, epoch)
};

// --- node to broker ---

/// The command runs. Not logged; answered at once.
struct Started {
  static constexpr std::string_view verb = "exec.started";
  using Reply = Empty;
  std::string job;
  MSGPACK_DEFINE_MAP(job)
};

/// Output, handed on to the caller if it is still there. Not logged; answered at once.
struct Output {
  static constexpr std::string_view verb = "exec.output";
  using Reply = Empty;
  std::string job;
  std::uint64_t stream = 0;
  std::uint64_t offset = 0;
  Bytes bytes;
  bool eof = false;
  MSGPACK_DEFINE_MAP(job, stream, offset, bytes, eof)
};

/// The end of a task, logged; the node keeps it until this is answered.
struct Exited {
  static constexpr std::string_view verb = "exec.exited";
  using Reply = Empty;
  std::string job;
  Outcome outcome;
  MSGPACK_DEFINE_MAP(job, outcome)
};

// --- the record ---

struct Job {
  std::string id;
  Revision rev;
  std::string author;
  std::uint64_t time_ms = 0;
  Command command;
  Target target;
  std::string state;  ///< running, done, cancelled
  std::uint64_t timeout_ms = 0;
  std::vector<Outcome> tasks;  ///< state "running" (sent) or "launched" (accepted) while under way
  MSGPACK_DEFINE_MAP(id, rev, author, time_ms, command, target, state, timeout_ms, tasks)
};

struct Listing {
  std::vector<Job> jobs;  ///< newest first
  MSGPACK_DEFINE_MAP(jobs)
};

/// Errors: not_found (id given).
struct List {
  static constexpr std::string_view verb = "job.list";
  using Reply = Listing;
  std::string id;  ///< empty: all that are kept, without their scripts
  std::uint64_t last = 0;
  MSGPACK_DEFINE_MAP(id, last)
};

}  // namespace muster::proto::exec
