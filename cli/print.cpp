// print: see print.hpp.
#include "cli/print.hpp"

#include <cerrno>
#include <cstdio>
#include <cstring>

#include <fmt/format.h>

namespace muster::cli {

void print(std::string_view bytes) { std::fwrite(bytes.data(), 1, bytes.size(), stdout); }

void print_line(std::string_view line) {
  print(line);
  print("\n");
}

void complain(std::string_view line) {
  std::fflush(stdout);
  const std::string whole =
      fmt::format("{}\n", line);  // one write: lines of several processes stay whole
  std::fwrite(whole.data(), 1, whole.size(), stderr);
}

Result<Done> flush() {
  errno = 0;
  if (std::fflush(stdout) == 0 && std::ferror(stdout) == 0) return Done{};
  return Error{Code::internal, fmt::format("cannot write to stdout: {}",
                                           errno == 0 ? "write error" : std::strerror(errno))};
}

}  // namespace muster::cli
