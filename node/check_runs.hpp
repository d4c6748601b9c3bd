// check_runs: the shell around checks: their programs, started, read and ended.
//
// A script is run as it is; a URL and a place are runs of muster-probe, a unit one of systemctl.
#pragma once

#include <array>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "common/net/reactor.hpp"
#include "common/os/supervised.hpp"
#include "node/checks.hpp"

namespace muster::node {

/// A program run to its end, with the last of what it wrote on both streams.
class Capture {
 public:
  /// `done` is called once, from the loop. Errors: unavailable.
  static Result<std::unique_ptr<Capture>> start(net::Reactor& reactor,
                                                std::vector<std::string> argv,
                                                std::vector<std::string> environment,
                                                std::function<void(CheckEnd)> done);
  ~Capture();
  Capture(const Capture&) = delete;
  Capture& operator=(const Capture&) = delete;

  void end() { command_.end(); }

 private:
  Capture(net::Reactor& reactor, os::Supervised command, std::function<void(CheckEnd)> done);
  void read_reports();
  /// False: there is nothing more, or not now.
  bool read(std::size_t stream);
  void close(std::size_t stream);

  struct Pipe {
    os::Fd fd;
    net::SourceId source;
    bool open = true;
  };

  net::Reactor& reactor_;
  os::Supervised command_;
  std::function<void(CheckEnd)> done_;
  std::array<Pipe, 2> pipes_;
  net::SourceId control_;
  CheckEnd end_;
};

class CheckRuns {
 public:
  using Tell = std::function<void(std::vector<proto::health::Finding>)>;

  /// `environment`: what each program has. The reactor must outlive it.
  CheckRuns(net::Reactor& reactor, std::vector<std::string> environment, std::uint64_t seed,
            Tell tell);
  ~CheckRuns();
  CheckRuns(const CheckRuns&) = delete;
  CheckRuns& operator=(const CheckRuns&) = delete;

  void define(const std::vector<proto::health::Check>& checks);
  void registered();
  /// Ends what runs, and starts nothing any more.
  void stop();
  bool idle() const { return runs_.empty(); }

 private:
  void perform();
  void perform(const Checks::Start& effect);
  void perform(const Checks::End& effect);
  void ended(const std::string& id, const CheckEnd& end);
  void arm();

  net::Reactor& reactor_;
  const std::vector<std::string> environment_;
  const Tell tell_;
  Checks checks_;
  std::map<std::string, std::unique_ptr<Capture>> runs_;
  std::vector<std::unique_ptr<Capture>> dropped_;  ///< destroyed outside their own events
  net::TimerId timer_;
  net::TimerId drop_timer_;
  bool stopping_ = false;
};

/// The program and its arguments that find out the check's status.
std::vector<std::string> program_of(const proto::health::Check& check);

}  // namespace muster::node
