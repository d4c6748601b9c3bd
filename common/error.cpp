// error: the end of a wrong program.
#include "common/error.hpp"

#include <cstdio>
#include <cstdlib>

namespace muster {

void ensure_failed(const char* condition, const char* file, int line) {
  std::fprintf(stderr, "muster: %s:%d: this must hold and does not: %s\n", file, line, condition);
  std::abort();
}

}  // namespace muster
