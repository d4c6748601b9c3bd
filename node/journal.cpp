// journal: small files, written so that a crash leaves the old or the new.
#include "node/journal.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>
#include <sys/file.h>
#include <unistd.h>

#include <fmt/format.h>

namespace muster::node {
namespace {

[[noreturn]] void fail(const std::string& what) {
  throw Failure(fmt::format("{}: {}", what, std::strerror(errno)));
}

void write_synced(int fd, const std::string& text, const std::string& path) {
  std::size_t written = 0;
  while (written < text.size()) {
    const ssize_t now = ::write(fd, text.data() + written, text.size() - written);
    if (now < 0 && errno == EINTR) continue;
    if (now < 0) fail("cannot write " + path);
    written += static_cast<std::size_t>(now);
  }
  if (::fdatasync(fd) != 0) fail("cannot sync " + path);
}

}  // namespace

Journal::Journal(std::string folder, const std::string& fresh_id) : folder_(std::move(folder)) {
  std::error_code error;
  std::filesystem::create_directories(folder_, error);
  if (error) throw Failure(fmt::format("cannot make {}: {}", folder_, error.message()));
  std::filesystem::permissions(folder_, std::filesystem::perms::owner_all, error);
  lock();
  read_identity(fresh_id);
  read_tasks();
}

void Journal::lock() {
  const std::string path = folder_ + "/LOCK";
  lock_ = os::Fd(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  if (!lock_) fail("cannot open " + path);
  if (::flock(lock_.get(), LOCK_EX | LOCK_NB) != 0)
    throw Failure(fmt::format("another muster-node runs on {}", folder_));
}

void Journal::read_identity(const std::string& fresh_id) {
  std::ifstream file(folder_ + "/identity");
  if (file >> identity_.id) {
    file >> identity_.history >> identity_.epoch.value;
    if (identity_.history == "-") identity_.history.clear();
    return;
  }
  identity_ = {.id = fresh_id};
  write_identity();
}

void Journal::write_identity() {
  write_whole("identity", fmt::format("{} {} {}\n", identity_.id,
                                      identity_.history.empty() ? "-" : identity_.history,
                                      identity_.epoch.value));
}

void Journal::saw(const std::string& history, Epoch epoch) {
  if (history == identity_.history && epoch <= identity_.epoch) return;
  identity_.history = history;
  identity_.epoch = epoch;
  write_identity();
}

void Journal::read_tasks() {
  std::ifstream file(folder_ + "/tasks");
  std::stringstream content;
  content << file.rdbuf();
  const std::string text = content.str();
  std::map<std::string, std::string> last;
  std::istringstream lines(
      text.substr(0, text.rfind('\n') == std::string::npos ? 0 : text.rfind('\n') + 1));
  std::string what;
  std::string job;
  while (lines >> what >> job) {
    if (!last.contains(job)) known_.push_back(job);
    last[job] = what;
  }
  if (known_.size() > limits::tasks_known_max) {
    known_.erase(known_.begin(),
                 known_.end() - static_cast<std::ptrdiff_t>(limits::tasks_known_max));
  }
  std::string compact;
  for (const std::string& known : known_) {
    if (last[known] == "accepted") unfinished_.push_back(known);
    if (last[known] == "stopped") stopped_.push_back(known);
    compact += fmt::format("{} {}\n", last[known], known);
  }
  write_whole("tasks", compact);
  const std::string path = folder_ + "/tasks";
  tasks_ = os::Fd(::open(path.c_str(), O_WRONLY | O_APPEND | O_CLOEXEC));
  if (!tasks_) fail("cannot open " + path);
}

void Journal::note(const std::string& job, const std::string& what) {
  write_synced(tasks_.get(), fmt::format("{} {}\n", what, job), folder_ + "/tasks");
}

void Journal::write_whole(const std::string& name, const std::string& content) {
  const std::string path = folder_ + "/" + name;
  const std::string fresh = path + ".new";
  {
    const os::Fd file(::open(fresh.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
    if (!file) fail("cannot make " + fresh);
    write_synced(file.get(), content, fresh);
  }
  if (::rename(fresh.c_str(), path.c_str()) != 0) fail("cannot rename " + fresh);
  const os::Fd folder(::open(folder_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!folder || ::fsync(folder.get()) != 0) fail("cannot sync " + folder_);
}

}  // namespace muster::node
