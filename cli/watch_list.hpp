// watch_list: cursors, of `muster watch` and of nodes: where they stand; forgetting one.
#pragma once

#include "cli/command.hpp"

namespace muster::cli {

Exit list_watches(Arguments words);
Exit forget_watch(Arguments words);

}  // namespace muster::cli
