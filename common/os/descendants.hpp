// descendants: every process below one, from /proc.
#pragma once

#include <sys/types.h>
#include <vector>

namespace muster::os {

struct Descendant {
  pid_t pid = 0;
  pid_t group = 0;
};

/// Children, their children and so on, of `root`, without it. What forks meanwhile may be missing:
/// who wants all gone asks again until none is left.
std::vector<Descendant> descendants_of(pid_t root);

/// To each of them, for one that leads its own session. All groups in there but its own have no
/// other members, so they are signalled whole: a fork cannot escape that. Those that are gone
/// already do not matter.
void signal_all(const std::vector<Descendant>& descendants, int number);

}  // namespace muster::os
