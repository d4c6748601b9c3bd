// errands: what waits for a disk, done one after the other by a thread of its own.
//
//   take -> waiting -- begin_next --> under way, the thread's -- take_done --> answered
//
// A save waits until LMDB holds all that was committed before it was asked for.
#pragma once

#include <deque>
#include <optional>
#include <vector>

#include "broker/archive.hpp"
#include "broker/state/checkpointer.hpp"

namespace muster::broker {

class Errands {
 public:
  /// `archive` is borrowed, and the thread's from now on.
  explicit Errands(Archive& archive) : archive_(archive) {}

  /// `committed`: the log's last record.
  void take(core::Errand errand, Seq committed);
  /// If the thread is idle, the next begins, if LMDB holds what it needs.
  void begin_next(Seq checkpointed, TimePoint now);
  /// Whether the next waits for a checkpoint.
  bool wants_checkpoint(Seq checkpointed) const;

  /// Who waits for a checkpoint, which the disk does not take: they wait no more.
  std::vector<state::RequestId> give_up_saves(Seq checkpointed);

  struct Done {
    state::RequestId asker;
    Result<Bytes> answer;
    std::optional<Candidate> candidate;  ///< the answer comes when it is the state
  };
  /// Readable when one is done.
  int fd() const { return thread_.fd(); }
  std::optional<Done> take_done();

 private:
  struct Waiting {
    core::Errand errand;
    Seq needs;
  };

  void look_at_old(TimePoint now);

  std::deque<Waiting> waiting_;
  TimePoint looked_;

  // The thread's while it runs.
  Archive& archive_;
  std::optional<Done> done_;  ///< none: it only looked at what is old
  bool keeps_some_ = false;

  state::Checkpointer thread_;  ///< last: it ends before what it uses
};

}  // namespace muster::broker
