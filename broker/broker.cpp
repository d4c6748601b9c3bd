// broker: read, evaluate, append, reply, publish; and hand slow work to the checkpointer's thread.
#include "broker/broker.hpp"

#include <algorithm>
#include <array>

#include <fmt/format.h>
#include <sodium.h>
#include <spdlog/spdlog.h>

#include "broker/state/restore.hpp"
#include "common/net/endpoint.hpp"

namespace muster::broker {
namespace {

constexpr Duration disk_retry = seconds(1);

Bus::Options bus_options(const Options& options) {
  for (const std::string& endpoint : {options.listen, options.notices}) {
    if (is_local(endpoint) || options.insecure) continue;
    throw Failure(fmt::format(
        "{} can be reached from other machines and there are no keys, so anyone there could run "
        "commands on every node: listen on 127.0.0.1, or say --insecure on a network that you trust",
        endpoint));
  }
  return {.listen = options.listen,
          .notices = options.notices,
          .sockets = {.message_bytes_max = limits::message_bytes_max(options.value_bytes_max)},
          .io_threads = options.io_threads};
}

}  // namespace

std::string new_id() {
  std::array<std::uint8_t, 16> bytes{};
  randombytes_buf(bytes.data(), bytes.size());
  return uuid_from(bytes);
}

log::Options log_options(const Options& options, const state::Store& store) {
  const auto rev = state::Read::Meta(state::View(store, {})).get(state::meta::rev);
  return {.folder = options.data + "/log",
          .segment_bytes = limits::segment_bytes(options.value_bytes_max),
          .applied = store.checkpointed(),
          .applied_rev = Revision{rev ? state::be64_at_end(*rev) : 0},
          .floor = store.log_floor(),
          .accept_loss = options.accept_loss};
}

Broker::Broker(const Options& options)
    : trace_(options.trace),
      data_(options.data),
      store_(options.data),
      log_(log_options(options, store_)),
      bus_(bus_options(options)),
      hub_(store_),
      core_(store_, log_, hub_, recover(options), options.retention, new_id),
      archive_(options.data, store_, core_.identity(), new_id),
      errands_(archive_) {
  reactor_.watch(bus_.requests(), net::Interest::readable, [this] { read_requests(); });
  reactor_.watch(bus_.subscriptions(), net::Interest::readable, [this] { read_subscriptions(); });
  reactor_.watch(checkpointer_.fd(), net::Interest::readable, [this] { begin_turn(); });
  reactor_.watch(errands_.fd(), net::Interest::readable, [this] { take_done(); });
  reactor_.each_turn([this] { finish_turn(); });
  reactor_.on_stall([this](Duration by) {
    spdlog::warn("stall ms={} deadlines move by that",
                 std::chrono::duration_cast<milliseconds>(by).count());
    begin_turn();
    core_.stalled(by);
  });
}

/// The tail of the log into the state; then who this broker is. After a loss that was accepted it
/// is a new line of revisions: what was told under the lost ones must not look like what comes now.
core::Identity Broker::recover(const Options& options) {
  if (const auto& replaced = store_.replaced()) {
    spdlog::warn("restored a snapshot; the state before it {}",
                 replaced->empty() ? "was empty" : "is in " + *replaced);
  }
  const log::Recovery& found = log_.recovery();
  core::replay(log_, store_);
  core::Identity identity = core::identify(store_, new_id);
  identity.cluster = options.cluster_name;
  identity.value_bytes_max = options.value_bytes_max;
  identity.notices = options.advertise;
  const Result<net::Endpoint> notices = net::parse_endpoint(bus_.publishing());
  if (notices && notices->port != 0) identity.notices_port = notices->port;
  else if (identity.notices.empty()) identity.notices = bus_.publishing();
  if (!found.lost.empty()) {
    identity.history = new_id();
    spdlog::warn("loss accepted: {}; a new history begins: {}", found.lost, identity.history);
  }
  spdlog::info("recovered seq={} checkpoint={} tail_records={} cut_bytes={}", log_.last().value,
               store_.checkpointed().value, found.tail_records, found.cut_bytes);
  return identity;
}

Broker::End Broker::run(const std::function<void()>& ready) {
  core_.lead(BootClock::now(), WallTime::now());
  layer_since_ = retry_at_ = BootClock::now();
  speak();
  work();
  arm();
  spdlog::info("ready listen={} notices={} cluster={} history={} epoch={} rev={}", bus_.listening(),
               bus_.publishing(), core_.identity().cluster_id, core_.identity().history,
               core_.identity().epoch.value, core_.rev().value);
  ready();
  reactor_.run();
  begin_turn();
  finish_turn();
  return end();
}

/// A candidate that cannot be put in place changes nothing: the old state is taken again.
Broker::End Broker::end() {
  if (!candidate_) return End::stopped;
  spdlog::info("restoring a snapshot: beginning again");
  try {
    state::stage(
        data_, candidate_->folder,
        {.history = new_id(), .least = core_.rev(), .id = candidate_->id, .now = WallTime::now()});
  } catch (const Failure& failure) {
    spdlog::error("the snapshot was not restored: {}", failure.what());
  }
  return End::restored;
}

void Broker::begin_turn() {
  if (!in_turn_) core_.begin(BootClock::now(), WallTime::now());
  in_turn_ = true;
}

/// What is left when the turn is full is ready again in the next.
void Broker::read_requests() {
  begin_turn();
  while (!core_.full()) {
    const std::optional<core::Incoming> message = bus_.receive();
    if (!message) return;
    if (trace_ && !message->frames.empty()) trace(">", message->route, message->frames[0]);
    core_.receive(*message);
  }
}

void Broker::read_subscriptions() {
  begin_turn();
  for (std::size_t n = 0; n < limits::turn_messages_max; ++n) {
    const std::optional<Subscription> word = bus_.receive_subscription();
    if (!word) return;
    const bool taken = word->word == Subscription::Word::wanted     ? subscribed(*word)
                       : word->word == Subscription::Word::unwanted ? unsubscribed(*word)
                                                                    : false;
    if (!taken) core_.count("refused_subscriptions");
  }
}

/// Only a topic that the protocol knows is accepted, and only then is anything delivered on it.
bool Broker::subscribed(const Subscription& word) {
  const auto topic = proto::watch::parse_topic(word.topic);
  if (!topic || !hub_.subscribed(word.topic)) return false;
  bus_.accept(word);
  subscribers_.came(word.topic, word.who);
  if (topic->kind == "node:") core_.subscription(topic->name, true);
  return true;
}

bool Broker::unsubscribed(const Subscription& word) {
  const Subscribers::Left left = subscribers_.left(word.topic, word.who);
  if (left == Subscribers::Left::stranger) return false;
  bus_.accept(word);
  if (left == Subscribers::Left::one) return true;
  hub_.unsubscribed(word.topic);
  const auto topic = proto::watch::parse_topic(word.topic);
  if (topic->kind == "node:") core_.subscription(topic->name, false);
  return true;
}

void Broker::finish_turn() {
  if (!in_turn_) return;
  if (core_.disk_full()) give_up_saves();
  core_.finish();
  in_turn_ = false;
  speak();
  work();
  arm();
}

void Broker::speak() {
  for (const core::Frames& frames : core_.take()) {
    if (trace_) trace("<", frames.route, frames.header);
    const net::Sent sent = bus_.send(frames);
    if (sent == net::Sent::unreachable) core_.unreachable(frames.route);
    if (sent != net::Sent::sent)
      core_.count(sent == net::Sent::unreachable ? "unreachable" : "send_queue_full");
  }
  for (const core::Publication& notice : hub_.take()) {
    core_.count("notices");
    bus_.publish(notice);
  }
}

/// The reactor wakes the loop when the core's next timer is due.
void Broker::arm() {
  const auto due = core_.next_due();
  if (!due || *due == armed_for_) return;
  reactor_.cancel(timer_);
  armed_for_ = *due;
  timer_ = reactor_.at(*due, [this] {
    armed_for_ = {};
    begin_turn();
    core_.tick();
  });
}

/// One job at a time for the checkpointer's thread: space for the log first, then the layer.
void Broker::work() {
  if (const auto end = checkpointer_.take_end()) ended(*end);
  run_errands();
  const TimePoint now = BootClock::now();
  if (store_.active().empty()) layer_since_ = now;
  if (!checkpointer_.idle() || now < retry_at_) return;
  if (log_.wants_segment()) {
    job_ = Job::segment;
    checkpointer_.start(log_.segment_job());
  } else if (store_.sealed() != nullptr ||
             state::wants_checkpoint(store_.active(), now - layer_since_) ||
             errands_.wants_checkpoint(store_.checkpointed())) {
    if (store_.sealed() == nullptr) {
      store_.seal(log_.last());
      layer_since_ = now;
    }
    job_ = Job::checkpoint;
    checkpointer_.start([this] { store_.write_sealed(); });
  }
}

void Broker::run_errands() {
  for (core::Errand& errand : core_.take_errands()) errands_.take(std::move(errand), log_.last());
  if (!candidate_) errands_.begin_next(store_.checkpointed(), BootClock::now());
}

void Broker::give_up_saves() {
  for (const state::RequestId& asker : errands_.give_up_saves(store_.checkpointed()))
    core_.done(asker, Error{Code::unavailable, "disk full: what is to be saved is not written yet",
                            "free space on the broker's disk; it goes on by itself"});
}

void Broker::take_done() {
  begin_turn();
  std::optional<Errands::Done> done = errands_.take_done();
  if (!done) return;
  candidate_ = std::move(done->candidate);
  if (candidate_) reactor_.stop();
  else core_.done(done->asker, std::move(done->answer));
}

void Broker::ended(const state::JobEnd& end) {
  if (end.kind == state::JobEnd::Kind::failed) std::rethrow_exception(end.error);
  const bool full = end.kind == state::JobEnd::Kind::disk_full;
  if (full) retry_at_ = BootClock::now() + disk_retry;
  const bool was = core_.disk_full();
  if (job_ == Job::segment) {
    if (full) log_.segment_refused();
    else log_.segment_made();
  } else {
    core_.checkpoint_found_disk_full(full);
    if (!full) {
      store_.settle();
      log_.trim(store_.log_floor());
    }
  }
  if (was != core_.disk_full())
    spdlog::warn(core_.disk_full() ? "disk full: only reads, deletes and releases are served"
                                   : "disk has space again: all is served");
}

void Broker::trace(const char* direction, const core::Route& route,
                   const std::string& header) const {
  const auto decoded = proto::decode_header(header);
  std::uint32_t peer = 0;
  for (const char byte : route) peer = peer << 8 | static_cast<unsigned char>(byte);
  if (decoded)
    spdlog::info("{} peer={:08x} no={} {}", direction, peer, decoded->no.value, decoded->verb);
  else spdlog::info("{} peer={:08x} not a header: {}", direction, peer, decoded.error().message);
}

}  // namespace muster::broker
