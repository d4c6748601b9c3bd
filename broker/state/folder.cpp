// folder: mkdir, statfs, flock.
#include "broker/state/folder.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <linux/magic.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <fmt/format.h>

#include "common/limits.hpp"

namespace muster::state {
namespace {

[[noreturn]] void fail(const std::string& path, const char* what) {
  throw Failure(fmt::format("data folder {}: {}: {}", path, what, std::strerror(errno)));
}

void make(const std::string& path) {
  if (::mkdir(path.c_str(), 0700) == 0) {
    sync_folder(path + "/..");
    return;
  }
  if (errno != EEXIST) fail(path, "cannot make it");
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0) fail(path, "cannot look at it");
  if (!S_ISDIR(status.st_mode)) throw Failure(fmt::format("data folder {}: is not a folder", path));
}

void refuse_network(const std::string& path) {
  struct statfs status {};
  if (::statfs(path.c_str(), &status) != 0) fail(path, "cannot look at its file system");
  if (is_network_filesystem(static_cast<std::uint32_t>(status.f_type))) {
    throw Failure(fmt::format(
        "data folder {}: is on a network file system; it must be on a disk of this machine", path));
  }
}

/// The pid that note_holder wrote; empty: it has not yet.
std::string holder(int lock) {
  std::array<char, 32> text{};
  const ssize_t got = ::pread(lock, text.data(), text.size() - 1, 0);
  const std::string pid(text.data(), got > 0 ? static_cast<std::size_t>(got) : 0);
  return pid.empty() ? "" : fmt::format(" (process {})", std::atoi(pid.c_str()));
}

/// For people only: a full disk must not keep a broker from starting. Of one width, since cutting a
/// file to nothing first can cost a sync.
void note_holder(int lock) {
  const std::string pid = fmt::format("{:<10}\n", ::getpid());
  static_cast<void>(::pwrite(lock, pid.data(), pid.size(), 0) == 0);
}

}  // namespace

DataFolder::DataFolder(std::string path) : path_(std::move(path)) {
  make(path_);
  refuse_network(path_);
  const std::string name = path_ + "/LOCK";
  lock_ = ::open(name.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (lock_ < 0) fail(path_, "cannot open its LOCK file");
  if (::flock(lock_, LOCK_EX | LOCK_NB) != 0) {
    const bool taken = errno == EWOULDBLOCK;
    const std::string who = taken ? holder(lock_) : std::strerror(errno);
    ::close(lock_);
    throw Failure(taken ? fmt::format("data folder {}: another broker runs on it{}", path_, who)
                        : fmt::format("data folder {}: cannot lock it: {}", path_, who));
  }
  note_holder(lock_);
}

DataFolder::~DataFolder() { ::close(lock_); }

bool is_network_filesystem(std::uint64_t statfs_type) {
  constexpr std::array<std::uint64_t, 12> network = {
      NFS_SUPER_MAGIC,  SMB_SUPER_MAGIC,         CIFS_SUPER_MAGIC,
      SMB2_SUPER_MAGIC, CEPH_SUPER_MAGIC,        AFS_SUPER_MAGIC,
      AFS_FS_MAGIC,     CODA_SUPER_MAGIC,        NCP_SUPER_MAGIC,
      V9FS_MAGIC,       0x0BD00BD0 /* Lustre */, 0x47504653 /* GPFS */};
  return std::find(network.begin(), network.end(), statfs_type) != network.end();
}

std::optional<std::uint64_t> free_bytes(const std::string& path) {
  struct statvfs status {};
  if (::statvfs(path.c_str(), &status) != 0) return std::nullopt;
  return std::uint64_t{status.f_bavail} * status.f_frsize;
}

bool is_full(const std::string& path) {
  const auto free = free_bytes(path);
  return free && *free < limits::disk_free_min;
}

void sync_folder(const std::string& path) {
  const int folder = ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (folder < 0) fail(path, "cannot open it");
  const int synced = ::fsync(folder);
  const int error = errno;
  ::close(folder);
  errno = error;
  if (synced != 0) fail(path, "cannot sync it");
}

}  // namespace muster::state
