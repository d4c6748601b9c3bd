// serving: a broker that serves in a thread of its own, and peers that say what they like to it.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include <zmq.hpp>

#include "broker/broker.hpp"
#include "common/protocol/admin.hpp"
#include "common/protocol/session.hpp"
#include "test/support/temporary.hpp"

namespace muster::test {

/// Whether it becomes true within the patience of a test.
template <class Predicate>
bool eventually(Predicate&& predicate) {
  const TimePoint end = BootClock::now() + seconds(15);
  while (BootClock::now() < end) {
    if (predicate()) return true;
  }
  return false;
}

/// Serves until it goes.
class Serving {
 public:
  Serving();
  ~Serving();
  Serving(const Serving&) = delete;
  Serving& operator=(const Serving&) = delete;

  const std::string& requests() const { return requests_; }
  const std::string& notices() const { return notices_; }

 private:
  TemporaryFolder folder_;
  int end_;  ///< an eventfd that the loop reads
  std::unique_ptr<broker::Broker> broker_;
  std::string requests_;
  std::string notices_;
  std::thread thread_;
};

struct Heard {
  std::string kind;  ///< reply, more, error
  RequestNo no;
  std::string body;
};

/// A DEALER without any manners of its own.
class Peer {
 public:
  explicit Peer(const Serving& serving, std::string client_id = {});

  void say(const std::vector<std::string>& frames);
  /// The next message; fails the test if none comes.
  Heard hear();
  /// Nothing has come when a ping that was sent now is answered.
  bool silent();

  /// Under the next request number.
  template <class Request>
  RequestNo send(const Request& request) {
    return send(Request::verb, codec::encode(request));
  }
  RequestNo send(std::string_view verb, const std::string& body);
  template <class Request>
  typename Request::Reply ask(const Request& request) {
    return *codec::decode<typename Request::Reply>(answer(send(request), proto::verb_reply));
  }
  template <class Request>
  Code refusal(const Request& request) {
    return refusal(send(request));
  }
  /// The code of the error that the next message is.
  Code refusal(RequestNo no) { return proto::decode_error(answer(no, proto::verb_error)).code; }
  void hello();
  std::uint64_t counter(const std::string& name);

 private:
  std::string answer(RequestNo no, std::string_view kind);

  zmq::context_t context_;
  zmq::socket_t dealer_;
  std::string client_id_;
  RequestNo last_;
};

}  // namespace muster::test
