// subscription: topics watched over a client's connection, with nothing missed.
//
// A SUB socket for notices, opened at the first welcome; reads and proofs go through the client.
// What is to be done is decided by WatchRule. Handlers are called from the reactor's turns, in
// order, each revision once; one that cannot keep up pauses its topic and misses nothing by that.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>

#include "common/net/client.hpp"
#include "common/net/watch_rule.hpp"

namespace muster::net {

/// What a watcher of one topic is told. It may add, remove, pause and resume topics.
struct Watcher {
  std::function<void(const WatchRule::Changes&)> changes;
  std::function<void(const WatchRule::Reset&)> reset;
  std::function<void(const Error&)> failed = {};  ///< the topic cannot be watched; it is forgotten
};

class Subscription {
 public:
  /// The client must outlive it.
  explicit Subscription(Client& client);
  ~Subscription();
  Subscription(const Subscription&) = delete;
  Subscription& operator=(const Subscription&) = delete;

  /// The topic (proto::watch::topic makes it) must not be watched here already.
  void add(const std::string& topic, Cursor from, Watcher watcher);
  void remove(const std::string& topic);
  void pause(const std::string& topic) { rule_.pause(topic); }
  void resume(const std::string& topic);
  /// Up to where the topic misses nothing: with the history a durable cursor.
  std::optional<Revision> seen(const std::string& topic) const { return rule_.seen(topic); }

 private:
  struct PendingSync {
    RequestNo no;
    proto::watch::Sync asked;
  };

  void welcomed(const proto::session::Welcome& welcome);
  void open_notices(const proto::session::Welcome& welcome);
  void close_notices();
  void on_notices();
  void sync();
  void sync_again();
  void arm();
  void perform();
  void perform(const WatchRule::Subscribe& effect);
  void perform(const WatchRule::Resubscribe& effect);
  void perform(const WatchRule::Unsubscribe& effect);
  void perform(const WatchRule::Read& effect);
  void perform(const WatchRule::Changes& effect);
  void perform(const WatchRule::Reset& effect);
  void perform(const WatchRule::Failed& effect);

  Client& client_;
  Reactor& reactor_;
  Client::HelloId hello_;

  WatchRule rule_;
  std::map<std::string, Watcher> watchers_;
  std::map<std::string, RequestNo> reads_;  ///< under way, by topic
  std::map<std::uint64_t, PendingSync> syncs_;
  std::uint64_t last_sync_ = 0;
  std::optional<zmq::socket_t> notices_;
  std::string notices_at_;
  SourceId notices_source_;
  TimerId sync_timer_;
  TimerId retry_timer_;
  bool performing_ = false;
};

}  // namespace muster::net
