// watch_run: a watch with a handler: each change in order, one call each, none merged.
//
//   connecting -- state or changes --> calling   the calls are queued, the topic is paused
//   calling    -- handler gone ------> calling   the next call
//   calling    -- queue empty -------> waiting   the topic goes on from where it stands
//   any        -- signal ------------> ending    the handler's processes are ended, then over
//
// Handlers never overlap. While one runs, the watch falls behind in the broker's log, not in
// memory.
#pragma once

#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "cli/child.hpp"
#include "cli/inquiry.hpp"
#include "common/net/signals.hpp"
#include "common/net/subscription.hpp"

namespace muster::cli {

/// What is watched.
enum class WatchType { key, event };

struct WatchOrder {
  WatchType type = WatchType::key;
  std::string name;                  ///< of the key or event; an empty event name: all
  std::vector<std::string> program;  ///< the handler
  std::optional<Revision> after;     ///< goes on after this revision
};

class WatchRun {
 public:
  WatchRun(const Surroundings& surroundings, WatchOrder order);

  Exit run();

 private:
  using Item = proto::watch::Item;
  /// One run of the handler.
  struct Call {
    Revision rev;
    std::string op;
    std::string author;
    std::string input;
  };

  void subscribe();
  void look_at_link();
  void on_changes(const net::WatchRule::Changes& changes);
  void on_reset(const net::WatchRule::Reset& reset);
  void add(const Item& item);
  void add_absent(Revision rev);
  void call_next();
  void on_gone(const ChildEnd& end);
  void on_signal();
  void give_up(Exit exit);

  const Surroundings& surroundings_;
  const WatchOrder order_;
  const std::string topic_;

  net::Signals signals_;
  zmq::context_t context_;
  net::Reactor reactor_;
  std::unique_ptr<net::Client> client_;
  std::unique_ptr<net::Subscription> subscription_;

  std::deque<Call> calls_;
  std::unique_ptr<Child> handler_;  ///< the one that runs
  bool running_ = false;
  bool begun_ = false;    ///< the state or a change has come
  bool reached_ = false;  ///< the broker was there when last looked at
  Revision last_;         ///< of the last call
  std::optional<Exit> ending_;
  Exit exit_ = Exit::ok;
};

}  // namespace muster::cli
