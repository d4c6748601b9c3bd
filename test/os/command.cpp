// command: see command.hpp.
#include "test/os/command.hpp"

#include <chrono>
#include <fstream>
#include <poll.h>
#include <sys/syscall.h>
#include <thread>
#include <unistd.h>

#include "test/support/catch.hpp"

namespace muster::test {
namespace {

constexpr int deadline_ms = 20'000;

bool readable(int fd, int timeout_ms) {
  pollfd item{fd, POLLIN, 0};
  return ::poll(&item, 1, timeout_ms) == 1;
}

char state_of(pid_t pid) {
  std::ifstream file("/proc/" + std::to_string(pid) + "/stat");
  std::string text;
  std::getline(file, text);
  const std::size_t name_end = text.rfind(')');
  return name_end == std::string::npos ? '-' : text.at(name_end + 2);
}

}  // namespace

os::Command shell(const std::string& line) {
  return {.argv = {"/bin/sh", "-c", line},
          .environment = os::environment_with({}),
          .output = os::Stream::pipe,
          .grace = milliseconds(300)};
}

void wait_readable(int fd) { REQUIRE(readable(fd, deadline_ms)); }

os::Report next_report(os::Supervised& command) {
  while (true) {
    if (const auto report = command.next()) return *report;
    wait_readable(command.control());
  }
}

std::string text_of(int fd) {
  std::string all;
  while (true) {
    wait_readable(fd);
    char piece[4096];
    const ssize_t got = ::read(fd, piece, sizeof(piece));
    if (got <= 0) return all;
    all.append(piece, static_cast<std::size_t>(got));
  }
}

std::string line_of(int fd) {
  std::string line;
  char c = 0;
  while (c != '\n') {
    wait_readable(fd);
    REQUIRE(::read(fd, &c, 1) == 1);
    if (c != '\n') line += c;
  }
  return line;
}

os::Report until_gone(os::Supervised& command) {
  os::Report last;
  for (os::Report report = next_report(command); report.kind != os::Report::Kind::gone;
       report = next_report(command))
    last = report;
  return last;
}

// The wrapper in sys/pidfd.h is no C++ before glibc 2.37.
Watched::Watched(pid_t pid) : pid_(pid), fd_(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0))) {
  REQUIRE(fd_);
}

bool Watched::alive() const { return !readable(fd_.get(), 0); }

void Watched::wait_gone() const { wait_readable(fd_.get()); }

void Watched::wait_state(char state) const {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::milliseconds(deadline_ms);
  while (state_of(pid_) != state && std::chrono::steady_clock::now() < deadline)
    std::this_thread::yield();
  REQUIRE(state_of(pid_) == state);
}

std::vector<Watched> watched_from(int fd, int count) {
  std::vector<Watched> all;
  for (int i = 0; i < count; ++i) all.emplace_back(std::stoi(line_of(fd)));
  return all;
}

}  // namespace muster::test
