// descendants: one pass over /proc gives the parent of every process.
#include "common/os/descendants.hpp"

#include <charconv>
#include <csignal>
#include <cstring>
#include <dirent.h>
#include <fcntl.h>
#include <string>
#include <unistd.h>
#include <unordered_map>

namespace muster::os {
namespace {

/// 0: it is gone. The name in /proc/PID/stat may hold anything, parentheses too: what counts stands
/// behind the last one (proc(5)).
pid_t parent_of(const char* pid) {
  const std::string path = std::string("/proc/") + pid + "/stat";
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return 0;
  char text[512];
  const ssize_t length = ::read(fd, text, sizeof(text) - 1);
  ::close(fd);
  if (length <= 0) return 0;
  text[length] = '\0';
  const char* end = std::strrchr(text, ')');
  if (end == nullptr || std::strlen(end) < 5) return 0;
  pid_t parent = 0;
  std::from_chars(end + 4, text + length, parent);  // ") S 123": state, then parent
  return parent;
}

}  // namespace

std::vector<pid_t> descendants_of(pid_t root) {
  std::unordered_multimap<pid_t, pid_t> children;
  DIR* proc = ::opendir("/proc");
  if (proc == nullptr) return {};
  while (const dirent* entry = ::readdir(proc)) {
    pid_t pid = 0;
    const char* name = entry->d_name;
    const auto parsed = std::from_chars(name, name + std::strlen(name), pid);
    if (parsed.ec != std::errc() || *parsed.ptr != '\0') continue;
    if (const pid_t parent = parent_of(name); parent > 0) children.emplace(parent, pid);
  }
  ::closedir(proc);
  std::vector<pid_t> found;
  std::vector<pid_t> open{root};
  while (!open.empty()) {
    const auto [first, last] = children.equal_range(open.back());
    open.pop_back();
    for (auto child = first; child != last; ++child) {
      found.push_back(child->second);
      open.push_back(child->second);
    }
  }
  return found;
}

void signal_all(const std::vector<pid_t>& pids, int number) {
  for (const pid_t pid : pids) ::kill(pid, number);
}

}  // namespace muster::os
