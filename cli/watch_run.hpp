// watch_run: a watch with a handler: a program, run when a Driver says so.
//
//   connecting -- welcome ------------> watching   the Driver decides on each call
//   watching   -- it wants a run -----> running    the handler's processes, under a supervisor
//   any        -- signal -------------> ending     they are ended, then over
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "cli/inquiry.hpp"
#include "cli/watch_order.hpp"
#include "common/handle/surroundings.hpp"
#include "common/net/signals.hpp"

namespace muster::cli {

class WatchRun {
 public:
  WatchRun(const Surroundings& surroundings, WatchOrder order);
  ~WatchRun();

  Exit run();

 private:
  void look_at_link();
  void handle_call(const handle::Call& call, std::string input);
  void on_gone(const ChildEnd& end);
  void on_signal();
  void give_up(Exit exit);

  const Surroundings& surroundings_;
  const WatchOrder order_;

  net::Signals signals_;
  zmq::context_t context_;
  net::Reactor reactor_;
  std::unique_ptr<net::Client> client_;
  std::unique_ptr<handle::Driver> driver_;

  std::unique_ptr<Child> handler_;  ///< the one that runs, or ran last
  bool running_ = false;
  bool late_ = false;      ///< it was ended, since it took too long
  bool reached_ = false;   ///< the broker was there when last looked at
  net::TimerId patience_;  ///< with the handler
  std::optional<Exit> ending_;
  Exit exit_ = Exit::ok;
};

}  // namespace muster::cli
