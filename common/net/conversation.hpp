// conversation: the client's side of the protocol, without sockets and clocks.
//
//   down     -- connected ----------> greeting   hello is sent; the very first time small requests
//                                                follow at once, later ones wait for the welcome
//   greeting -- welcome ------------> welcomed   all unanswered requests are sent, under their
//   numbers greeting -- refused ------------> greeting   hello again in 2 s; denied, version:
//   requests fail greeting -- silence, 2 s -------> greeting   hello again; after the third:
//   reconnect welcomed -- error hello --------> greeting   the broker does not know this
//   connection: it is new welcomed -- 3 pings unanswered -> down       reconnect any      -- lost
//   ---------------> down
//
// Each call may leave effects: take() hands them over, in order. A request is answered exactly
// once, by the broker or by an error of our own; whether it changes something is not looked at.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <variant>
#include <vector>

#include "common/error.hpp"
#include "common/limits.hpp"
#include "common/protocol/session.hpp"
#include "common/types.hpp"

namespace muster::net {

/// When to ask "are you there?": while a request waits for its answer, or also when idle, so that a
/// restarted broker is noticed (nodes, watchers).
enum class Pings { while_waiting, always };

/// Who speaks, and to whom.
struct Introduction {
  std::string broker;     ///< its endpoint, for messages only
  std::string client_id;  ///< random, at most 40 bytes
  std::string kind = "client";
  std::string name;
  std::string instance;
  std::string history;  ///< the last history and epoch that were seen, if any are remembered
  Epoch epoch;
  Pings pings = Pings::while_waiting;
};

/// What is to be asked.
struct Ask {
  std::string verb;
  std::string body;
  proto::Options options;           ///< deadline_ms and acked are filled in
  std::optional<Duration> timeout;  ///< none: as long as it takes
};

// Effects.
struct Send {
  std::string header;
  std::string body;
};
struct Reconnect {};  ///< close the connection, make another one, then say connected()
struct Welcomed {
  proto::session::Welcome welcome;
};
struct Progress {  ///< a `more`
  RequestNo no;
  std::string body;
};
struct Answered {
  RequestNo no;
  Result<std::string> answer;
};
struct Asked {  ///< a request of the broker's own; its numbers are another space than ours
  proto::Header header;
  std::string body;
};
using Effect = std::variant<Send, Reconnect, Welcomed, Progress, Answered, Asked>;

class Conversation {
 public:
  explicit Conversation(Introduction introduction) : self_(std::move(introduction)) {}

  /// Its number. If it cannot be asked (busy, too_large), the next tick answers it so.
  RequestNo ask(Ask ask, TimePoint now);
  /// The answer is not wanted any more. The broker is not told.
  void forget(RequestNo no);
  /// Answers a request of the broker's.
  void answer(RequestNo no, const Result<std::string>& answer);

  void connected(TimePoint now);
  void lost(TimePoint now);
  void received(std::string_view header, std::string body, TimePoint now);
  /// At next_due() or later; earlier does no harm.
  void tick(TimePoint now);
  std::optional<TimePoint> next_due() const;
  std::vector<Effect> take() { return std::exchange(effects_, {}); }

  bool welcomed() const { return link_ == Link::welcomed; }
  /// The last welcome; empty before the first.
  const proto::session::Welcome& welcome() const { return welcome_; }
  const std::string& client_id() const { return self_.client_id; }
  std::size_t outstanding() const { return waiting_.size(); }
  std::uint64_t strays() const { return strays_; }  ///< messages that meant nothing here

 private:
  enum class Link { down, greeting, welcomed };
  struct Waiting {
    Ask ask;
    TimePoint asked;
    std::optional<TimePoint> due;
    std::uint64_t sent_in = 0;  ///< the greeting after which it was sent last; 0: never
    int losses = 0;
    std::optional<Error> failed;  ///< to be told at `due`
  };

  void transmit(RequestNo no, Waiting& waiting, TimePoint now);
  void transmit_unsent(TimePoint now);
  void say_hello(TimePoint now);
  void say_hello_soon(TimePoint now);
  void ping(TimePoint now);
  void reconnect(TimePoint now);
  void on_hello_answer(const proto::Header& header, std::string_view body, TimePoint now);
  void on_unknown_connection(RequestNo no, TimePoint now);
  void refused(const Error& why, TimePoint now);
  void count_loss(TimePoint now);
  void take_fresh_id(TimePoint now);
  void fail_soon(RequestNo no, Waiting& waiting, Error error, TimePoint now);
  void finish(RequestNo no, Result<std::string> answer);
  Error unanswered(const Waiting& waiting) const;
  bool eager() const { return greetings_ == 1 && !knows_history_; }
  bool pinging() const { return self_.pings == Pings::always || !waiting_.empty(); }
  bool away_too_long(TimePoint now) const;
  RequestNo acked() const;

  Introduction self_;
  const std::string first_id_ = self_.client_id;
  const bool knows_history_ = !self_.history.empty();
  std::uint64_t renewals_ = 0;

  Link link_ = Link::down;
  std::uint64_t greetings_ = 0;  ///< hellos said
  RequestNo hello_no_;
  TimePoint hello_at_;
  TimePoint next_ping_;  ///< or hello, while greeting
  unsigned silent_ = 0;  ///< pings and hellos since the last word
  std::optional<TimePoint> heard_;
  std::optional<Error> refused_;  ///< why the last hello was
  proto::session::Welcome welcome_;

  RequestNo last_no_;
  std::map<RequestNo, Waiting> waiting_;
  std::set<std::pair<TimePoint, RequestNo>> deadlines_;
  std::size_t waiting_bytes_ = 0;
  std::vector<Effect> effects_;
  std::uint64_t strays_ = 0;
};

}  // namespace muster::net
