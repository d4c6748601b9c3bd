// supervised: posix_spawn of the supervisor, and the control socket.
#include "common/os/supervised.hpp"

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fmt/format.h>

namespace muster::os {
namespace {

constexpr int above_standard = 10;  // our ends lie above the descriptors that the child gets

Error no_more(const char* what) {
  return Error{Code::unavailable, fmt::format("{}: {}", what, std::strerror(errno))};
}

Fd lifted(int fd) {
  const Fd low(fd);
  return Fd(::fcntl(low.get(), F_DUPFD_CLOEXEC, above_standard));
}

struct Pair {
  Fd ours;
  Fd theirs;
};

/// `ours` does not block: we read or write when a loop says so.
Result<Pair> make_pipe(bool we_write) {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return no_more("no pipe");
  Pair pair{lifted(ends[we_write ? 1 : 0]), lifted(ends[we_write ? 0 : 1])};
  if (!pair.ours || !pair.theirs) return no_more("no pipe");
  ::fcntl(pair.ours.get(), F_SETFL, O_NONBLOCK);
  return pair;
}

Result<Pair> make_control() {
  int ends[2];
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0)
    return no_more("no socket");
  Pair pair{lifted(ends[0]), lifted(ends[1])};
  if (!pair.ours || !pair.theirs) return no_more("no socket");
  ::fcntl(pair.ours.get(), F_SETFL, O_NONBLOCK);
  return pair;
}

/// What posix_spawn wants, released at the end.
struct Actions {
  posix_spawn_file_actions_t files{};
  posix_spawnattr_t attributes{};
  Actions() {
    posix_spawn_file_actions_init(&files);
    posix_spawnattr_init(&attributes);
  }
  Actions(const Actions&) = delete;
  Actions& operator=(const Actions&) = delete;
  ~Actions() {
    posix_spawn_file_actions_destroy(&files);
    posix_spawnattr_destroy(&attributes);
  }
};

Result<Done> wire(Stream stream, int as, Pair& pair, Actions& actions) {
  if (stream == Stream::null) {
    posix_spawn_file_actions_addopen(&actions.files, as, "/dev/null", O_RDWR, 0);
  } else if (stream == Stream::pipe) {
    Result<Pair> made = make_pipe(as == 0);
    if (!made) return made.error();
    pair = std::move(*made);
    posix_spawn_file_actions_adddup2(&actions.files, pair.theirs.get(), as);
  }
  return Done{};
}

std::vector<char*> pointers(const std::vector<std::string>& words) {
  std::vector<char*> all;
  for (const std::string& word : words) all.push_back(const_cast<char*>(word.c_str()));
  all.push_back(nullptr);
  return all;
}

std::vector<std::string> arguments(const std::string& program, const Command& command,
                                   int control) {
  std::vector<std::string> words{
      program,
      std::to_string(control),
      std::to_string(std::chrono::duration_cast<milliseconds>(command.grace).count()),
      command.leftovers == Leftovers::keep ? "keep" : "kill",
      command.others == Descriptors::pass ? "pass" : "close",
      std::to_string(command.then.size())};
  words.insert(words.end(), command.then.begin(), command.then.end());
  words.insert(words.end(), command.argv.begin(), command.argv.end());
  return words;
}

std::string find_supervisor() {
  for (const std::string& place : {program_folder() + "/muster-supervise",
                                   program_folder() + "/../libexec/muster/muster-supervise"}) {
    if (::access(place.c_str(), X_OK) == 0) return place;
  }
  return "muster-supervise";  // posix_spawnp looks in PATH
}

/// With no signal blocked, caught or ignored, whatever we do about them.
Result<pid_t> spawn(const Command& command, int control, Actions& actions) {
  sigset_t none;
  sigset_t all;
  sigemptyset(&none);
  sigfillset(&all);
  posix_spawnattr_setsigmask(&actions.attributes, &none);
  posix_spawnattr_setsigdefault(&actions.attributes, &all);
  posix_spawnattr_setflags(&actions.attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
  const std::string program = find_supervisor();
  const std::vector<std::string> words = arguments(program, command, control);
  pid_t pid = -1;
  const int error = ::posix_spawnp(&pid, program.c_str(), &actions.files, &actions.attributes,
                                   pointers(words).data(), pointers(command.environment).data());
  if (error == 0) return pid;
  if (error == ENOENT || error == EACCES)
    return Error{Code::unavailable,
                 fmt::format("cannot start {}: {}", program, std::strerror(error)),
                 "muster-supervise belongs beside the other programs of muster"};
  return Error{Code::unavailable,
               fmt::format("cannot start {}: {}", command.argv.front(), std::strerror(error))};
}

}  // namespace

Fd& Fd::operator=(Fd&& other) noexcept {
  if (this != &other) {
    reset();
    fd_ = std::exchange(other.fd_, -1);
  }
  return *this;
}

void Fd::reset() {
  if (fd_ >= 0) ::close(fd_);
  fd_ = -1;
}

Result<Supervised> Supervised::start(const Command& command) {
  ENSURE(!command.argv.empty());
  if (!command.folder.empty() && ::access(command.folder.c_str(), X_OK) != 0)
    return no_more(command.folder.c_str());
  Actions actions;
  Result<Pair> control = make_control();
  if (!control) return control.error();
  const int theirs = control->theirs.get();
  posix_spawn_file_actions_adddup2(&actions.files, theirs, theirs);  // clears its CLOEXEC
  std::array<Pair, 3> standard;
  for (const auto& [stream, as] :
       {std::pair{command.input, 0}, {command.output, 1}, {command.errors, 2}}) {
    if (const auto wired = wire(stream, as, standard.at(static_cast<std::size_t>(as)), actions);
        !wired)
      return wired.error();
  }
  if (!command.folder.empty())
    posix_spawn_file_actions_addchdir_np(&actions.files, command.folder.c_str());
  Supervised supervised;
  if (const auto spawned = spawn(command, theirs, actions); !spawned) return spawned.error();
  else supervised.supervisor_ = *spawned;
  supervised.control_ = std::move(control->ours);
  supervised.input_ = std::move(standard[0].ours);
  supervised.output_ = std::move(standard[1].ours);
  supervised.errors_ = std::move(standard[2].ours);
  supervised.awaits_dismissal_ = !command.then.empty();
  return supervised;
}

std::optional<Report> Supervised::next() {
  if (over_) return std::nullopt;
  Report report;
  const Received received = receive(control_.get(), report);
  if (received == Received::nothing) return std::nullopt;
  if (received == Received::closed) {
    lost_ = true;
    if (concluded_) return bury();
    report = {.kind = Report::Kind::killed, .number = SIGKILL};
  }
  if (report.kind == Report::Kind::gone) return bury();
  if (report.kind != Report::Kind::started) concluded_ = true;
  return report;
}

/// Its supervisor exits right after its last word, unless it waits for ours.
Report Supervised::bury() {
  over_ = true;
  if (!awaits_dismissal_ || lost_) ::waitpid(supervisor_, nullptr, 0);
  return {.kind = Report::Kind::gone};
}

void Supervised::signal(int number) {
  send(control_.get(), Order{.kind = Order::Kind::signal, .number = number});
}
void Supervised::end() { send(control_.get(), Order{.kind = Order::Kind::end}); }
void Supervised::end_at(TimePoint when) {
  const auto at = std::chrono::duration_cast<std::chrono::microseconds>(when.time_since_epoch());
  send(control_.get(), Order{.kind = Order::Kind::end_at, .at_us = at.count()});
}

void Supervised::dismiss() {
  if (!std::exchange(awaits_dismissal_, false)) return;
  send(control_.get(), Order{.kind = Order::Kind::dismiss});
  if (over_ && !lost_) ::waitpid(supervisor_, nullptr, 0);
}

std::vector<std::string> environment_with(
    const std::vector<std::pair<std::string, std::string>>& names) {
  std::vector<std::string> all;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string_view text(*entry);
    const std::string_view name = text.substr(0, text.find('='));
    bool anew = false;
    for (const auto& [wanted, value] : names) anew = anew || wanted == name;
    if (!anew) all.emplace_back(text);
  }
  for (const auto& [name, value] : names) all.push_back(name + "=" + value);
  return all;
}

std::vector<std::string> shell_command(const std::string& line) {
  const char* shell = std::getenv("SHELL");
  return {shell == nullptr || *shell == '\0' ? "/bin/sh" : shell, "-c", line};
}

std::string program_folder() {
  std::string path(4096, '\0');
  const ssize_t length = ::readlink("/proc/self/exe", path.data(), path.size());
  path.resize(length < 0 ? 0 : static_cast<std::size_t>(length));
  return path.substr(0, path.rfind('/'));
}

}  // namespace muster::os
