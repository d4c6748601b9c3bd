// client: a client of the simulator: the product's own conversation and watch rule, and wishes.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "common/net/conversation.hpp"
#include "common/net/watch_rule.hpp"
#include "common/protocol/cursor.hpp"
#include "common/protocol/kv.hpp"
#include "common/protocol/lock.hpp"
#include "test/sim/broker.hpp"

namespace muster::sim {

/// What was acknowledged: the value and the revision that the broker told.
struct Acknowledged {
  std::string key;
  std::string value;
  Revision rev;
};

/// What a watcher was given, in order.
struct Delivered {
  bool reset = false;
  Revision rev;  ///< complete up to here
  std::vector<net::WatchRule::Item> items;
};

/// What a key was said to have been at a revision.
struct Recalled {
  std::string key;
  Revision rev;
  std::optional<std::string> value;
};

/// What a read of a topic from some revision on was answered.
struct ReadFrom {
  std::string topic;
  Revision after;
  Delivered answer;
};

/// What a handler that was given a reset ends with, so that the checker can tell.
inline constexpr std::int64_t after_reset = 7;

class Client {
 public:
  Client(std::string name, Broker& broker, Random& random);

  void wish();  ///< asks for something at random
  void pump();  ///< hands effects over and takes answers
  void notice(const core::Publication& publication);
  void tick();
  void lose_connection(bool keep_unread);
  void lost_everything();  ///< the broker's process died
  void stop_wishing();     ///< ends its session, so that nobody waits for it

  bool settled() const;
  std::optional<TimePoint> next_due() const;
  const std::string& name() const { return name_; }
  const std::vector<Acknowledged>& acknowledged() const { return acknowledged_; }
  const std::map<std::string, std::vector<Delivered>>& delivered() const { return delivered_; }
  const std::vector<Recalled>& recalled() const { return recalled_; }
  const std::vector<ReadFrom>& reads() const { return reads_; }
  const net::WatchRule& rule() const { return rule_; }
  std::size_t refused_fences() const { return refused_fences_; }

 private:
  template <class Request>
  void ask(const Request& request, std::function<void(Result<typename Request::Reply>)> done,
           proto::Options options = {});
  void connect();
  void put();
  void write_several();
  void put_back();
  void recall();
  void read_from();
  void follow();
  void acknowledge(const proto::cursor::Opened& stands, const proto::watch::Answer& answer);
  Revision any_revision();
  void lock();
  void watch();
  void sync();
  void take_rule();
  void answered(const net::Answered& answered);
  void on_error(const Error& error);

  const std::string name_;
  Broker& broker_;
  Random& random_;
  core::Route route_;
  std::uint64_t connections_ = 0;
  net::Conversation conversation_;
  net::WatchRule rule_;
  std::map<RequestNo, std::function<void(Result<std::string>)>> waiting_;

  std::string session_;
  TimePoint session_sent_;
  bool opening_ = false;
  bool stopping_ = false;
  std::map<std::string, Revision> held_;
  std::set<std::string> asked_;
  std::uint64_t values_ = 0;
  std::size_t refused_fences_ = 0;
  std::optional<TimePoint> next_sync_;
  std::vector<Acknowledged> acknowledged_;
  std::vector<Recalled> recalled_;
  std::vector<ReadFrom> reads_;
  std::map<std::string, std::vector<Delivered>> delivered_;
};

}  // namespace muster::sim
