// small_disk: a small file system in memory, where this process may make one.
#pragma once

#include <string>
#include <sys/mount.h>

namespace muster::test {

/// 4 MiB under `path`, until it grows to 64.
class SmallDisk {
 public:
  explicit SmallDisk(const std::string& path) : path_(path) {
    mounted_ = ::mount("muster-test", path.c_str(), "tmpfs", 0, "size=4m") == 0;
  }
  ~SmallDisk() {
    if (mounted_) ::umount2(path_.c_str(), MNT_DETACH);
  }
  SmallDisk(const SmallDisk&) = delete;
  SmallDisk& operator=(const SmallDisk&) = delete;
  bool mounted() const { return mounted_; }
  bool grow() const {
    return ::mount("muster-test", path_.c_str(), "tmpfs", MS_REMOUNT, "size=64m") == 0;
  }

 private:
  const std::string path_;
  bool mounted_ = false;
};

}  // namespace muster::test
