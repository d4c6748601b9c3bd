// subscription: what the watch rule decides, done with a SUB socket and a client.
#include "common/net/subscription.hpp"

#include <sodium.h>

namespace muster::net {
namespace {

/// A fifth more or less, so that a fleet does not ask in one moment.
Duration with_jitter(Duration period) {
  const auto fifth = static_cast<std::uint32_t>(period.count() / 5);
  return period - Duration(fifth) + Duration(randombytes_uniform(2 * fifth));
}

/// The broker tells a port, for the host that the client dialled; or a whole endpoint.
std::string notices_endpoint(const std::string& broker, const proto::session::Welcome& welcome) {
  if (!welcome.notices.empty()) return welcome.notices;
  Result<Endpoint> endpoint = parse_endpoint(broker);
  if (!endpoint || endpoint->scheme != "tcp") return {};
  endpoint->port = welcome.notices_port;
  return endpoint->text();
}

}  // namespace

Subscription::Subscription(Client& client) : client_(client), reactor_(client.reactor()) {
  hello_ = client_.on_hello([this](const proto::session::Welcome& welcome) { welcomed(welcome); });
  if (client_.reached()) welcomed(client_.welcome());
}

Subscription::~Subscription() {
  client_.forget_hello(hello_);
  for (const auto& [topic, no] : reads_) client_.forget(no);
  for (const auto& [id, sync] : syncs_) client_.forget(sync.no);
  reactor_.cancel(sync_timer_);
  reactor_.cancel(retry_timer_);
  close_notices();
}

void Subscription::add(const std::string& topic, Cursor from, Watcher watcher) {
  watchers_[topic] = std::move(watcher);
  const bool from_now = !from.after;
  rule_.add(topic, std::move(from), BootClock::now());
  perform();
  if (from_now && client_.reached()) sync();  // its answer says which revision "now" is
}

void Subscription::remove(const std::string& topic) {
  watchers_.erase(topic);
  if (const auto read = reads_.find(topic); read != reads_.end()) {
    client_.forget(read->second);
    reads_.erase(read);
  }
  rule_.remove(topic);
  perform();
}

void Subscription::resume(const std::string& topic) {
  rule_.resume(topic, BootClock::now());
  perform();
}

void Subscription::welcomed(const proto::session::Welcome& welcome) {
  open_notices(welcome);
  rule_.on_hello(welcome, BootClock::now());
  perform();
  sync_again();
}

// --- notices ---

void Subscription::open_notices(const proto::session::Welcome& welcome) {
  const std::string endpoint = notices_endpoint(client_.broker(), welcome);
  if (notices_ && endpoint == notices_at_) return;  // libzmq subscribes again by itself
  close_notices();
  Result<zmq::socket_t> socket =
      connect_notices(client_.context(), endpoint, client_.socket_options());
  if (!socket) return;  // the broker told nonsense: syncs alone still find everything, later
  notices_ = std::move(*socket);
  notices_at_ = endpoint;
  for (const auto& [topic, watcher] : watchers_) notices_->set(zmq::sockopt::subscribe, topic);
  notices_source_ = reactor_.watch(*notices_, Interest::readable, [this] { on_notices(); });
}

void Subscription::close_notices() {
  if (!notices_) return;
  reactor_.forget(notices_source_);
  notices_.reset();
}

void Subscription::on_notices() {
  const TimePoint now = BootClock::now();
  drain(*notices_, limits::client_messages_max, [&](Message message) {
    if (message.frames.size() != 2) return;
    Result<proto::watch::Notice> notice = codec::decode<proto::watch::Notice>(message.frames[1]);
    if (notice) rule_.on_notice(message.frames[0], std::move(*notice), now);
  });
  perform();
}

// --- proofs ---

void Subscription::sync_again() {
  reactor_.cancel(sync_timer_);
  sync_timer_ = reactor_.after(with_jitter(limits::sync_interval), [this] { sync_again(); });
  sync();
}

/// Asked without a deadline of its own: over a lost connection it is asked again like all else.
void Subscription::sync() {
  if (!syncs_.empty()) return;
  for (proto::watch::Sync& asked : rule_.syncs()) {
    const std::uint64_t id = ++last_sync_;
    const RequestNo no =
        client_.request(asked, {.timeout = {}}, [this, id](Result<proto::watch::Synced> synced) {
          const auto node = syncs_.extract(id);
          if (synced) rule_.on_synced(node.mapped().asked, *synced, BootClock::now());
          perform();
        });
    syncs_.emplace(id, PendingSync{no, std::move(asked)});
  }
}

// --- effects ---

void Subscription::perform() {
  if (performing_) return;  // the loop below takes what a watcher has caused
  performing_ = true;
  for (auto effects = rule_.take(); !effects.empty(); effects = rule_.take()) {
    for (const WatchRule::Effect& effect : effects) {
      std::visit([this](const auto& each) { perform(each); }, effect);
    }
  }
  performing_ = false;
  arm();
}

void Subscription::perform(const WatchRule::Subscribe& effect) {
  if (notices_) notices_->set(zmq::sockopt::subscribe, effect.topic);
}

void Subscription::perform(const WatchRule::Resubscribe& effect) {
  if (!notices_) return;
  notices_->set(zmq::sockopt::unsubscribe, effect.topic);
  notices_->set(zmq::sockopt::subscribe, effect.topic);
}

void Subscription::perform(const WatchRule::Unsubscribe& effect) {
  if (notices_) notices_->set(zmq::sockopt::unsubscribe, effect.topic);
}

void Subscription::perform(const WatchRule::Read& effect) {
  const std::string topic = effect.request.topic;
  if (!watchers_.contains(topic)) return;  // removed meanwhile
  reads_[topic] = client_.request(effect.request, {.timeout = {}, .at_least = effect.at_least},
                                  [this, topic](Result<proto::watch::Answer> answer) {
                                    reads_.erase(topic);
                                    rule_.on_answer(topic, std::move(answer), BootClock::now());
                                    perform();
                                  });
}

void Subscription::perform(const WatchRule::Changes& effect) {
  const auto found = watchers_.find(effect.topic);
  if (found == watchers_.end()) return;
  const auto handler = found->second.changes;  // it may remove its topic
  handler(effect);
}

void Subscription::perform(const WatchRule::Reset& effect) {
  const auto found = watchers_.find(effect.topic);
  if (found == watchers_.end()) return;
  const auto handler = found->second.reset;
  handler(effect);
}

void Subscription::perform(const WatchRule::Failed& effect) {
  auto node = watchers_.extract(effect.topic);
  if (!node.empty() && node.mapped().failed) node.mapped().failed(effect.error);
}

void Subscription::arm() {
  reactor_.cancel(retry_timer_);
  const std::optional<TimePoint> due = rule_.next_due();
  if (!due) return;
  retry_timer_ = reactor_.at(*due, [this] {
    rule_.tick(BootClock::now());
    perform();
  });
}

}  // namespace muster::net
