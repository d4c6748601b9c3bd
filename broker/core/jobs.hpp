// jobs: the rows of jobs and tasks: found by id or by request, the oldest forgotten.
//
// The jobs table is keyed by the revision at which a job was made, so that it is in order of time;
// job_requests finds that revision by id ("i" NUL id) and the id by request ("r" NUL request).
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "broker/core/turn.hpp"

namespace muster::core::jobs {

inline constexpr std::string_view sent = "sent";  ///< the state of a task that is under way

std::optional<state::JobRow> find(Turn& turn, const std::string& id);
std::optional<std::string> of_request(Turn& turn, const state::RequestId& request);

/// A new one; the oldest that is not running is forgotten when there are too many.
void add(Turn& turn, const state::JobRow& row);
void put(Turn& turn, const state::JobRow& row);
/// It is done, unless it was cancelled.
void finish(Turn& turn, const std::string& id);

/// By node.
std::vector<proto::exec::Outcome> tasks(const state::View& view, const std::string& id);
/// Newest first, without scripts; `last` 0: as many as a reply takes.
std::vector<proto::exec::Job> newest(const state::View& view, std::uint64_t last);

}  // namespace muster::core::jobs
