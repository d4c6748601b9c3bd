// hub: from records to notices, for topics that somebody subscribed to (DESIGN section 5).
//
// It knows of each such topic the newest revision, and nothing else: what a notice says comes from
// the record. `prev` promises that nothing happened on the topic in (prev, rev); a topic that
// starts uses the newest revision known, or the applied one: too high costs a read, too low would
// be a miss.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "broker/state/record.hpp"
#include "broker/state/store.hpp"
#include "common/protocol/watch.hpp"

namespace muster::core {

struct Publication {
  std::string topic;
  std::string body;
};

class Hub {
 public:
  /// `store` must outlive the hub.
  explicit Hub(const state::Store& store) : store_(store) {}

  void lead(std::string history, Epoch epoch, Revision applied);

  /// A subscription was accepted, or the last one to a topic went. A tail is due at the next
  /// publish. False: too many topics.
  bool subscribed(std::string_view topic);
  void unsubscribed(std::string_view topic);

  /// After the record was applied: notices to be sent, in order.
  void publish(const state::Record& record);
  /// Tails for topics subscribed to since the last call.
  void tails();
  std::vector<Publication> take();

  /// The newest committed change on a topic, as far as is known: never too low.
  Revision newest(std::string_view topic) const;
  Revision applied() const { return applied_; }
  std::size_t topics() const { return topics_.size(); }

 private:
  /// What a notice is to say; sent before it grows too large.
  struct Draft {
    std::vector<proto::watch::Item> items;
    std::size_t bytes = 0;
    Revision rev;
  };
  void collect(const state::Record& record, const state::Change& change,
               std::map<std::string, Draft>& drafts);
  void add(std::map<std::string, Draft>& drafts, const std::string& topic,
           const state::Change& change, std::vector<proto::watch::Item> items);
  void send(const std::string& topic, Draft draft);

  const state::Store& store_;
  std::string history_;
  Epoch epoch_;
  Revision applied_;
  std::unordered_map<std::string, Revision> topics_;   ///< subscribed: newest revision
  std::map<std::size_t, std::size_t> prefix_lengths_;  ///< of subscribed keyprefix topics: how many
  std::set<std::string> fresh_;                        ///< subscribed since the last turn
  std::vector<Publication> out_;
};

/// What a change says to a topic; empty when it says nothing.
std::vector<proto::watch::Item> items_of(const state::Record& record, const state::Change& change,
                                         const proto::watch::Topic& topic);

/// A committed revision at or above every change on the topic (never too low).
Revision newest_known(const state::View& view, std::string_view topic, Revision otherwise);
/// Of the keys that begin with `prefix`, as far as the log goes back. None: there are more changes
/// than `rows_max`.
std::optional<Revision> newest_under(const state::View& view, std::string_view prefix,
                                     std::size_t rows_max);

}  // namespace muster::core
