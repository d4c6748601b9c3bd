// event_list: the events that are kept, and those that come.
#pragma once

#include "cli/command.hpp"

namespace muster::cli {

Exit list_events(Arguments words);

}  // namespace muster::cli
