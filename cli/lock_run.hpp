// lock_run: one run of `muster lock`: a session, a place in the queue, a child under a guard.
//
//   opening    -- session ---------------> waiting     asks for the lock
//   waiting    -- granted ---------------> holding     the child is started
//   waiting    -- session ended ---------> opening     asks again, at the end of the queue
//   waiting    -- refused, timeout ------> leaving
//   waiting    -- signal ----------------> leaving     at once: it leaves the queue
//   holding    -- child and its tree gone> leaving     ends the session, which hands the lock on
//   holding    -- signal ----------------> holding     passed on; then the tree is ended
//   holding    -- deadline, session ended> holding     lost: the tree is ended (TERM, KILL)
//   leaving    -- session ended ---------> over
//
// The guard (muster-supervise) knows the deadline too, so it is kept while we are stopped; and when
// we die in whatever way it ends the tree first and then the session.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "cli/inquiry.hpp"
#include "cli/lease.hpp"
#include "common/handle/child.hpp"
#include "common/net/signals.hpp"
#include "common/protocol/lock.hpp"

namespace muster::cli {

enum class Talk { silent, verbose };

struct LockOrder {
  std::string name;
  std::uint32_t limit = 1;
  std::optional<Duration> wait;  ///< none: as long as it takes
  std::string session_name;
  Duration ttl = limits::session_ttl_default;
  std::vector<std::string> program;
  std::string command;  ///< for people
  os::Stream input = os::Stream::null;
  Talk talk = Talk::silent;
};

class LockRun {
 public:
  LockRun(const Surroundings& surroundings, LockOrder order);

  Exit run();

 private:
  enum class Phase { opening, waiting, holding, leaving };

  void open_session();
  void on_opened(TimePoint sent, const Result<proto::session::Lease>& opened);
  void acquire();
  void on_acquired(const Result<proto::lock::Granted>& granted);
  void on_refused(const Error& error);
  void start_child(Revision token);
  os::Command guarded(Revision token) const;
  void on_gone(const ChildEnd& end);

  void keep_alive();
  void attach();
  void on_kept(TimePoint sent, const Result<proto::session::Lease>& kept);
  void watch_deadline();
  void lose();

  void on_signal();
  void leave(Exit exit);
  void over();
  void say(std::string_view line) const;

  const Surroundings& surroundings_;
  const LockOrder order_;
  const TimePoint began_ = BootClock::now();

  net::Signals signals_;
  zmq::context_t context_;
  net::Reactor reactor_;
  std::unique_ptr<net::Client> client_;

  Phase phase_ = Phase::opening;
  std::string session_;
  Lease lease_;
  RequestNo acquiring_;
  net::TimerId deadline_;
  net::TimerId keepalive_;
  Revision granted_;  ///< the token, while the lease is confirmed before the child may start
  bool keeping_ = false;
  bool ending_ = false;  ///< the child was told to end
  std::unique_ptr<Child> child_;
  Exit exit_ = Exit::ok;
};

}  // namespace muster::cli
