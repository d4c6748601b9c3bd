// descendants: one pass over /proc gives the parent and the group of every process.
//
// /proc/PID/task/TID/children would be shorter, but not every kernel is built with it.
#include "common/os/descendants.hpp"

#include <algorithm>
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

struct Place {
  pid_t parent = 0;  ///< 0: it is gone
  pid_t group = 0;
};

/// The name in /proc/PID/stat may hold anything, parentheses too: what counts stands behind the
/// last one: ") S PARENT GROUP ..." (proc(5)).
Place place_of(const char* pid) {
  const std::string path = std::string("/proc/") + pid + "/stat";
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return {};
  char text[512];
  const ssize_t length = ::read(fd, text, sizeof(text) - 1);
  ::close(fd);
  if (length <= 0) return {};
  text[length] = '\0';
  const char* name_end = std::strrchr(text, ')');
  if (name_end == nullptr || std::strlen(name_end) < 5) return {};
  Place place;
  const auto parent = std::from_chars(name_end + 4, text + length, place.parent);
  if (parent.ec != std::errc() || *parent.ptr != ' ') return {};
  std::from_chars(parent.ptr + 1, text + length, place.group);
  return place;
}

}  // namespace

std::vector<Descendant> descendants_of(pid_t root) {
  std::unordered_multimap<pid_t, Descendant> children;
  DIR* proc = ::opendir("/proc");
  if (proc == nullptr) return {};
  while (const dirent* entry = ::readdir(proc)) {
    pid_t pid = 0;
    const char* name = entry->d_name;
    const auto parsed = std::from_chars(name, name + std::strlen(name), pid);
    if (parsed.ec != std::errc() || *parsed.ptr != '\0') continue;
    if (const Place place = place_of(name); place.parent > 0)
      children.emplace(place.parent, Descendant{pid, place.group});
  }
  ::closedir(proc);
  std::vector<Descendant> found;
  std::vector<pid_t> open{root};
  while (!open.empty()) {
    const auto [first, last] = children.equal_range(open.back());
    open.pop_back();
    for (auto child = first; child != last; ++child) {
      found.push_back(child->second);
      open.push_back(child->second.pid);
    }
  }
  return found;
}

void signal_all(const std::vector<Descendant>& descendants, int number) {
  std::vector<pid_t> groups;
  for (const auto& [pid, group] : descendants) {
    if (group <= 1 || group == ::getpgrp()) ::kill(pid, number);
    else if (std::find(groups.begin(), groups.end(), group) == groups.end())
      groups.push_back(group);
  }
  for (const pid_t group : groups) ::kill(-group, number);
}

}  // namespace muster::os
