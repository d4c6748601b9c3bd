// examine: whether a database that came from outside can be read, all of it.
//
// LMDB maps its file and trusts every page: one that is cut off or was made up ends the process
// that reads it. So each row is read and decoded by a child process first, which may die of it.
#pragma once

#include <string>

#include "common/error.hpp"

namespace muster::state {

/// Of the `data.mdb` in a folder that nobody has open. Takes as long as reading it takes. Errors:
/// invalid, with what was found.
Result<Done> examine(const std::string& folder);

}  // namespace muster::state
