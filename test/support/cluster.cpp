// cluster: fork, exec, wait, kill by pid.
#include "test/support/cluster.hpp"

#include <arpa/inet.h>
#include <cstdlib>
#include <fcntl.h>
#include <fstream>
#include <iterator>
#include <poll.h>
#include <signal.h>
#include <stdexcept>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fmt/format.h>

#include "common/error.hpp"

namespace muster::test {
namespace {

std::string from_environment(const char* name) {
  const char* value = std::getenv(name);
  if (value == nullptr) throw std::runtime_error(fmt::format("{} is not set: ctest sets it", name));
  return value;
}

/// Two ports that nobody has at this moment, held both while they are chosen.
std::vector<int> free_ports(std::size_t count) {
  std::vector<int> ports;
  std::vector<int> fds;
  for (std::size_t i = 0; i < count; ++i) {
    fds.push_back(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    ENSURE(bind(fds.back(), reinterpret_cast<sockaddr*>(&address), size) == 0);
    ENSURE(getsockname(fds.back(), reinterpret_cast<sockaddr*>(&address), &size) == 0);
    ports.push_back(ntohs(address.sin_port));
  }
  for (const int fd : fds) close(fd);
  return ports;
}

[[noreturn]] void become(const std::vector<char*>& arguments, const std::vector<char*>& environment,
                         int output) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  setpgid(0, 0);
  const int nothing = open("/dev/null", O_RDONLY);
  dup2(nothing, STDIN_FILENO);
  dup2(output, STDOUT_FILENO);
  dup2(output, STDERR_FILENO);
  environ = const_cast<char**>(environment.data());  // its PATH is the one that is searched
  execvp(arguments[0], arguments.data());
  _exit(127);
}

std::vector<char*> pointers(std::vector<std::string>& texts) {
  std::vector<char*> all;
  for (std::string& text : texts) all.push_back(text.data());
  all.push_back(nullptr);
  return all;
}

}  // namespace

std::string program(const std::string& name) { return from_environment("MUSTER_BIN") + "/" + name; }
std::string source(const std::string& path) {
  return from_environment("MUSTER_SOURCE") + "/" + path;
}

void wait_until(const std::function<bool()>& done, const std::string& what, Duration most) {
  const TimePoint end = BootClock::now() + most;
  while (!done()) {
    if (BootClock::now() >= end) throw std::runtime_error("not in time: " + what);
    poll(nullptr, 0, 5);
  }
}

Process::Process(std::vector<std::string> command,
                 const std::map<std::string, std::string>& environment, std::string output)
    : output_(std::move(output)) {
  std::vector<std::string> words;
  for (char** word = environ; *word != nullptr; ++word) {
    const std::string text = *word;
    if (!environment.contains(text.substr(0, text.find('=')))) words.push_back(text);
  }
  for (const auto& [name, value] : environment) words.push_back(name + "=" + value);
  const std::vector<char*> arguments = pointers(command);
  const std::vector<char*> variables = pointers(words);
  const int file = open(output_.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  ENSURE(file >= 0);
  pid_ = fork();
  ENSURE(pid_ >= 0);
  if (pid_ == 0) become(arguments, variables, file);
  setpgid(pid_, pid_);  // whoever is first
  close(file);
}

Process::~Process() {
  kill(-pid_, SIGKILL);
  if (!ended_) waitpid(pid_, &status_, 0);
}

bool Process::running() {
  if (!ended_) ended_ = waitpid(pid_, &status_, WNOHANG) == pid_;
  return !ended_;
}

void Process::signal(int number) const { kill(pid_, number); }

int Process::wait(Duration most) {
  wait_until([this] { return !running(); }, "the end of a process that says: " + output(), most);
  return WIFSIGNALED(status_) ? 128 + WTERMSIG(status_) : WEXITSTATUS(status_);
}

std::string Process::output() const {
  std::ifstream file(output_, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

void Process::wait_for_output(const std::string& text, Duration most) {
  wait_until([&] { return output().find(text) != std::string::npos; },
             fmt::format("'{}' in what a process says: {}", text, output()), most);
}

Cluster::Cluster(const std::string& parent) : folder_(parent) {
  const std::vector<int> ports = free_ports(2);
  endpoint_ = fmt::format("tcp://127.0.0.1:{}", ports[0]);
  notices_ = fmt::format("tcp://127.0.0.1:{}", ports[1]);
}

void Cluster::start_broker(std::vector<std::string> options) {
  std::vector<std::string> command{program("muster-broker"),
                                   "--data",
                                   folder("broker"),
                                   "--listen",
                                   endpoint_,
                                   "--notices",
                                   notices_};
  command.insert(command.end(), options.begin(), options.end());
  broker_ = start(std::move(command));
  broker_->wait_for_output("ready");
}

void Cluster::kill_broker() {
  broker_->signal(SIGKILL);
  broker_->wait();
}

void Cluster::start_node(const std::string& name) {
  nodes_[name] = start({program("muster-node"), "--name", name, "--data", folder("node-" + name),
                        "--broker", endpoint_});
  nodes_[name]->wait_for_output("ready");
}

std::unique_ptr<Process> Cluster::start(std::vector<std::string> command) {
  const std::string path = program("") + ":" + from_environment("PATH");
  return std::make_unique<Process>(
      std::move(command),
      std::map<std::string, std::string>{{"MUSTER_BROKER", endpoint_}, {"PATH", path}},
      folder(fmt::format("output-{}", ++outputs_)));
}

std::string Cluster::run(std::vector<std::string> command) {
  const auto process = start(std::move(command));
  const int code = process->wait();
  if (code != 0)
    throw std::runtime_error(fmt::format("it ended with {}: {}", code, process->output()));
  return process->output();
}

}  // namespace muster::test
