// runner: the tasks of this node: what to start, send, read and end. Pure: events in, effects out.
//
//   (unknown) -- launch --> accepted    on disk before anything is forked: never started twice
//   (unknown) -- stop   --> stopped     a tombstone: a launch that comes late is refused
//   accepted  -- started --> running    or refused: not_started
//   running   -- exited --> exited      output may still be under way
//   running   -- stop | timeout --> ending, then exited
//   exited    -- all output acknowledged (or nobody does for output_patience) --> reporting
//   reporting -- the broker has it --> done
//
// Output flows by credit: a stream is read only as far as its caller allows, and what was sent is
// kept until the caller has it. So a slow caller slows the command and nothing fills memory.
#pragma once

#include <array>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <variant>
#include <vector>

#include "common/error.hpp"
#include "common/limits.hpp"
#include "common/protocol/catalog.hpp"
#include "common/protocol/exec.hpp"
#include "common/types.hpp"

namespace muster::node {

// Effects, to be done in their order.
struct Note {  ///< on disk before the next effect
  std::string job;
  std::string what;  ///< accepted, stopped, done
};
struct Fork {
  proto::exec::Launch launch;
};
struct Allow {  ///< the stream may be read up to so many bytes more; 0: do not
  std::string job;
  std::uint64_t stream = 0;
  std::size_t bytes = 0;
};
struct Say {
  std::variant<proto::exec::Started, proto::exec::Output, proto::exec::Exited> what;
};
struct End {  ///< every process of the task
  std::string job;
};
struct Drop {  ///< nothing more is to be known of its process
  std::string job;
};
using Effect = std::variant<Note, Fork, Allow, Say, End, Drop>;

/// How a process ended.
struct Ending {
  int code = 0;
  int signal = 0;
  Duration duration{};
};

class Runner {
 public:
  /// What the journal remembers: tasks of an earlier life, which are lost, and ids that are known.
  void remember(const std::vector<std::string>& unfinished, const std::vector<std::string>& known,
                const std::vector<std::string>& stopped);

  // From the broker. Errors: conflict (a stop was here first), busy (too many tasks).
  Result<proto::Empty> launch(const proto::exec::Launch& launch, TimePoint now);
  void stop(const std::string& job, TimePoint now);
  void credit(const proto::exec::Credit& credit);
  /// The broker has the task's end.
  void reported(const std::string& job);

  // From the process.
  void started(const std::string& job);
  void not_started(const std::string& job, const std::string& why);
  void output(const std::string& job, std::uint64_t stream, std::string bytes);
  void ended_stream(const std::string& job, std::uint64_t stream);
  void exited(const std::string& job, const Ending& ending, TimePoint now);

  void tick(TimePoint now);
  std::optional<TimePoint> next_due() const;

  /// After a registration: reports that nobody has confirmed are said again.
  void registered();
  std::vector<proto::catalog::KnownTask> known() const;
  /// All are to end: the daemon stops.
  void stop_all(TimePoint now);
  bool idle() const { return tasks_.empty(); }

  std::vector<Effect> take() { return std::exchange(effects_, {}); }

 private:
  struct Chunk {
    std::uint64_t offset = 0;
    std::string bytes;
  };
  struct Stream {
    std::deque<Chunk> unacked;
    std::uint64_t produced = 0;  ///< bytes that were read
    std::uint64_t have = 0;      ///< that the caller has
    std::uint64_t allow = 0;     ///< that the caller takes
    std::size_t allowed = 0;     ///< what the process was told last
    bool eof = false;
  };
  struct Task {
    std::string state;  ///< accepted, running, exited, reporting
    std::array<Stream, 2> streams;
    std::optional<Ending> ending;
    std::string verdict = "exited";  ///< or cancelled, timeout
    std::optional<TimePoint> due;    ///< the timeout, or the end of patience
    bool ending_asked = false;
    proto::exec::Outcome outcome;
  };

  Stream* stream_of(const std::string& job, std::uint64_t stream);
  void allow(const std::string& job, std::uint64_t number, Stream& stream);
  void end(const std::string& job, Task& task, std::string verdict);
  void conclude_if_over(const std::string& job);
  void conclude(const std::string& job, Task& task);
  void say_end(const std::string& job, const Task& task);
  void keep_known(const std::string& job);

  std::map<std::string, Task> tasks_;
  std::set<std::string> stopped_;  ///< tombstones
  std::deque<std::string> order_;  ///< of known ids, oldest first: the bound
  std::set<std::string> known_;
  std::vector<Effect> effects_;
};

}  // namespace muster::node
