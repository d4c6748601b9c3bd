// process: a task's command: started, read as far as allowed, ended. The node's only door to forks.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "common/net/reactor.hpp"
#include "common/os/supervised.hpp"
#include "common/protocol/exec.hpp"
#include "node/runner.hpp"

namespace muster::node {

class Process {
 public:
  /// Called from the reactor's turns, never from within the calls below: either `refused`, or
  /// `started` and `exited` once each. The streams end in their own time, also after `exited`.
  struct Events {
    std::function<void()> started;
    std::function<void(const std::string& why)> refused;
    std::function<void(std::uint64_t stream, std::string_view bytes)> output;
    std::function<void(std::uint64_t stream)> ended_stream;
    std::function<void(const Ending& ending)> exited;
  };

  /// `reactor` must outlive it. Errors: unavailable.
  static Result<std::unique_ptr<Process>> start(net::Reactor& reactor,
                                                const proto::exec::Launch& launch,
                                                std::vector<std::string> environment,
                                                Events events);
  ~Process();
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;

  /// From now on a stream is read in pieces of at most so many bytes; 0: not at all.
  void allow(std::uint64_t stream, std::size_t bytes);
  /// Every process of the command.
  void end() { command_.end(); }

 private:
  struct Pipe {
    os::Fd fd;
    net::SourceId source;
    std::size_t allowed = 0;
    bool open = true;
  };
  enum class Content { bytes, nothing, end };

  Process(net::Reactor& reactor, os::Supervised command, Events events, std::string script);
  void read_reports();
  void read(std::uint64_t stream);
  void close(std::uint64_t stream);
  void over();
  void close_unless(bool (*stays)(Content));
  static Content content_of(const os::Fd& pipe);

  net::Reactor& reactor_;
  os::Supervised command_;
  Events events_;
  const std::string script_;  ///< a file to be removed; empty: none
  std::array<Pipe, 2> pipes_;
  net::SourceId control_;
  net::TimerId timer_;
  std::optional<Ending> ending_;
  std::string refusal_;
};

}  // namespace muster::node
