// runner: the tasks of this node: what to start, read, tell and end. Pure: events in, effects out.
//
//   (unknown) -- launch --> accepted    noted on disk before it is forked: never started twice
//   (unknown) -- stop   --> stopped     a tombstone: a launch that comes late is refused
//   accepted  -- noted --> running      forked; or not_started, which is reported
//   running   -- stop, timeout --> running, being ended
//   running   -- exited --> exited      the caller does not have all output yet
//   exited    -- it has, or is not waited for any more --> reporting
//   reporting -- the broker has it --> done
//
// Being told "launch" again starts nothing. Nothing is said to a broker that does not know this
// connection as ours (between disconnected and registered); what it missed is said afterwards.
#pragma once

#include <array>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "common/error.hpp"
#include "common/protocol/catalog.hpp"
#include "common/protocol/exec.hpp"
#include "common/types.hpp"
#include "node/fact.hpp"
#include "node/output.hpp"
#include "node/past.hpp"

namespace muster::node {

// Effects, to be done in their order.
struct Note {  ///< into the journal; of an `accepted` the outcome is told: noted() or not_started()
  Fact fact;
};
struct Fork {
  proto::exec::Launch launch;
};
struct Allow {  ///< the stream may be read in pieces of so many bytes; 0: do not
  std::string job;
  std::uint64_t stream = 0;
  std::size_t bytes = 0;
};
/// To the broker. Its answer is told: of Output taken() or missed(), of Exited reported() or
/// not_reported().
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

/// One of a task's two streams.
struct StreamId {
  std::string job;
  std::uint64_t number = 0;  ///< 1 stdout, 2 stderr
};

class Runner {
 public:
  /// What the journal holds, oldest first: tasks of an earlier life, which are lost, and the past.
  void remember(const std::vector<Fact>& facts);

  // From the broker.
  /// Errors: conflict (a stop was here first), gone (it was run and reported), busy (too many
  /// tasks), unavailable (the daemon stops), invalid (the id).
  Result<proto::Empty> launch(const proto::exec::Launch& launch, TimePoint now);
  /// Errors: invalid (the id).
  Result<proto::Empty> stop(const std::string& job);
  void credit(const proto::exec::Credit& credit, TimePoint now);
  void registered();
  void disconnected() { registered_ = false; }
  void taken(const StreamId& stream);
  void missed(const StreamId& stream, std::uint64_t offset, TimePoint now);
  void reported(const std::string& job);
  void not_reported(const std::string& job, TimePoint now);

  // From the journal and the process.
  void noted(const std::string& job);
  void not_started(const std::string& job, const std::string& why);
  void started(const std::string& job);
  void output(const StreamId& stream, std::string_view bytes);
  void ended_stream(const StreamId& stream);
  void exited(const std::string& job, const Ending& ending, TimePoint now);

  void tick(TimePoint now);
  std::optional<TimePoint> next_due() const;
  std::vector<Effect> take() { return std::exchange(effects_, {}); }

  /// For the registration.
  std::vector<proto::catalog::KnownTask> known() const;
  /// All that is to be remembered: the journal, written anew.
  std::vector<Fact> facts() const;
  /// The daemon stops: all tasks are ended, none is taken.
  void stop_all();
  bool idle() const { return tasks_.empty(); }
  /// No task has a process any more.
  bool quiet() const;

 private:
  enum class State { accepted, running, exited, reporting };
  struct Task {
    State state = State::accepted;
    std::optional<proto::exec::Launch> launch;  ///< until it is forked
    std::array<Output, 2> streams;
    std::array<std::size_t, 2> allowed{};  ///< what the process was told last
    std::string verdict;                   ///< why it was ended by us; empty: it was not
    std::string message;
    std::optional<Ending> ending;
    proto::exec::Outcome outcome;  ///< when reporting
    std::optional<TimePoint> due;  ///< the timeout; the end of patience; when to report again
    bool said = false;             ///< its report is on its way
    bool hungry = false;           ///< stands in hungry_
  };

  struct Why {
    std::string verdict;
    std::string message;
  };
  Task* find(const std::string& job);
  void end(const std::string& job, Task& task, Why why);
  void conclude_if_over(const std::string& job, Task& task);
  void conclude(const std::string& job, Task& task);
  void report(const std::string& job, Task& task);
  void tell(const std::string& job, Task& task);
  void wait_for_turn(const std::string& job, Task& task);
  void feed();
  void allow(const std::string& job, Task& task);
  void allow_all_if_changed();
  /// All that changes what a stream keeps goes through here.
  template <class Change>
  void change(Output& output, Change what) {
    kept_bytes_ -= output.kept();
    what();
    kept_bytes_ += output.kept();
  }

  std::map<std::string, Task> tasks_;
  Past past_;
  std::vector<Effect> effects_;
  std::deque<std::string> hungry_;     ///< have something to tell, and too much is on its way
  std::optional<TimePoint> feed_due_;  ///< when to try again what was missed
  unsigned pieces_under_way_ = 0;
  std::size_t kept_bytes_ = 0;  ///< output of all streams
  bool full_ = false;           ///< too much is kept
  bool registered_ = false;
  bool stopping_ = false;
};

}  // namespace muster::node
