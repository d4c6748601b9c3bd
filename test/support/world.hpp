// world: the core on real state, with a clock that moves when told and clients that are names.
//
//   World world;
//   world.send("ann", proto::kv::Put{...});     ann says hello first, by herself
//   CHECK(world.transcript() == "ann > kv.put\n  ann < kv.put {...}\n");
//
// One message is one turn, unless `turn` gathers several. Checkpoints happen when told.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "broker/core/core.hpp"
#include "common/protocol/session.hpp"
#include "test/support/sim_log.hpp"
#include "test/support/temporary.hpp"

namespace muster::test {

/// An answer as it came: reply, more or error.
struct Answer {
  std::string client;
  std::string kind;
  std::string verb;  ///< of the request
  RequestNo no;
  std::string body;
};

class World {
 public:
  explicit World(core::Retention retention = {});

  /// Sends under the client's next request number, in a turn of its own; returns the number.
  template <class Request>
  RequestNo send(const std::string& client, const Request& request, proto::Options options = {}) {
    return post(client, Request::verb, codec::encode(request), std::move(options));
  }
  /// The same request again, under its old number.
  template <class Request>
  void resend(const std::string& client, RequestNo no, const Request& request,
              proto::Options options = {}) {
    deliver(client, proto::encode_header({std::string(Request::verb), no, std::move(options)}),
            codec::encode(request), Request::verb, no);
  }
  /// Sends and gives the reply. Fails the test when it is an error or does not come.
  template <class Request>
  typename Request::Reply ask(const std::string& client, const Request& request,
                              proto::Options options = {}) {
    const RequestNo no = send(client, request, std::move(options));
    return *codec::decode<typename Request::Reply>(answer_to(client, no, proto::verb_reply).body);
  }
  /// Sends and gives the error's code.
  template <class Request>
  Code refusal(const std::string& client, const Request& request, proto::Options options = {}) {
    const RequestNo no = send(client, request, std::move(options));
    return proto::decode_error(answer_to(client, no, proto::verb_error).body).code;
  }
  /// The newest answer of a kind to a request. Fails the test when there is none.
  const Answer& answer_to(const std::string& client, RequestNo no, std::string_view kind) const;
  bool answered(const std::string& client, RequestNo no) const;
  const std::vector<Answer>& answers() const { return answers_; }  ///< all that came

  /// What requests of the broker's own to a connection (a node) came, as verbs; and answering them.
  std::vector<std::pair<RequestNo, std::string>> orders(const std::string& client) const;
  void accept_order(const std::string& client, RequestNo no);

  void raw(const std::string& client, std::vector<std::string> frames);
  /// A new connection of the same client, without hello.
  void reconnect(const std::string& client);
  void advance(Duration by);
  void subscribe(const std::string& topic);
  void unsubscribe(const std::string& topic);
  void presence(const std::string& node, bool present);

  void checkpoint();
  void restart();  ///< what is only in memory is lost

  std::vector<core::Publication> notices() { return std::exchange(notices_, {}); }
  std::string transcript() { return std::exchange(transcript_, {}); }

  core::Core& core() { return *core_; }
  SimLog& log() { return log_; }
  state::Store& store() { return *store_; }
  TimePoint now() const { return now_; }

 private:
  struct Client {
    std::string route;
    RequestNo last;
    bool greeted = false;
    std::map<RequestNo, std::string> verbs;
  };

  void boot();
  void greet(const std::string& name, Client& client);
  RequestNo post(const std::string& client, std::string_view verb, std::string body,
                 proto::Options options);
  void deliver(const std::string& client, std::string header, std::string body,
               std::string_view verb, RequestNo no);
  void turn(const std::function<void()>& act);
  void collect();

  const core::Retention retention_;
  TemporaryFolder folder_;
  SimLog log_;
  std::unique_ptr<state::Store> store_;
  std::unique_ptr<core::Hub> hub_;
  std::unique_ptr<core::Core> core_;
  TimePoint now_{std::chrono::hours(1)};
  WallTime wall_{1'700'000'000'000};
  std::uint64_t ids_ = 0;
  std::uint64_t routes_ = 0;
  std::map<std::string, Client> clients_;
  std::vector<Answer> answers_;
  std::map<std::string, std::vector<std::pair<RequestNo, std::string>>> orders_;
  std::vector<core::Publication> notices_;
  std::string transcript_;
};

}  // namespace muster::test
