// handler: see handler.hpp.
#include "cli/handler.hpp"

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "cli/surroundings.hpp"

extern char** environ;

namespace muster::cli {
namespace {

/// A file in memory with these bytes, at its beginning.
Result<int> file_of(std::string_view bytes) {
  const int fd = memfd_create("handler-stdin", MFD_CLOEXEC);
  if (fd < 0) return Error{Code::internal, fmt::format("memfd_create: {}", std::strerror(errno))};
  for (std::string_view rest = bytes; !rest.empty();) {
    const ssize_t wrote = write(fd, rest.data(), rest.size());
    if (wrote < 0 && errno == EINTR) continue;
    if (wrote < 0) {
      const int why = errno;
      close(fd);
      return Error{Code::internal,
                   fmt::format("cannot hold {} bytes: {}", bytes.size(), std::strerror(why))};
    }
    rest.remove_prefix(static_cast<std::size_t>(wrote));
  }
  lseek(fd, 0, SEEK_SET);
  return fd;
}

/// Borrows from both.
std::vector<char*> environment_with(const std::vector<std::string>& settings) {
  const auto name_of = [](std::string_view setting) {
    return setting.substr(0, setting.find('=') + 1);
  };
  std::vector<char*> out;
  for (const std::string& setting : settings) out.push_back(const_cast<char*>(setting.c_str()));
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const bool replaced =
        std::any_of(settings.begin(), settings.end(), [&](const std::string& setting) {
          return std::string_view(*entry).starts_with(name_of(setting));
        });
    if (!replaced) out.push_back(*entry);
  }
  out.push_back(nullptr);
  return out;
}

/// A group of its own, no signal blocked or ignored on our account.
struct Attributes {
  posix_spawnattr_t value{};

  Attributes() {
    sigset_t none;
    sigset_t restored;
    sigemptyset(&none);
    sigemptyset(&restored);
    sigaddset(&restored, SIGPIPE);
    posix_spawnattr_init(&value);
    posix_spawnattr_setflags(
        &value, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
    posix_spawnattr_setpgroup(&value, 0);
    posix_spawnattr_setsigmask(&value, &none);
    posix_spawnattr_setsigdefault(&value, &restored);
  }
  ~Attributes() { posix_spawnattr_destroy(&value); }
  Attributes(const Attributes&) = delete;
  Attributes& operator=(const Attributes&) = delete;
};

}  // namespace

std::vector<std::string> command_of(std::span<const std::string> words, Shell shell) {
  if (shell == Shell::no) return {words.begin(), words.end()};
  const std::string program = environment("SHELL");
  return {program.empty() ? "/bin/sh" : program, "-c", fmt::format("{}", fmt::join(words, " "))};
}

Result<Handler> Handler::start(const Order& order) {
  ENSURE(!order.argv.empty());
  const Result<int> input = file_of(order.input);
  if (!input) return input.error();
  std::vector<char*> argv;
  for (const std::string& word : order.argv) argv.push_back(const_cast<char*>(word.c_str()));
  argv.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, *input, STDIN_FILENO);
  const Attributes attributes;
  pid_t pid = -1;
  const int failed = posix_spawnp(&pid, argv[0], &actions, &attributes.value, argv.data(),
                                  environment_with(order.settings).data());
  posix_spawn_file_actions_destroy(&actions);
  close(*input);
  if (failed != 0)
    return Error{Code::not_found, fmt::format("{}: {}", order.argv[0], std::strerror(failed))};
  const int pidfd = static_cast<int>(syscall(SYS_pidfd_open, pid, 0));
  if (pidfd < 0) throw Failure(fmt::format("pidfd_open: {}", std::strerror(errno)));
  return Handler(pid, pidfd);
}

Handler::Handler(Handler&& other) noexcept
    : pid_(std::exchange(other.pid_, -1)), pidfd_(std::exchange(other.pidfd_, -1)) {}

Handler& Handler::operator=(Handler&& other) noexcept {
  std::swap(pid_, other.pid_);
  std::swap(pidfd_, other.pidfd_);
  return *this;
}

Handler::~Handler() {
  if (pidfd_ >= 0) close(pidfd_);
}

std::optional<Ending> Handler::ended() {
  int status = 0;
  if (waitpid(pid_, &status, WNOHANG) != pid_) return std::nullopt;
  if (WIFSIGNALED(status)) return Ending{.code = 0, .signal = WTERMSIG(status)};
  return Ending{.code = WEXITSTATUS(status), .signal = 0};
}

void Handler::signal(int number) const { kill(-pid_, number); }

bool Handler::group_lives() const { return kill(-pid_, 0) == 0; }

}  // namespace muster::cli
