// file_sink: write, sync, rename.
#include "cli/file_sink.hpp"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <unistd.h>

#include <fmt/format.h>

namespace muster::cli {
namespace {

Error cannot(std::string_view what, const std::string& path) {
  return {Code::unavailable, fmt::format("cannot {} {}: {}", what, path, std::strerror(errno))};
}

/// A new name is there after a power loss. Where that is not to be had, the file is nevertheless.
void sync_folder_of(const std::string& path) {
  const std::string folder = std::filesystem::path(path).parent_path().string();
  const int fd = ::open(folder.empty() ? "." : folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return;
  static_cast<void>(::fsync(fd));
  ::close(fd);
}

}  // namespace

FileSink::FileSink(int fd, std::string target, std::string partial)
    : fd_(fd), target_(std::move(target)), partial_(std::move(partial)) {}

FileSink::FileSink(FileSink&& other) noexcept
    : fd_(std::exchange(other.fd_, -1)),
      target_(std::move(other.target_)),
      partial_(std::exchange(other.partial_, {})) {}

Result<FileSink> FileSink::open(const std::string& target) {
  if (target == "-") return FileSink(STDOUT_FILENO, "stdout", {});
  if (std::filesystem::is_directory(target))
    return Error{Code::unavailable, fmt::format("cannot write {}: it is a folder", target)};
  const std::string partial = fmt::format("{}.partial-{}", target, ::getpid());
  const int fd = ::open(partial.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (fd < 0) return cannot("make", partial);
  return FileSink(fd, target, partial);
}

FileSink::~FileSink() {
  if (partial_.empty()) return;
  ::close(fd_);
  ::unlink(partial_.c_str());
}

Result<Done> FileSink::write(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t wrote = ::write(fd_, bytes.data(), bytes.size());
    if (wrote < 0 && errno == EINTR) continue;
    if (wrote < 0) return cannot("write", target_);
    bytes.remove_prefix(static_cast<std::size_t>(wrote));
  }
  return Done{};
}

Result<Done> FileSink::keep() {
  if (partial_.empty()) return Done{};
  if (::fsync(fd_) != 0) return cannot("write", partial_);
  if (::rename(partial_.c_str(), target_.c_str()) != 0) return cannot("make", target_);
  ::close(fd_);
  partial_.clear();
  sync_folder_of(target_);
  return Done{};
}

}  // namespace muster::cli
