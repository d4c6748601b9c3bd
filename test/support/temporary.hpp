// temporary: a folder that is gone when its owner is.
#pragma once

#include <string>

namespace muster::test {

class TemporaryFolder {
 public:
  /// In `parent`; empty: in memory where the system has /dev/shm.
  explicit TemporaryFolder(const std::string& parent = {});
  ~TemporaryFolder();
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

}  // namespace muster::test
