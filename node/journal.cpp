// journal: small files, written so that a crash leaves the old or the new.
#include "node/journal.hpp"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <sstream>
#include <sys/file.h>
#include <unistd.h>

#include <fmt/format.h>

#include "common/limits.hpp"

namespace muster::node {
namespace {

enum class Sync { yes, no };

[[noreturn]] void fail(const std::string& what) {
  throw Failure(fmt::format("{}: {}", what, std::strerror(errno)));
}

void write_all(int fd, std::string_view text, const std::string& path, Sync sync) {
  while (!text.empty()) {
    const ssize_t written = ::write(fd, text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) fail("cannot write " + path);
    text.remove_prefix(static_cast<std::size_t>(written));
  }
  if (sync == Sync::yes && ::fdatasync(fd) != 0) fail("cannot sync " + path);
}

/// Empty: no such file.
std::string read_whole(const std::string& path) {
  const os::Fd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file && errno == ENOENT) return {};
  if (!file) fail("cannot open " + path);
  std::string content;
  char piece[16 * limits::KiB];
  while (true) {
    const ssize_t got = ::read(file.get(), piece, sizeof(piece));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) fail("cannot read " + path);
    if (got == 0) return content;
    content.append(piece, static_cast<std::size_t>(got));
  }
}

}  // namespace

Journal::Journal(std::string folder, const std::string& fresh_id) : folder_(std::move(folder)) {
  std::error_code error;
  if (std::filesystem::create_directories(folder_, error))
    std::filesystem::permissions(folder_, std::filesystem::perms::owner_all, error);
  if (error) throw Failure(fmt::format("cannot make {}: {}", folder_, error.message()));
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
  const std::string path = folder_ + "/identity";
  const std::string text = read_whole(path);
  if (text.empty()) {
    identity_ = {.id = fresh_id};
    return write_identity();
  }
  std::istringstream words(text);
  if (!(words >> identity_.id >> identity_.history >> identity_.epoch.value))
    throw Failure(fmt::format("{} is damaged: it should say ID HISTORY EPOCH", path));
  if (identity_.history == "-") identity_.history.clear();
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
  const std::string path = folder_ + "/tasks";
  const std::string text = read_whole(path);
  std::size_t number = 0;
  for (std::size_t begin = 0, end = 0; (end = text.find('\n', begin)) != std::string::npos;
       begin = end + 1) {
    ++number;
    auto fact = fact_of(std::string_view(text).substr(begin, end - begin));
    if (!fact) {
      throw Failure(
          fmt::format("{} is damaged in line {}; without it a task could be started twice. "
                      "If no job of before matters any more, remove the file",
                      path, number));
    }
    facts_.push_back(std::move(*fact));
  }
  rewrite(facts_);
}

Result<Done> Journal::note(const Fact& fact) {
  const bool binding = fact.what == Fact::What::accepted || fact.what == Fact::What::stopped;
  const std::string line = line_of(fact);
  if (torn_) return Error{Code::unavailable, "the journal of tasks cannot be written"};
  try {
    write_all(tasks_.get(), line, folder_ + "/tasks", binding ? Sync::yes : Sync::no);
  } catch (const Failure& failure) {
    torn_ = true;
    return Error{Code::unavailable, failure.what()};
  }
  bytes_ += line.size();
  return Done{};
}

void Journal::rewrite(const std::vector<Fact>& facts) {
  std::string content;
  for (const Fact& fact : facts) content += line_of(fact);
  write_whole("tasks", content);
  const std::string path = folder_ + "/tasks";
  tasks_ = os::Fd(::open(path.c_str(), O_WRONLY | O_APPEND | O_CLOEXEC));
  if (!tasks_) fail("cannot open " + path);
  bytes_ = content.size();
  torn_ = false;
}

void Journal::write_whole(const std::string& name, const std::string& content) {
  const std::string path = folder_ + "/" + name;
  const std::string fresh = path + ".new";
  {
    const os::Fd file(::open(fresh.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
    if (!file) fail("cannot make " + fresh);
    write_all(file.get(), content, fresh, Sync::yes);
  }
  if (::rename(fresh.c_str(), path.c_str()) != 0) fail("cannot rename " + fresh);
  const os::Fd folder(::open(folder_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!folder || ::fsync(folder.get()) != 0) fail("cannot sync " + folder_);
}

}  // namespace muster::node
