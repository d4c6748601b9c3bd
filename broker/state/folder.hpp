// folder: the data folder: made if missing, on a disk of this machine, and one broker's at a time.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "common/error.hpp"

namespace muster::state {

class DataFolder {
 public:
  /// Makes the folder (0700) if it is missing and locks `LOCK` in it until destruction.
  /// Throws Failure: another broker has it, a network file system, it cannot be made or written.
  explicit DataFolder(std::string path);
  ~DataFolder();
  DataFolder(const DataFolder&) = delete;
  DataFolder& operator=(const DataFolder&) = delete;

  const std::string& path() const { return path_; }

 private:
  const std::string path_;
  int lock_ = -1;
};

/// Whether a file system with this statfs type is one where neither flock nor mmap can be trusted.
/// FUSE is not: it does not say what is behind it.
bool is_network_filesystem(std::uint64_t statfs_type);

/// How many bytes the file system under `path` has for us. None: it does not say.
std::optional<std::uint64_t> free_bytes(const std::string& path);

/// Whether it has no room for what we write next.
bool is_full(const std::string& path);

/// Makes names that were created in the folder survive a power loss. Throws Failure.
void sync_folder(const std::string& path);

}  // namespace muster::state
