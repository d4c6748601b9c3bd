// command: a whole process, from its start to its exit.
#pragma once

#include <string>
#include <vector>

namespace muster::bench {

/// Its output is dropped. Throws when it does not end with 0.
void run_to_end(std::vector<std::string> words);

}  // namespace muster::bench
