// command: see command.hpp.
#include "test/bench/command.hpp"

#include <fcntl.h>
#include <spawn.h>
#include <stdexcept>
#include <sys/wait.h>
#include <unistd.h>

namespace muster::bench {

void run_to_end(std::vector<std::string> words) {
  std::vector<char*> arguments;
  for (std::string& word : words) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0);
  pid_t pid = -1;
  int status = 0;
  const bool ended =
      posix_spawn(&pid, arguments[0], &actions, nullptr, arguments.data(), environ) == 0 &&
      waitpid(pid, &status, 0) == pid;
  posix_spawn_file_actions_destroy(&actions);
  if (!ended || status != 0) throw std::runtime_error(words[0] + " failed");
}

}  // namespace muster::bench
