// checkpointer: two eventfds and a thread between them.
#include "broker/state/checkpointer.hpp"

#include <cerrno>
#include <cstring>
#include <pthread.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <unistd.h>
#include <utility>

#include <fmt/format.h>

#include "common/limits.hpp"

namespace muster::state {
namespace {

int make_bell(int flags) {
  const int bell = ::eventfd(0, EFD_CLOEXEC | flags);
  if (bell < 0) throw Failure(fmt::format("cannot make an eventfd: {}", std::strerror(errno)));
  return bell;
}

void ring(int bell) {
  const std::uint64_t one = 1;
  ENSURE(::write(bell, &one, sizeof one) == sizeof one);
}

void wait_for(int bell) {
  std::uint64_t rings = 0;
  while (::read(bell, &rings, sizeof rings) < 0) ENSURE(errno == EINTR);
}

JobEnd end_of(const Checkpointer::Job& job) {
  try {
    job();
    return {.kind = JobEnd::Kind::done, .error = nullptr};
  } catch (const DiskFull&) {
    return {.kind = JobEnd::Kind::disk_full, .error = std::current_exception()};
  } catch (...) {
    return {.kind = JobEnd::Kind::failed, .error = std::current_exception()};
  }
}

}  // namespace

bool wants_checkpoint(const Layer& active, Duration age) {
  if (active.empty()) return false;
  return active.ops() >= limits::layer_ops_seal || active.bytes() >= limits::layer_bytes_seal ||
         age >= limits::layer_age_seal;
}

bool is_over_bound(const Layer& active) { return active.bytes() >= limits::layer_bytes_max; }

Checkpointer::Checkpointer()
    : start_fd_(make_bell(0)), ended_fd_(make_bell(EFD_NONBLOCK)), thread_([this] { run(); }) {}

Checkpointer::~Checkpointer() {
  stopping_ = true;
  ring(start_fd_);
  thread_.join();
  ::close(start_fd_);
  ::close(ended_fd_);
}

void Checkpointer::start(Job job) {
  ENSURE(idle());
  job_ = std::move(job);
  state_.store(State::running, std::memory_order_release);
  ring(start_fd_);
}

std::optional<JobEnd> Checkpointer::take_end() {
  std::uint64_t rings = 0;
  if (::read(ended_fd_, &rings, sizeof rings) < 0) return std::nullopt;
  ENSURE(state_.load(std::memory_order_acquire) == State::ended);
  JobEnd end = std::exchange(end_, {});
  state_.store(State::idle, std::memory_order_relaxed);  // the thread does not look at it
  return end;
}

void Checkpointer::run() {
  sigset_t all;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, nullptr);  // signals are the loop's
  for (;;) {
    wait_for(start_fd_);
    if (state_.load(std::memory_order_acquire) == State::running) {
      end_ = end_of(std::exchange(job_, {}));
      state_.store(State::ended, std::memory_order_release);
      ring(ended_fd_);
    }
    if (stopping_) return;
  }
}

}  // namespace muster::state
