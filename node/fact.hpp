// fact: what a node must know of a task after a crash, as a line of its journal.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "common/protocol/exec.hpp"

namespace muster::node {

/// Of a task, the last fact counts.
struct Fact {
  enum class What {
    accepted,  ///< it is about to be forked, or was: on disk before the fork
    stopped,   ///< a tombstone: a cancel was here first
    ended,     ///< `outcome` says how; the broker has not confirmed it yet
    done,      ///< the broker knows how it ended
  };
  What what = What::accepted;
  std::string job;
  proto::exec::Outcome outcome = {};
};

/// With its newline.
std::string line_of(const Fact& fact);
/// Without its newline. None: no such line was ever written.
std::optional<Fact> fact_of(std::string_view line);

/// 1..job_id_bytes_max bytes, printable, no blanks: what a line can hold.
bool is_job_id(std::string_view id);

}  // namespace muster::node
