// handling: which calls the handler of a watch gets, and when: events and the time in, effects out.
//
//   waiting       -- changes ----------> settling      `latest`: until the debounce is over
//   settling      -- due --------------> preparing     what the handler is to be told is fetched
//   waiting       -- changes ----------> preparing     `each`: one call a revision, in order
//   preparing     -- prepared ---------> running       (the same as last time: acknowledging)
//   running       -- ended with 0 -----> acknowledging (no cursor: waiting)
//   running       -- ended otherwise --> waiting       reported by the caller; `retry`: backing_off
//   backing_off   -- due --------------> preparing     the same revision, or a newer state
//   acknowledging -- moved ------------> waiting       the next call, if there is one
//
// Handlers never overlap. With `each` the topic is paused while calls wait: a handler that is
// slower than its changes falls behind in the broker's log, not in memory. With `latest` no more is
// kept of changes than how far they go.
//
// A cursor moves when the handler has ended with 0, before the next call begins. Who is killed
// between the two runs the handler again for that revision; another watcher of the same cursor that
// came first makes its calls ours: they are dropped.
#pragma once

#include <deque>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "common/net/watch_rule.hpp"

namespace muster::handle {

enum class Mode { each, latest };
enum class OnError { go_on, exit, retry };
enum class Runs { endless, once };
/// Whether the state as it is makes the first call.
enum class Begin { with_state, with_changes };
/// Whether a topic has a state, or only what happened on it (events).
enum class Nature { state, stream };

struct Policy {
  Mode mode = Mode::each;
  OnError on_error = OnError::go_on;
  Runs runs = Runs::endless;
  Begin begin = Begin::with_state;
  Nature nature = Nature::state;
  Duration debounce{};             ///< of `latest`
  std::optional<Revision> cursor;  ///< where it stands; none: there is no cursor
  Revision after;                  ///< the watch goes on behind this revision; 0: it does not say
  std::string history;             ///< of these two; empty: whichever is met first
};

/// One run of the handler.
struct Call {
  using Item = proto::watch::Item;
  enum class What {
    state,   ///< what there is at the start
    reset,   ///< what there is, after changes that are not kept any more
    change,  ///< one revision
    merged   ///< several
  };
  What what = What::change;
  std::string history;
  Revision rev;         ///< of the newest change in it: what the handler is told
  Revision upto;        ///< it is complete up to here
  Revision after = {};  ///< of a stream, `latest`: what happened behind this revision
  /// `each`: the items of this revision, or of the state. `latest`: of one change, without body.
  std::vector<Item> items = {};
};

/// What the environment of a handler says of its call (MUSTER_OP=put); absent where merged.
std::vector<std::pair<std::string, std::string>> environment_of(const Call& call);

class Handling {
 public:
  // Effects.
  /// Make what the handler is to be told, and say `prepared`. `latest`: at call.rev or later.
  struct Prepare {
    Call call;
  };
  struct Run {
    Call call;
    std::string input;
  };
  /// Move the cursor, and say `moved`, `stands` (after a conflict) or `not_moved`.
  struct Move {
    std::string history;
    Revision from;
    Revision rev;
    std::optional<std::int64_t> exit_code;  ///< none: no handler has run
  };
  /// A handler failed: the cursor stays. No answer is waited for.
  struct Note {
    std::string history;
    Revision at;
    std::int64_t exit_code = 0;
  };
  struct Pause {};
  struct Resume {};
  /// Nothing more is to be done. 0: as asked for.
  struct Over {
    std::int64_t exit_code = 0;
  };
  using Effect = std::variant<Prepare, Run, Move, Note, Pause, Resume, Over>;

  explicit Handling(Policy policy);

  void changes(const net::WatchRule::Changes& changes, TimePoint now);
  void reset(const net::WatchRule::Reset& reset, TimePoint now);
  /// With what the call was prepared, complete up to `upto` (of `each`: the call's own).
  void prepared(std::string input, Revision upto, TimePoint now);
  /// It could not be; it is tried again in a moment.
  void not_prepared(TimePoint now);
  /// The handler has ended: its exit code, 128 + the signal that killed it.
  void ended(std::int64_t exit_code, TimePoint now);
  void moved(TimePoint now);
  void stands(Revision at, TimePoint now);
  void not_moved(TimePoint now);
  /// Nothing was missed up to `seen`: a cursor far behind is moved there.
  void idle(const std::string& history, Revision seen);
  void tick(TimePoint now);

  std::optional<TimePoint> next_due() const { return due_; }
  std::vector<Effect> take() { return std::exchange(effects_, {}); }
  /// Of the last call that was made, or where the watch began; 0: none.
  Revision told() const { return told_; }
  bool begun() const { return begun_; }

 private:
  enum class State { waiting, settling, preparing, running, backing_off, acknowledging, over };

  void add_each(const net::WatchRule::Changes& changes);
  void add_latest(const net::WatchRule::Changes& changes);
  void next(TimePoint now);
  void prepare();
  void acknowledge(std::optional<std::int64_t> exit_code);
  void acknowledged(TimePoint now);
  void over(std::int64_t exit_code);
  void due_at(State state, TimePoint when);

  const Policy policy_;
  State state_ = State::waiting;
  std::deque<Call> calls_;  ///< waiting; of `latest` one at most
  std::optional<Call> call_;
  std::optional<std::int64_t> exit_code_;  ///< of the handler that is being acknowledged
  std::string last_input_;                 ///< of `latest`
  bool has_last_input_ = false;
  bool begun_ = false;
  bool paused_ = false;
  Revision told_;
  Revision done_;    ///< `latest`: what was prepared last holds everything up to here
  Revision cursor_;  ///< where the cursor stands, with a cursor
  std::string history_;
  unsigned failures_ = 0;  ///< of the present call, in a row
  std::optional<TimePoint> due_;
  std::vector<Effect> effects_;
};

}  // namespace muster::handle
