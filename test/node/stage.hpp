// stage: a node's agent with real processes, against a scripted broker on loopback.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>

#include "node/agent.hpp"
#include "test/net/fake_broker.hpp"
#include "test/support/temporary.hpp"

namespace muster::node {

class Stage {
 public:
  /// A broker that takes what is reported; a node daemon that is registered with it.
  Stage();
  ~Stage();

  /// The daemon dies, and is started again on the same folder.
  void restart_node();
  void start_node();
  void stop_node();
  bool wait(const std::function<bool()>& done);
  bool wait_registered() {
    return wait([this] { return registrations > 0; });
  }

  void launch(const proto::exec::Launch& launch) { ask(launch); }
  /// A line for the shell, with as much credit as it likes.
  void run(const std::string& job, const std::string& line) { launch(line_of(job, line)); }
  static proto::exec::Launch line_of(const std::string& job, const std::string& line) {
    proto::exec::Launch launch{.job = job, .kill_grace_ms = 500, .credit = 100 * limits::MiB};
    launch.command.line = line;
    return launch;
  }
  void stop(const std::string& job) { ask(proto::exec::Stop{.job = job}); }
  void credit(const std::string& job, std::uint64_t have, std::uint64_t allow) {
    ask(proto::exec::Credit{.job = job, .stream = 1, .have = have, .allow = allow});
  }
  /// As the broker's own request.
  template <class R>
  void ask(const R& request) {
    broker.raw(route, proto::encode_header({.verb = std::string(R::verb), .no = RequestNo{++no_}}),
               codec::encode(request));
  }

  /// How it ended; waits for that.
  proto::exec::Outcome outcome(const std::string& job);
  /// Waits until so many bytes of stdout are here.
  std::string& out(const std::string& job, std::size_t at_least = 0);
  std::string line(const std::string& job);

  zmq::context_t context;
  net::Reactor reactor;
  net::FakeBroker broker{reactor, context};
  test::TemporaryFolder folder;
  test::TemporaryFolder definitions;
  std::unique_ptr<Journal> journal;
  std::unique_ptr<Agent> agent;

  std::string route;                  ///< of the node's last registration
  proto::catalog::Register enrolled;  ///< the same
  int registrations = 0;              ///< since the daemon's start
  int refused = 0;                    ///< registrations, by refuse_enrol
  std::map<std::string, std::string> stdouts;
  std::map<std::string, std::string> stderrs;
  std::map<std::string, proto::exec::Outcome> outcomes;
  bool acknowledging = true;           ///< output, as it comes
  std::optional<Error> refuse_output;  ///< while set
  std::optional<Error> refuse_enrol;

 private:
  void take_output(const proto::exec::Output& output);
  std::uint64_t no_ = 0;
};

bool alive(int pid);

}  // namespace muster::node
