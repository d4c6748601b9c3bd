// descendants: every process below one, from /proc.
#pragma once

#include <sys/types.h>
#include <vector>

namespace muster::os {

/// Children, their children and so on, of `root`, without it. What forks meanwhile may be missing:
/// who wants all gone asks again until none is left.
std::vector<pid_t> descendants_of(pid_t root);

/// To each of them; those that are gone already do not matter.
void signal_all(const std::vector<pid_t>& pids, int number);

}  // namespace muster::os
