// client: puts of values that are never the same twice, some with a TTL or a session, transactions,
// reverts; locks, fenced puts; watches, a cursor that all share, and questions about the past.
#include "test/sim/client.hpp"

#include <fmt/format.h>

#include "common/protocol/kv_past.hpp"
#include "common/protocol/kv_txn.hpp"
#include "common/protocol/session.hpp"

namespace muster::sim {
namespace {

std::string key_of(Random& random) { return fmt::format("k/{}", pick(random, 4)); }
std::string lock_of(Random& random) { return fmt::format("lock-{}", pick(random, 2)); }
std::uint32_t limit_of(const std::string& lock) { return lock == "lock-0" ? 1 : 2; }

}  // namespace

Client::Client(std::string name, Broker& broker, Random& random)
    : name_(std::move(name)),
      broker_(broker),
      random_(random),
      conversation_({.broker = "sim",
                     .client_id = "client-" + name_,
                     .name = name_,
                     .pings = net::Pings::always}) {
  connect();
}

template <class Request>
void Client::ask(const Request& request, std::function<void(Result<typename Request::Reply>)> done,
                 proto::Options options) {
  const RequestNo no = conversation_.ask({.verb = std::string(Request::verb),
                                          .body = codec::encode(request),
                                          .options = std::move(options),
                                          .timeout = std::nullopt},
                                         broker_.now());
  waiting_[no] = [done = std::move(done)](const Result<std::string>& answer) {
    if (!answer) return done(answer.error());
    done(codec::decode<typename Request::Reply>(*answer));
  };
}

void Client::connect() {
  route_ = fmt::format("{}#{}", name_, ++connections_);
  conversation_.connected(broker_.now());
}

void Client::lose_connection(bool keep_unread) {
  broker_.cut(route_, keep_unread);
  conversation_.lost(broker_.now());
  connect();
}

void Client::lost_everything() {
  conversation_.lost(broker_.now());
  connect();
}

void Client::wish() {
  if (stopping_ || conversation_.outstanding() > 8) return;
  switch (pick(random_, 17)) {
    case 0:
    case 1:
    case 2: put(); break;
    case 10: write_several(); break;
    case 11: put_back(); break;
    case 12: recall(); break;
    case 13: read_from(); break;
    case 14:
    case 15: follow(); break;
    case 3: ask(proto::kv::Delete{.key = key_of(random_)}, [](const auto&) {}); break;
    case 4: ask(proto::kv::Get{.key = key_of(random_)}, [](const auto&) {}); break;
    case 5:
    case 6:
    case 7: lock(); break;
    case 8: watch(); break;
    default: sync(); break;
  }
}

void Client::put() {
  proto::Options options;
  std::string value = fmt::format("{}-{}", name_, ++values_);
  if (!held_.empty() && chance(random_, 60)) {
    const auto& [lock, token] = *held_.begin();
    options.fence = proto::Fence{lock, token};
    value +=
        fmt::format(" {} {}", lock, token.value);  // the checker looks whether the token held then
  }
  const std::string key = key_of(random_);
  proto::kv::Put request{.key = key, .value = Bytes(value)};
  if (chance(random_, 20)) request.ttl_ms = 1 + pick(random_, 3000);
  if (!session_.empty() && chance(random_, 20)) request.ends_with = session_;
  if (!session_.empty() && chance(random_, 20)) request.acquire = session_;
  ask(
      request,
      [=, this](const Result<proto::kv::Written>& written) {
        if (written) acknowledged_.push_back({key, value, written->rev});
        else on_error(written.error());
      },
      options);
}

void Client::write_several() {
  const auto put = [this](const std::string& key) {
    return proto::kv::Operation{
        .op = "put", .put = {.key = key, .value = Bytes(fmt::format("{}-{}", name_, ++values_))}};
  };
  proto::kv::Txn txn{.then = {put(key_of(random_)),
                              {.op = "delete", .key = key_of(random_)},
                              put(key_of(random_))}};
  if (chance(random_, 20)) txn.then.insert(txn.then.begin(), {.op = "delete_prefix", .key = "k/"});
  ask(txn, [this](const auto& done) {
    if (!done) on_error(done.error());
  });
}

Revision Client::any_revision() {
  return Revision{1 + pick(random_, std::max<std::uint64_t>(1, broker_.core().rev().value))};
}

void Client::put_back() {
  proto::kv::Revert revert{.to = {.rev = any_revision()}};
  if (chance(random_, 50)) revert.key = key_of(random_);
  else revert.prefix = "k/";
  ask(revert, [this](const auto& done) {
    if (!done) on_error(done.error());
  });
}

void Client::recall() {
  const proto::kv::Get get{.key = key_of(random_),
                           .when = proto::kv::Moment{.rev = any_revision()}};
  ask(get, [this, get](const Result<proto::kv::Entry>& entry) {
    if (entry) recalled_.push_back({get.key, get.when->rev, entry->value.data});
    else if (entry.error().code == Code::not_found)
      recalled_.push_back({get.key, get.when->rev, std::nullopt});
    else on_error(entry.error());
  });
}

void Client::read_from() {
  const proto::watch::Read read{.topic = chance(random_, 50)
                                             ? proto::watch::topic("key:", key_of(random_))
                                             : proto::watch::topic("keyprefix:", "k/"),
                                .after = any_revision()};
  ask(read, [this, read](const Result<proto::watch::Answer>& answer) {
    if (!answer) return on_error(answer.error());
    reads_.push_back({read.topic,
                      read.after,
                      {.reset = answer->reset, .rev = answer->rev, .items = answer->items}});
  });
}

/// One step with a cursor that all clients move: of who reads the same, one may acknowledge it.
void Client::follow() {
  const std::string topic = proto::watch::topic("keyprefix:", "k/");
  const proto::cursor::Open open{.name = "all", .topic = topic, .after = Revision{0}};
  ask(open, [=, this](const Result<proto::cursor::Opened>& stands) {
    if (!stands) return on_error(stands.error());
    ask(proto::watch::Read{.topic = topic, .after = stands->rev},
        [this, stands = *stands](const Result<proto::watch::Answer>& answer) {
          if (answer) acknowledge(stands, *answer);
          else on_error(answer.error());
        });
  });
}

/// All that was read, one by one, without waiting for the answers: what another client has
/// acknowledged meanwhile is refused, and so is all that follows.
void Client::acknowledge(const proto::cursor::Opened& stands, const proto::watch::Answer& answer) {
  Revision from = stands.rev;
  const auto advance = [&](Revision rev, std::optional<std::int64_t> exit_code) {
    ask(proto::cursor::Advance{.name = "all",
                               .history = stands.history,
                               .from = std::exchange(from, rev),
                               .rev = rev,
                               .exit_code = exit_code},
        [this](const auto& done) {
          if (!done) on_error(done.error());
        });
  };
  if (answer.reset) return advance(answer.rev, after_reset);
  for (const auto& item : answer.items) {
    if (item.rev != from) advance(item.rev, 0);
  }
  if (answer.rev != from) advance(answer.rev, std::nullopt);
}

void Client::on_error(const Error& error) {
  if (error.code == Code::fenced) ++refused_fences_;
  if (error.code == Code::internal) throw std::runtime_error("internal error: " + error.message);
}

/// Opens a session, asks for locks, gives them back.
void Client::lock() {
  if (session_.empty()) {
    if (opening_) return;
    opening_ = true;
    ask(proto::session::Open{.ttl_ms = 5000}, [this](const Result<proto::session::Lease>& lease) {
      opening_ = false;
      if (lease) session_ = lease->id;
    });
    return;
  }
  const std::string name = lock_of(random_);
  if (held_.contains(name)) {
    held_.erase(name);
    asked_.erase(name);
    ask(proto::lock::Release{.name = name, .session = session_}, [this](const auto& released) {
      if (!released) on_error(released.error());
    });
  } else if (asked_.insert(name).second) {
    proto::lock::Acquire acquire{.name = name, .limit = limit_of(name), .session = session_};
    if (chance(random_, 30)) acquire.wait_ms = pick(random_, 4000);
    ask(acquire, [=, this, session = session_](const Result<proto::lock::Granted>& granted) {
      if (!granted) asked_.erase(name);
      else if (session == session_ && asked_.contains(name)) held_[name] = granted->token;
    });
  }
}

void Client::watch() {
  const std::string topic = chance(random_, 50) ? proto::watch::topic("key:", key_of(random_))
                                                : proto::watch::topic("keyprefix:", "k/");
  if (delivered_.contains(topic)) return;
  delivered_[topic];
  rule_.add(topic, {.after = Revision{0}}, broker_.now());
  take_rule();
}

void Client::sync() {
  next_sync_ = broker_.now() + limits::sync_interval;
  if (!conversation_.welcomed()) return;
  for (const proto::watch::Sync& wanted : rule_.syncs()) {
    ask(wanted, [this, wanted](const Result<proto::watch::Synced>& synced) {
      if (synced) rule_.on_synced(wanted, *synced, broker_.now());
      take_rule();
    });
  }
}

void Client::take_rule() {
  for (net::WatchRule::Effect& effect : rule_.take()) {
    if (const auto* subscribe = std::get_if<net::WatchRule::Subscribe>(&effect)) {
      broker_.subscribe(subscribe->topic);
    } else if (const auto* again = std::get_if<net::WatchRule::Resubscribe>(&effect)) {
      broker_.subscribe(again->topic);
    } else if (const auto* read = std::get_if<net::WatchRule::Read>(&effect)) {
      ask(read->request,
          [this, topic = read->request.topic](Result<proto::watch::Answer> answer) {
            rule_.on_answer(topic, std::move(answer), broker_.now());
            take_rule();
          },
          {.at_least = read->at_least});
    } else if (auto* changes = std::get_if<net::WatchRule::Changes>(&effect)) {
      delivered_[changes->topic].push_back(
          {.reset = false, .rev = changes->rev, .items = std::move(changes->items)});
    } else if (auto* reset = std::get_if<net::WatchRule::Reset>(&effect)) {
      delivered_[reset->topic].push_back(
          {.reset = true, .rev = reset->rev, .items = std::move(reset->items)});
    } else if (const auto* failed = std::get_if<net::WatchRule::Failed>(&effect)) {
      throw std::runtime_error("a watch failed: " + failed->error.message);
    }
  }
}

void Client::notice(const core::Publication& publication) {
  if (!delivered_.contains(publication.topic)) return;
  rule_.on_notice(publication.topic, *codec::decode<proto::watch::Notice>(publication.body),
                  broker_.now());
  take_rule();
}

void Client::pump() {
  Wire& wire = broker_.wire(route_);
  for (std::uint64_t read = pick(random_, 4); read > 0 && !wire.to_client.empty(); --read) {
    auto [header, body] = std::move(wire.to_client.front());
    wire.to_client.pop_front();
    conversation_.received(header, std::move(body), broker_.now());
  }
  for (net::Effect& effect : conversation_.take()) {
    if (auto* send = std::get_if<net::Send>(&effect)) {
      broker_.wire(route_).to_broker.push_back({send->header, send->body});
    } else if (std::get_if<net::Reconnect>(&effect) != nullptr) {
      broker_.cut(route_, false);
      connect();
    } else if (const auto* welcomed = std::get_if<net::Welcomed>(&effect)) {
      for (const auto& [topic, all] : delivered_) broker_.subscribe(topic);  // as libzmq does
      rule_.on_hello(welcomed->welcome, broker_.now());
      if (!session_.empty())
        ask(proto::session::Attach{.id = session_}, [this](const auto& lease) {
          if (!lease) session_.clear(), held_.clear(), asked_.clear();
        });
      sync();
      take_rule();
    } else if (const auto* answer = std::get_if<net::Answered>(&effect)) {
      answered(*answer);
    }
  }
}

void Client::answered(const net::Answered& answered) {
  const auto handler = waiting_.find(answered.no);
  ENSURE(handler != waiting_.end());  // exactly one answer a request
  const auto done = std::move(handler->second);
  waiting_.erase(handler);
  done(answered.answer);
}

void Client::tick() {
  conversation_.tick(broker_.now());
  rule_.tick(broker_.now());
  take_rule();
  if (next_sync_ && *next_sync_ <= broker_.now()) sync();
}

std::optional<TimePoint> Client::next_due() const {
  std::optional<TimePoint> due = conversation_.next_due();
  for (const auto& other : {rule_.next_due(), next_sync_}) {
    if (other && (!due || *other < *due)) due = other;
  }
  return due;
}

void Client::stop_wishing() {
  stopping_ = true;
  if (session_.empty()) return;
  ask(proto::session::End{.id = session_}, [](const auto&) {});
  session_.clear();
  held_.clear();
}

bool Client::settled() const { return waiting_.empty(); }

}  // namespace muster::sim
