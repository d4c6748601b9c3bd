// lock_run: see lock_run.hpp.
#include "cli/lock_run.hpp"

#include <cerrno>
#include <csignal>
#include <unistd.h>

#include <fmt/format.h>

#include "cli/duration.hpp"
#include "cli/print.hpp"

namespace muster::cli {
namespace {

/// How long to wait at the end for the broker to note that we have left.
constexpr seconds leave_patience{2};
/// What a shell says of a program that is not there, or is no program.
constexpr auto not_there = static_cast<Exit>(127);
constexpr auto no_program = static_cast<Exit>(126);

std::uint64_t ms_of(Duration duration) {
  return static_cast<std::uint64_t>(std::chrono::ceil<milliseconds>(duration).count());
}

Exit exit_of(const ChildEnd& end) {
  if (end.refused != 0) return end.refused == ENOENT ? not_there : no_program;
  return end.signal != 0 ? exit_of_signal(end.signal) : static_cast<Exit>(end.code);
}

}  // namespace

LockRun::LockRun(const Surroundings& surroundings, LockOrder order)
    : surroundings_(surroundings),
      order_(std::move(order)),
      signals_({SIGINT, SIGTERM, SIGHUP, SIGQUIT}),
      lease_(order_.ttl) {}

Exit LockRun::run() {
  auto opened = open_client(reactor_, context_, surroundings_);
  if (!opened) {
    complain(fmt::format("muster lock: {}", opened.error().message));
    return Exit::usage;
  }
  client_ = *std::move(opened);
  reactor_.watch(signals_.fd(), net::Interest::readable, [this] { on_signal(); });
  reactor_.on_stall([this](Duration) { watch_deadline(); });
  client_->on_hello([this](const proto::session::Welcome&) {
    if (!session_.empty() && phase_ != Phase::leaving) attach();
  });
  say(order_.limit == 1 ? fmt::format("Setting up lock at path: {}/.lock", order_.name)
                        : fmt::format("Setting up semaphore (limit {}) at prefix: {}", order_.limit,
                                      order_.name));
  open_session();
  reactor_.run();
  return exit_;
}

// --- to the lock ---

void LockRun::open_session() {
  phase_ = Phase::opening;
  const TimePoint sent = BootClock::now();
  const proto::session::Open request{.name = order_.session_name, .ttl_ms = ms_of(order_.ttl)};
  client_->request<proto::session::Open>(
      request, options_of(surroundings_),
      [this, sent](const Result<proto::session::Lease>& opened) { on_opened(sent, opened); });
}

void LockRun::on_opened(TimePoint sent, const Result<proto::session::Lease>& opened) {
  if (!opened) return leave(report("muster lock: ", opened.error(), *client_));
  session_ = opened->id;
  lease_.acknowledged(sent);
  if (phase_ == Phase::leaving) return leave(exit_);  // a signal came first
  keepalive_ = reactor_.every(lease_.keepalive_interval(), [this] { keep_alive(); });
  acquire();
}

void LockRun::acquire() {
  phase_ = Phase::waiting;
  say("Attempting lock acquisition");
  proto::lock::Acquire request{.name = order_.name,
                               .limit = order_.limit,
                               .session = session_,
                               .wait_ms = std::nullopt,
                               .host = host_name(),
                               .pid = static_cast<std::uint64_t>(getpid()),
                               .command = order_.command};
  net::RequestOptions options = options_of(surroundings_);
  options.timeout.reset();
  if (order_.wait) {
    // The broker keeps the time; only if it cannot be asked do we.
    const Duration left = std::max(Duration(0), *order_.wait - (BootClock::now() - began_));
    request.wait_ms = ms_of(left);
    options.timeout = left + surroundings_.timeout;
  }
  acquiring_ = client_->request<proto::lock::Acquire>(
      request, options,
      [this](const Result<proto::lock::Granted>& granted) { on_acquired(granted); });
}

void LockRun::on_acquired(const Result<proto::lock::Granted>& granted) {
  if (phase_ != Phase::waiting) return;
  if (!granted) return on_refused(granted.error());
  // After a pause of ours the grant may be of a session that has ended since.
  if (!lease_.lost(BootClock::now())) return start_child(granted->token);
  granted_ = granted->token;
  attach();
}

void LockRun::on_refused(const Error& error) {
  const bool session_ended = error.code == Code::gone || error.code == Code::not_found;
  if (session_ended) {
    complain("muster lock: the session ended while waiting; asking again");
    reactor_.cancel(keepalive_);
    granted_ = {};
    return open_session();
  }
  if (error.code == Code::timeout || error.code == Code::unavailable) {
    complain("muster: Shutdown triggered or timeout during lock acquisition");
    return leave(Exit::not_acquired);
  }
  complain(fmt::format("muster: Lock acquisition failed: {}", error.message));
  leave(exit_of(error.code));
}

// --- the child ---

os::Command LockRun::guarded(Revision token) const {
  const proto::Fence fence{.lock = order_.name, .token = token};
  return {
      .argv = order_.program,
      .environment = os::environment_with({{"CONSUL_LOCK_HELD", "true"},
                                           {"MUSTER_LOCK", order_.name},
                                           {"MUSTER_LOCK_TOKEN", fmt::format("{}", token.value)},
                                           {"MUSTER_FENCE", format_fence(fence)},
                                           {"MUSTER_SESSION", session_},
                                           {"MUSTER_BROKER", surroundings_.broker}}),
      .input = order_.input,
      .grace = lease_.grace(),
      .leftovers = os::Leftovers::kill,
      .then = {os::program_folder() + "/muster", "session", "end", "-timeout",
               format_duration(lease_.ttl()), "-broker", surroundings_.broker, session_}};
}

void LockRun::start_child(Revision token) {
  phase_ = Phase::holding;
  say("Starting handler");
  auto started =
      Child::start(reactor_, guarded(token), {}, [this](const ChildEnd& end) { on_gone(end); });
  if (!started) {
    complain(fmt::format("Error starting handler: {}", started.error().message));
    return leave(Exit::failed);
  }
  child_ = *std::move(started);
  watch_deadline();
}

void LockRun::on_gone(const ChildEnd& end) {
  if (end.refused != 0) {
    complain(
        fmt::format("Error starting handler: fork/exec {}: {}", order_.program[0], words_for(end)));
  } else if (end.code != 0 || end.signal != 0) {
    say(fmt::format("Error running handler: {}", words_for(end)));
  }
  if (lease_.lost(BootClock::now()) && !ending_)
    complain("muster lock: the lock was lost, its child was ended");
  say("Child terminated, releasing lock");
  leave(exit_of(end));
}

// --- the lease ---

void LockRun::keep_alive() {
  if (keeping_ || phase_ == Phase::leaving) return;
  keeping_ = true;
  const TimePoint sent = BootClock::now();
  net::RequestOptions options = options_of(surroundings_);
  options.timeout = 2 * lease_.keepalive_interval();
  client_->request<proto::session::Keepalive>(
      {.id = session_}, options,
      [this, sent](const Result<proto::session::Lease>& kept) { on_kept(sent, kept); });
}

/// Ties the session to this connection, which is a new one; that keeps it alive, too.
void LockRun::attach() {
  const TimePoint sent = BootClock::now();
  net::RequestOptions options = options_of(surroundings_);
  options.timeout = lease_.ttl();
  client_->request<proto::session::Attach>(
      {.id = session_}, options,
      [this, sent](const Result<proto::session::Lease>& kept) { on_kept(sent, kept); });
}

void LockRun::on_kept(TimePoint sent, const Result<proto::session::Lease>& kept) {
  keeping_ = false;
  if (phase_ == Phase::leaving) return;
  if (kept) {
    lease_.acknowledged(sent);
    if (granted_.value != 0 && !lease_.lost(BootClock::now()))
      return start_child(std::exchange(granted_, {}));
    return watch_deadline();
  }
  if (kept.error().code == Code::conflict) return attach();
  if (kept.error().code != Code::not_found) return;  // silence: the deadline decides
  if (phase_ == Phase::holding) return lose();
  if (granted_.value != 0) on_refused(kept.error());
}

/// Called whenever the deadline may have moved or passed.
void LockRun::watch_deadline() {
  if (phase_ != Phase::holding || !child_) return;
  reactor_.cancel(deadline_);
  if (lease_.lost(BootClock::now())) return lose();
  child_->end_at(lease_.deadline());
  deadline_ = reactor_.at(lease_.deadline(), [this] { watch_deadline(); });
}

void LockRun::lose() {
  if (ending_) return;
  ending_ = true;
  complain("Lock lost, killing child");
  say(fmt::format("Terminating child pid {}", child_->pid()));
  child_->end();
}

// --- the end ---

void LockRun::on_signal() {
  while (const auto signal = signals_.next()) {
    if (phase_ == Phase::opening || phase_ == Phase::waiting) {
      leave(exit_of_signal(*signal));
    } else if (phase_ == Phase::holding) {
      if (!ending_) say("Shutdown triggered, killing child");
      if (!ending_) say(fmt::format("Terminating child pid {}", child_->pid()));
      ending_ = true;
      child_->signal(*signal);
      child_->end();
    } else {
      over();  // a second one: the session ends by its TTL
    }
  }
}

/// Ends the session, and with it the place in the queue or the lock, in one change.
void LockRun::leave(Exit exit) {
  exit_ = exit;
  const bool opening = phase_ == Phase::opening;
  phase_ = Phase::leaving;
  if (acquiring_.value != 0) client_->forget(acquiring_);
  reactor_.after(leave_patience, [this] { over(); });
  if (session_.empty() && (exit == Exit::unreachable || !opening)) return over();
  if (session_.empty()) return;  // it is being opened: on_opened leaves again
  client_->request<proto::session::End>({.id = session_}, options_of(surroundings_),
                                        [this](const Result<proto::Empty>& ended) {
                                          if (ended) say("Cleanup succeeded");
                                          if (ended && child_) child_->dismiss();
                                          over();
                                        });
}

void LockRun::over() { reactor_.stop(); }

void LockRun::say(std::string_view line) const {
  if (order_.talk == Talk::silent) return;
  print_line(line);
  static_cast<void>(flush());  // the child writes to the same place
}

}  // namespace muster::cli
