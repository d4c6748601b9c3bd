// bare: see bare.hpp.
#include "test/bench/bare.hpp"

#include <array>
#include <cstdio>
#include <fcntl.h>
#include <spawn.h>
#include <stdexcept>
#include <sys/wait.h>
#include <unistd.h>

#include <fmt/format.h>
#include <zmq.hpp>

#include "common/net/socket.hpp"
#include "common/os/supervised.hpp"

namespace muster::bench {
namespace {

constexpr std::int64_t log_bytes = 64 << 20;

void announce(zmq::socket_ref socket) {
  fmt::print("listens {}\n", net::bound_endpoint(socket));
  std::fflush(stdout);
}

/// Passes every part on as it is, so that nothing is copied that need not be.
[[noreturn]] void pump(zmq::socket_ref from, zmq::socket_ref to) {
  while (true) {
    zmq_msg_t part;
    zmq_msg_init(&part);
    if (zmq_msg_recv(&part, from.handle(), 0) < 0) throw std::runtime_error("the pump broke");
    zmq_msg_send(&part, to.handle(), zmq_msg_more(&part) != 0 ? ZMQ_SNDMORE : 0);
  }
}

[[noreturn]] void serve_echo(zmq::context_t& context) {
  zmq::socket_t router(context, zmq::socket_type::router);
  router.bind("tcp://127.0.0.1:*");
  announce(router);
  pump(router, router);
}

[[noreturn]] void serve_relay(zmq::context_t& context) {
  zmq::socket_t pull(context, zmq::socket_type::pull);
  zmq::socket_t pub(context, zmq::socket_type::pub);
  pub.set(zmq::sockopt::sndhwm, 0);
  pull.bind("tcp://127.0.0.1:*");
  pub.bind("tcp://127.0.0.1:*");
  announce(pull);
  announce(pub);
  pump(pull, pub);
}

/// Its output.
std::string run(std::string command) {
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) throw std::runtime_error("no pipe");
  posix_spawn_file_actions_adddup2(&actions, ends[1], 1);
  std::string words[] = {"sh", "-c"};
  char* arguments[] = {words[0].data(), words[1].data(), command.data(), nullptr};
  pid_t pid = -1;
  if (posix_spawnp(&pid, "sh", &actions, nullptr, arguments, environ) != 0)
    throw std::runtime_error("no sh");
  close(ends[1]);
  posix_spawn_file_actions_destroy(&actions);
  std::string output;
  std::array<char, 65536> bytes{};
  ssize_t got = 0;
  while ((got = read(ends[0], bytes.data(), bytes.size())) > 0)
    output.append(bytes.data(), static_cast<std::size_t>(got));
  close(ends[0]);
  waitpid(pid, nullptr, 0);
  return output;
}

[[noreturn]] void serve_spawn(zmq::context_t& context, const std::string& endpoint) {
  zmq::socket_t dealer(context, zmq::socket_type::dealer);
  dealer.connect(endpoint);
  dealer.send(zmq::str_buffer("here"), zmq::send_flags::none);
  while (true) {
    zmq::message_t command;
    if (!dealer.recv(command)) throw std::runtime_error("nothing came");
    dealer.send(zmq::buffer(run(command.to_string())), zmq::send_flags::none);
  }
}

}  // namespace

void serve(const std::string& role, const std::string& endpoint) {
  zmq::context_t context;
  if (role == "echo") serve_echo(context);
  if (role == "relay") serve_relay(context);
  if (role == "spawn") serve_spawn(context, endpoint);
  throw std::runtime_error("no role " + role);
}

BareServer::BareServer(const std::string& role, const std::string& folder,
                       const std::string& endpoint)
    : process_({os::program_folder() + "/muster-bench", "--serve", role, "--endpoint", endpoint},
               {}, fmt::format("{}/{}-{}", folder, role, now_ns())) {
  if (role != "spawn") process_.wait_for_output("listens ");
  if (role == "relay")
    test::wait_until([this] { return !this->endpoint(1).empty(); }, role, seconds(5));
}

std::string BareServer::endpoint(std::size_t n) const {
  constexpr std::string_view word = "listens ";
  const std::string output = process_.output();
  std::size_t at = 0;
  for (std::size_t i = 0; i <= n; ++i) {
    at = output.find(word, at);
    if (at == std::string::npos) return {};
    at += word.size();
  }
  const std::size_t end = output.find('\n', at);
  return end == std::string::npos ? std::string() : output.substr(at, end - at);
}

BareLog::BareLog(const std::string& path)
    : fd_(open(path.c_str(), O_CREAT | O_RDWR | O_CLOEXEC, 0600)) {
  if (fd_ < 0 || posix_fallocate(fd_, 0, log_bytes) != 0)
    throw std::runtime_error("no room for " + path);
}

BareLog::~BareLog() { close(fd_); }

Samples BareLog::append(std::size_t count) {
  const std::string record(300, 'r');
  return timed(count, [&] {
    if (at_ + 300 > log_bytes) at_ = 0;
    if (pwrite(fd_, record.data(), record.size(), at_) != 300 || fdatasync(fd_) != 0)
      throw std::runtime_error("cannot append");
    at_ += 300;
  });
}

}  // namespace muster::bench
