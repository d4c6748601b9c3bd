// file_sink: a file that is there whole or not at all; or stdout.
//
// What is written goes to a file beside the target, which takes its place when all is on disk.
#pragma once

#include <string>
#include <string_view>

#include "common/error.hpp"

namespace muster::cli {

class FileSink {
 public:
  /// `-` is stdout. Errors: unavailable (it cannot be made).
  static Result<FileSink> open(const std::string& target);
  /// Unless it was kept, nothing stays.
  ~FileSink();
  FileSink(FileSink&& other) noexcept;
  FileSink& operator=(FileSink&&) = delete;

  /// Errors: unavailable.
  Result<Done> write(std::string_view bytes);
  /// All is on disk under the target's name when it returns. Errors: unavailable.
  Result<Done> keep();

 private:
  FileSink(int fd, std::string target, std::string partial);

  int fd_;
  std::string target_;
  std::string partial_;  ///< empty: stdout, or kept
};

}  // namespace muster::cli
