// driver: a Handling in a loop with a broker: its cursor, its topic, what its calls are told.
//
//   opening    -- cursor stands at --> subscribed    the topic's changes go to the Handling
//   subscribed -- it wants a call ---> preparing     the state is read, or is in the change
//   preparing  -- it wants a run ----> running       the owner runs the handler, and says `ended`
//
// How a handler is run is the owner's: a process of `muster watch`, or of a node, or a POST.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "common/handle/handling.hpp"
#include "common/handle/subject.hpp"
#include "common/handle/watch_state.hpp"
#include "common/net/subscription.hpp"
#include "common/protocol/cursor.hpp"

namespace muster::handle {

/// What is to be watched, from where, and how often the handler is called.
struct Order {
  Subject subject;
  Policy policy;
  std::optional<Revision> after;  ///< goes on behind this revision, unless the cursor says where
  std::string cursor;             ///< its name; empty: none
  std::string node;               ///< whose definitions it stands in; empty: nobody's
};

class Driver {
 public:
  struct Events {
    std::function<void(const Call& call, std::string input)> run;
    std::function<void(std::int64_t exit_code)> over;
    std::function<void(const Error& error)> failed;       ///< it cannot go on
    std::function<void(const std::string& line)> notice;  ///< for people
  };

  /// The client must outlive it. `asking`: with which cause.
  Driver(net::Client& client, Order order, const net::RequestOptions& asking, Events events);
  ~Driver();
  Driver(const Driver&) = delete;
  Driver& operator=(const Driver&) = delete;

  void begin();
  /// The handler that was to run has ended: its exit code, 128 + the signal that killed it.
  void ended(std::int64_t exit_code);
  /// The revision of the last call; 0: none.
  Revision told() const { return handling_ ? handling_->told() : Revision{}; }

 private:
  void open_cursor();
  void opened(const Result<proto::cursor::Opened>& answer);
  void begin_with_state();
  void subscribe(net::Cursor from);
  void topic_failed(const Error& error);
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
  void fail(const Error& error);
  template <class Request, class Done>
  void ask(const Request& request, Done done);

  net::Client& client_;
  net::Reactor& reactor_;
  Order order_;
  const std::string topic_;
  const net::RequestOptions asking_;
  const Events events_;

  std::unique_ptr<net::Subscription> subscription_;
  StateReader reader_;
  std::optional<Handling> handling_;
  RequestNo asked_;  ///< of cursors: one at a time
  bool performing_ = false;
  bool stopped_ = false;
  net::TimerId timer_;  ///< the Handling's
  net::TimerId idle_;
};

}  // namespace muster::handle
