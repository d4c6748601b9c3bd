// exec: jobs and their tasks (messages: common/protocol/exec.hpp).
//
// A job is logged with one task a node before anything is sent. A task's row says how it ended:
//
//   sent --(node: exited | refused)--> as it says
//   sent --(node down)--> lost --(node: exited)--> exited, late
//   down at the start --> not_started
//
// The caller is answered when no task is `sent` any more. Output passes through, unlogged.
#pragma once

#include "broker/core/turn.hpp"
#include "common/protocol/catalog.hpp"
#include "common/protocol/exec.hpp"

namespace muster::core::exec {

/// Parks. Asked again (same request), it goes on where it stood.
Result<ParkedLater> run(Turn& turn, const proto::exec::Run& request);
Result<proto::Empty> credit(Turn& turn, const proto::exec::Credit& request);
Result<proto::Empty> cancel(Turn& turn, const proto::exec::Cancel& request);
Result<proto::Empty> started(Turn& turn, const proto::exec::Started& request);
Result<proto::Empty> output(Turn& turn, const proto::exec::Output& request);
Result<proto::Empty> exited(Turn& turn, const proto::exec::Exited& request);
Result<proto::exec::Listing> list(Turn& turn, const proto::exec::List& request);

/// A node has registered and said what it knows: launches and stops that it missed are sent again.
void compare(Turn& turn, const std::string& node,
             const std::vector<proto::catalog::KnownTask>& known);
/// Its unfinished tasks are lost.
void node_down(Turn& turn, const std::string& node);
/// A node has refused what it was sent.
void refused(Turn& turn, const std::string& node, const std::string& job, const Error& error);

/// For the start: unfinished tasks of a job.
std::uint64_t pending(const state::View& view, const std::string& job);

}  // namespace muster::core::exec
