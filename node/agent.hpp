// agent: the shell around the runner: a conversation with the broker, processes, the journal.
//
// It registers after each welcome, subscribes to node:NAME (the sign that this process lives), does
// what the runner asks for, and tells the runner what happened. It decides nothing about tasks.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "common/definitions/definitions.hpp"
#include "common/net/client.hpp"
#include "common/net/subscription.hpp"
#include "node/check_runs.hpp"
#include "node/journal.hpp"
#include "node/options.hpp"
#include "node/process.hpp"
#include "node/runner.hpp"
#include "node/watches.hpp"

namespace muster::node {

class Agent {
 public:
  /// All borrowed must outlive it. Throws Failure: the definitions, the broker's endpoint.
  Agent(net::Reactor& reactor, zmq::context_t& context, const Options& options, Journal& journal);
  ~Agent();
  Agent(const Agent&) = delete;
  Agent& operator=(const Agent&) = delete;

  /// Called once, when the node is registered for the first time.
  void on_ready(std::function<void()> ready) { ready_ = std::move(ready); }
  /// Reads the definitions again; with an error in them what was there stays, and that is told.
  proto::catalog::Reloaded reload();
  /// Ends all tasks and reports them.
  void stop();
  /// After stop(): no process is left, and the broker, if it listens to us, knows how all ended.
  bool done() const { return check_runs_.idle() && tasks_done(); }
  bool tasks_done() const {
    return runner_.idle() || (runner_.quiet() && (failed_ || !client_->reached()));
  }
  /// Why the daemon cannot go on, if so.
  const std::optional<Error>& failed() const { return failed_; }

 private:
  void serve();
  void welcomed(const proto::session::Welcome& welcome);
  void enrol();
  void enrolled(const proto::catalog::Registered& answer, std::uint64_t of);
  void not_enrolled(const Error& error, std::uint64_t of);
  void go_back(const Error& error);
  Result<Done> current(const std::string& history, Epoch epoch) const;

  void define_checks();
  void tell(std::vector<proto::health::Finding> findings);
  void perform();
  void perform(Note& effect);
  void perform(Fork& effect);
  void perform(Allow& effect);
  void perform(Say& effect);
  void perform(End& effect);
  void perform(Drop& effect);
  void say(const proto::exec::Started& started);
  void say(const proto::exec::Output& output);
  void say(const proto::exec::Exited& exited);
  Result<Done> remember(const Fact& fact);
  Process::Events events_of(const std::string& job);
  std::vector<std::string> environment(
      std::vector<std::pair<std::string, std::string>> names) const;
  void arm();

  net::Reactor& reactor_;
  const Options options_;
  Journal& journal_;
  Definitions definitions_;
  std::uint64_t version_ = 0;            ///< of the definitions: +1 when they are others
  std::optional<Definitions> accepted_;  ///< before a reload that the broker has not taken yet
  std::string problem_;                  ///< why the newest definitions are not these
  std::vector<proto::health::Check> api_checks_;
  std::unique_ptr<net::Client> client_;
  std::optional<net::Subscription> subscription_;
  std::optional<Watches> watches_;  ///< of the definitions
  Runner runner_;
  CheckRuns check_runs_;
  std::map<std::string, std::unique_ptr<Process>> processes_;
  std::vector<std::unique_ptr<Process>> dropped_;  ///< destroyed outside their own events
  std::function<void()> ready_;
  std::optional<Error> failed_;
  net::TimerId timer_;  ///< the runner's
  net::TimerId enrol_timer_;
  net::TimerId drop_timer_;
  bool registered_ = false;  ///< once, at least
  bool performing_ = false;
};

}  // namespace muster::node
