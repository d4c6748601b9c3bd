// watch_rule: the rule by which a subscriber misses nothing (DESIGN section 5), without sockets.
//
//   on notice n:   n.history is another     -> read; the answer is a reset
//                  n.rev <= seen            -> ignore (a duplicate)
//                  n.prev <= seen < n.rev   -> deliver n; seen = n.rev
//                  n.prev >  seen           -> read {after: seen, at_least: n.rev}
//
// One read a topic at a time; meanwhile, and while a topic is paused, notices are remembered by
// their greatest revision only, so that a slow consumer falls behind in the log and not in memory.
// A sync proves what notices cannot: that the last one was not lost. A topic that is behind in two
// syncs without a notice in between has lost its subscription, and subscribes again (libzmq #4064).
#pragma once

#include <map>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "common/error.hpp"
#include "common/limits.hpp"
#include "common/protocol/session.hpp"
#include "common/protocol/watch.hpp"

namespace muster::net {

/// Where a watch begins: after a revision (0: with the state as it is), or, without one, with what
/// happens from now on. `history` is the one that the revision is of; empty: whichever is met
/// first.
struct Cursor {
  std::optional<Revision> after;
  std::string history = {};
};

class WatchRule {
 public:
  using Item = proto::watch::Item;

  // Effects.
  struct Subscribe {
    std::string topic;
  };
  struct Resubscribe {
    std::string topic;
  };
  struct Unsubscribe {
    std::string topic;
  };
  struct Read {
    proto::watch::Read request;
    Revision at_least;
  };
  /// What happened on the topic, each revision once and in order; up to `rev` nothing else did.
  struct Changes {
    std::string topic;
    std::string history;
    Revision rev;
    std::vector<Item> items;
  };
  /// The changes are not kept or not known of: this is the state at `rev`.
  struct Reset {
    std::string topic;
    std::string history;
    Revision rev;
    std::vector<Item> items;
  };
  /// The topic cannot be watched (invalid, denied, too_large); it is forgotten.
  struct Failed {
    std::string topic;
    Error error;
  };
  using Effect = std::variant<Subscribe, Resubscribe, Unsubscribe, Read, Changes, Reset, Failed>;

  /// The topic must not be watched already.
  void add(const std::string& topic, Cursor from, TimePoint now);
  /// An answer to its read that is still to come must not be handed in.
  void remove(const std::string& topic);
  /// Nothing is delivered until resume().
  void pause(const std::string& topic);
  void resume(const std::string& topic, TimePoint now);

  void on_hello(const proto::session::Welcome& welcome, TimePoint now);
  void on_notice(const std::string& topic, proto::watch::Notice notice, TimePoint now);
  void on_answer(const std::string& topic, Result<proto::watch::Answer> answer, TimePoint now);
  /// What to ask for the proof; due after each hello and every limits::sync_interval.
  std::vector<proto::watch::Sync> syncs() const;
  void on_synced(const proto::watch::Sync& asked, const proto::watch::Synced& synced,
                 TimePoint now);
  /// At next_due() or later: reads that failed are asked again.
  void tick(TimePoint now);
  std::optional<TimePoint> next_due() const;
  std::vector<Effect> take() { return std::exchange(effects_, {}); }

  /// Up to where nothing is missing; none: not begun, or not watched.
  std::optional<Revision> seen(const std::string& topic) const;

 private:
  struct Topic {
    std::string history;           ///< empty: not known yet
    std::optional<Revision> seen;  ///< none: from now on, which is not known yet
    Revision want;                 ///< the greatest revision that was noticed
    bool state_due = false;        ///< the state is to be read, whatever the revisions
    bool proven = false;           ///< `seen` has been confirmed by a broker of `history`
    bool reading = false;
    bool paused = false;
    std::optional<TimePoint> retry_at;  ///< no read before
    unsigned unnoticed = 0;             ///< syncs in a row that found it behind, without a notice
  };

  void read_if_due(const std::string& name, Topic& topic, TimePoint now);
  void retry_later(Topic& topic, TimePoint now);
  void deliver(const std::string& name, Topic& topic, std::vector<Item> items, Revision rev);
  void take_state(const std::string& name, Topic& topic, proto::watch::Answer answer,
                  TimePoint now);
  void take_changes(const std::string& name, Topic& topic, proto::watch::Answer answer,
                    TimePoint now);
  void on_read_error(const std::string& name, Topic& topic, const Error& error, TimePoint now);
  void take_proof(const std::string& name, Topic& topic, Revision asked, bool behind,
                  const proto::watch::Synced& synced);

  std::map<std::string, Topic> topics_;
  bool greeted_ = false;  ///< there is a broker to read from
  std::vector<Effect> effects_;
};

}  // namespace muster::net
