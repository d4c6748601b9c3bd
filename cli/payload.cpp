// payload: see payload.hpp.
#include "cli/payload.hpp"

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>

#include <fmt/format.h>

namespace muster::cli {
namespace {

struct Close {
  void operator()(std::FILE* file) const { std::fclose(file); }
};

/// As Go words it: lower case.
std::string reason(int error) {
  std::string text = std::strerror(error);
  if (!text.empty() && text.front() >= 'A' && text.front() <= 'Z')
    text.front() = static_cast<char>(text.front() + 32);
  return text;
}

Result<std::string> read_all(std::FILE* file, std::string_view name, std::size_t bytes_max) {
  std::string out;
  char block[64 * 1024];
  std::size_t got = 0;
  while ((got = std::fread(block, 1, sizeof block, file)) > 0) {
    if (out.size() + got > bytes_max) {
      return Error{
          Code::too_large,
          fmt::format("{} has more than {} bytes, the most that can be sent", name, bytes_max)};
    }
    out.append(block, got);
  }
  if (std::ferror(file) != 0)
    return Error{Code::not_found, fmt::format("read {}: {}", name, reason(errno))};
  return out;
}

}  // namespace

Result<std::string> read_stdin(std::size_t bytes_max) {
  return read_all(stdin, "stdin", bytes_max);
}

Result<std::string> read_payload(const std::string& argument, std::size_t bytes_max) {
  if (argument == "-") {
    Result<std::string> read = read_stdin(bytes_max);
    if (!read)
      return Error{read.error().code,
                   fmt::format("Failed to read stdin: {}", read.error().message)};
    return read;
  }
  if (!argument.starts_with('@')) return argument;
  const std::string path = argument.substr(1);
  const std::unique_ptr<std::FILE, Close> file(std::fopen(path.c_str(), "re"));
  if (!file)
    return Error{Code::not_found,
                 fmt::format("Failed to read file: open {}: {}", path, reason(errno))};
  Result<std::string> read = read_all(file.get(), path, bytes_max);
  if (!read)
    return Error{read.error().code, fmt::format("Failed to read file: {}", read.error().message)};
  return read;
}

}  // namespace muster::cli
