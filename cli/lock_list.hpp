// lock_list: `muster lock list` and `muster lock show`.
#pragma once

#include "cli/command.hpp"

namespace muster::cli {

Exit list_locks(Arguments words);
Exit show_lock(Arguments words);

}  // namespace muster::cli
