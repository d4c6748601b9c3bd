// file: what the log asks of the operating system.
#include <algorithm>
#include <cerrno>
#include <fcntl.h>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>

#include <fmt/format.h>

#include "broker/log/local_log.hpp"

namespace muster::log {
namespace {

constexpr std::size_t piece_bytes = 128 * 1024;

[[noreturn]] void fail(const char* what, const std::string& path) {
  throw std::system_error(errno, std::generic_category(), fmt::format("{} {}", what, path));
}

/// How many of the wanted bytes the file has.
std::size_t read_at(int fd, char* into, std::size_t wanted, std::size_t offset,
                    const std::string& path) {
  std::size_t got = 0;
  while (got < wanted) {
    const ssize_t now = ::pread(fd, into + got, wanted - got, static_cast<off_t>(offset + got));
    if (now < 0 && errno == EINTR) continue;
    if (now < 0) fail("cannot read", path);
    if (now == 0) break;
    got += static_cast<std::size_t>(now);
  }
  return got;
}

File open_to_read(const std::string& path) {
  File file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (file.fd() < 0) fail("cannot open", path);
  return file;
}

}  // namespace

File& File::operator=(File&& other) noexcept {
  if (fd_ >= 0) ::close(fd_);
  fd_ = std::exchange(other.fd_, -1);
  return *this;
}

File::~File() {
  if (fd_ >= 0) ::close(fd_);
}

std::string load(const std::string& path) {
  const File file = open_to_read(path);
  struct stat about {};
  if (::fstat(file.fd(), &about) != 0) fail("cannot read", path);
  std::string content(static_cast<std::size_t>(about.st_size), '\0');
  content.resize(read_at(file.fd(), content.data(), content.size(), 0, path));
  return content;
}

void write_at(int fd, std::string_view bytes, std::size_t offset) {
  while (!bytes.empty()) {
    const ssize_t written = ::pwrite(fd, bytes.data(), bytes.size(), static_cast<off_t>(offset));
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) throw std::system_error(errno, std::generic_category(), "write");
    bytes.remove_prefix(static_cast<std::size_t>(written));
    offset += static_cast<std::size_t>(written);
  }
}

void sync_folder_of(const std::string& folder) {
  const File handle(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (handle.fd() < 0 || ::fsync(handle.fd()) != 0) fail("cannot sync", folder);
}

void make_zeroed(const std::string& path, std::size_t size) {
  const File file(::open(path.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
  if (file.fd() < 0) fail("cannot make", path);
  try {
    const std::string zeros(2 * piece_bytes, '\0');
    for (std::size_t at = 0; at < size; at += zeros.size()) {
      write_at(file.fd(), std::string_view(zeros).substr(0, std::min(zeros.size(), size - at)), at);
    }
    if (::fsync(file.fd()) != 0) fail("cannot sync", path);
  } catch (const std::system_error& error) {
    ::unlink(path.c_str());
    if (error.code().value() == ENOSPC || error.code().value() == EDQUOT)
      throw DiskFull(fmt::format("cannot make {}: {}", path, error.code().message()));
    throw;
  }
}

Reader::Reader(const std::string& path, std::size_t offset, std::size_t end)
    : file_(open_to_read(path)), end_(end), base_(offset) {}

bool Reader::fill(std::size_t wanted) {
  if (piece_.size() - at_ >= wanted) return true;
  piece_.erase(0, at_);
  base_ += at_;
  at_ = 0;
  const std::size_t have = piece_.size();
  const std::size_t more =
      std::min(std::max(wanted, piece_bytes), end_ - base_) - std::min(have, end_ - base_);
  piece_.resize(have + more);
  piece_.resize(have + read_at(file_.fd(), piece_.data() + have, more, base_ + have, "the log"));
  return piece_.size() >= wanted;
}

std::optional<StoredRecord> Reader::next(const Hash& previous) {
  if (!fill(frame_bytes)) return std::nullopt;
  const std::size_t length = stored_length(piece_, at_);
  if (length == 0 || length > end_ - base_ || !fill(length + frame_bytes)) return std::nullopt;
  std::optional<StoredRecord> record = record_at(piece_, at_, previous);
  if (record) at_ = record->end;
  return record;
}

}  // namespace muster::log
