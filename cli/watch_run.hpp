// watch_run: a watch with a handler: the shell around a Handling, which decides on each call.
//
//   connecting -- cursor, if any ----> subscribed   the topic's changes go to the Handling
//   subscribed -- it wants a call ---> preparing    the state is read, or is in the change
//   preparing  -- it wants a run ----> running      the handler's processes, under a supervisor
//   any        -- signal ------------> ending       they are ended, then over
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "cli/child.hpp"
#include "cli/inquiry.hpp"
#include "cli/watch_order.hpp"
#include "cli/watch_state.hpp"
#include "common/net/signals.hpp"
#include "common/net/subscription.hpp"

namespace muster::cli {

class WatchRun {
 public:
  WatchRun(const Surroundings& surroundings, WatchOrder order);
  ~WatchRun();

  Exit run();

 private:
  using Handling = handle::Handling;

  void begin();
  void open_cursor();
  void subscribe(net::Cursor from);
  void look_at_link();
  void on_reset(const net::WatchRule::Reset& reset);

  void perform();
  void perform(const Handling::Prepare& effect);
  void perform(Handling::Run& effect);
  void perform(const Handling::Move& effect);
  void perform(const Handling::Note& effect);
  void perform(const Handling::Pause& effect);
  void perform(const Handling::Resume& effect);
  void perform(const Handling::Over& effect);
  void ask_where_it_stands(Revision otherwise);
  void arm();

  void on_gone(const ChildEnd& end);
  void on_signal();
  void give_up(Exit exit);

  const Surroundings& surroundings_;
  WatchOrder order_;
  const std::string topic_;

  net::Signals signals_;
  zmq::context_t context_;
  net::Reactor reactor_;
  std::unique_ptr<net::Client> client_;
  std::unique_ptr<net::Subscription> subscription_;
  std::unique_ptr<StateReader> reader_;
  std::optional<Handling> handling_;

  std::unique_ptr<Child> handler_;  ///< the one that runs, or ran last
  bool running_ = false;
  bool late_ = false;     ///< it was ended, since it took too long
  bool reached_ = false;  ///< the broker was there when last looked at
  bool performing_ = false;
  net::TimerId timer_;     ///< the Handling's
  net::TimerId patience_;  ///< with the handler
  std::optional<Exit> ending_;
  Exit exit_ = Exit::ok;
};

}  // namespace muster::cli
