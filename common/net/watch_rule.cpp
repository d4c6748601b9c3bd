// watch_rule: notices, answers, proofs.
#include "common/net/watch_rule.hpp"

#include <algorithm>
#include <set>

namespace muster::net {
namespace {

constexpr unsigned unnoticed_max = 2;

}  // namespace

void WatchRule::add(const std::string& topic, Cursor from, TimePoint now) {
  ENSURE(!topics_.contains(topic));
  Topic& added = topics_[topic];
  added = Topic{.history = std::move(from.history), .seen = from.after};
  added.state_due = from.after == Revision{0};
  effects_.emplace_back(Subscribe{topic});
  if (greeted_) read_if_due(topic, added, now);
}

void WatchRule::remove(const std::string& topic) {
  if (topics_.erase(topic) > 0) effects_.emplace_back(Unsubscribe{topic});
}

void WatchRule::pause(const std::string& topic) {
  if (const auto found = topics_.find(topic); found != topics_.end()) found->second.paused = true;
}

void WatchRule::resume(const std::string& topic, TimePoint now) {
  const auto found = topics_.find(topic);
  if (found == topics_.end()) return;
  found->second.paused = false;
  read_if_due(topic, found->second, now);
}

std::optional<Revision> WatchRule::seen(const std::string& topic) const {
  const auto found = topics_.find(topic);
  return found == topics_.end() ? std::nullopt : found->second.seen;
}

void WatchRule::on_hello(const proto::session::Welcome& welcome, TimePoint now) {
  greeted_ = true;
  for (auto& [name, topic] : topics_) {
    if (!topic.seen) topic.seen = welcome.rev;
    if (topic.history.empty()) topic.history = welcome.history;
    if (topic.history != welcome.history) topic.state_due = true;
    read_if_due(name, topic, now);
  }
}

void WatchRule::on_notice(const std::string& name, proto::watch::Notice notice, TimePoint now) {
  const auto found = topics_.find(name);
  if (found == topics_.end()) return;
  Topic& topic = found->second;
  topic.unnoticed = 0;
  if (topic.history.empty()) topic.history = notice.history;
  if (notice.history != topic.history) {
    topic.state_due = true;
    read_if_due(name, topic, now);
    return;
  }
  const bool waits =
      !topic.seen || topic.reading || topic.paused || topic.state_due || topic.retry_at;
  if (!waits && notice.prev <= *topic.seen && *topic.seen < notice.rev) {
    deliver(name, topic, std::move(notice.items), notice.rev);
    return;
  }
  topic.want = std::max(topic.want, notice.rev);
  read_if_due(name, topic, now);
}

void WatchRule::read_if_due(const std::string& name, Topic& topic, TimePoint now) {
  if (!topic.seen || topic.reading || topic.paused) return;
  if (!topic.state_due && topic.want <= *topic.seen) return;
  if (topic.retry_at && now < *topic.retry_at) return;
  topic.retry_at.reset();
  topic.reading = true;
  effects_.emplace_back(
      Read{.request = {.topic = name, .history = topic.history, .after = *topic.seen},
           .at_least = topic.state_due ? Revision{} : topic.want});
}

void WatchRule::retry_later(Topic& topic, TimePoint now) {
  topic.retry_at = now + limits::read_retry;
}

void WatchRule::deliver(const std::string& name, Topic& topic, std::vector<Item> items,
                        Revision rev) {
  std::erase_if(items, [&](const Item& item) { return item.rev <= *topic.seen; });
  topic.seen = std::max(*topic.seen, rev);
  topic.proven = true;
  if (!items.empty())
    effects_.emplace_back(Changes{name, topic.history, *topic.seen, std::move(items)});
}

void WatchRule::on_answer(const std::string& name, Result<proto::watch::Answer> answer,
                          TimePoint now) {
  const auto found = topics_.find(name);
  if (found == topics_.end() || !found->second.reading) return;
  Topic& topic = found->second;
  topic.reading = false;
  if (!answer) return on_read_error(name, topic, answer.error(), now);
  if (topic.paused) return;  // it is read again, from the same place, when the consumer is ready
  if (answer->reset) take_state(name, topic, std::move(*answer), now);
  else take_changes(name, topic, std::move(*answer), now);
  read_if_due(name, topic, now);
}

void WatchRule::on_read_error(const std::string& name, Topic& topic, const Error& error,
                              TimePoint now) {
  const bool for_good =
      error.code == Code::invalid || error.code == Code::denied || error.code == Code::too_large;
  if (!for_good) return retry_later(topic, now);
  effects_.emplace_back(Failed{name, error});
  remove(std::string(name));  // the caller's may be the map's key
}

void WatchRule::take_state(const std::string& name, Topic& topic, proto::watch::Answer answer,
                           TimePoint now) {
  const bool same = topic.history.empty() || answer.history == topic.history;
  if (same && topic.proven && answer.rev < *topic.seen)
    return retry_later(topic, now);  // a broker that lags
  topic.want = same ? topic.want : answer.rev;
  topic.history = answer.history;
  topic.seen = answer.rev;
  topic.state_due = false;
  topic.proven = true;
  effects_.emplace_back(
      Reset{name, std::move(answer.history), answer.rev, std::move(answer.items)});
}

void WatchRule::take_changes(const std::string& name, Topic& topic, proto::watch::Answer answer,
                             TimePoint now) {
  if (!topic.history.empty() && answer.history != topic.history) {
    topic.state_due = true;
    return retry_later(topic, now);
  }
  const Revision before = *topic.seen;
  topic.history = answer.history;
  topic.state_due = false;  // the notice of another history was an old one
  deliver(name, topic, std::move(answer.items), answer.rev);
  if (answer.cut) topic.want = std::max(topic.want, topic.seen->next());
  if (*topic.seen == before && topic.want > before)
    retry_later(topic, now);  // no progress: not at once again
}

std::vector<proto::watch::Sync> WatchRule::syncs() const {
  std::vector<proto::watch::Sync> syncs;
  std::map<std::string, std::size_t> open;  // history -> the sync that still has room
  bool unbegun = false;
  for (const auto& [name, topic] : topics_) {
    unbegun = unbegun || !topic.seen;
    if (!topic.seen || topic.state_due) continue;
    auto place = open.find(topic.history);
    if (place == open.end() || syncs[place->second].topics.size() >= limits::sync_topics_max) {
      open[topic.history] = syncs.size();
      syncs.push_back({.history = topic.history, .topics = {}});
      place = open.find(topic.history);
    }
    syncs[place->second].topics.emplace(name, *topic.seen);
  }
  if (unbegun && syncs.empty()) syncs.emplace_back();  // for its revision: that is "now"
  return syncs;
}

void WatchRule::on_synced(const proto::watch::Sync& asked, const proto::watch::Synced& synced,
                          TimePoint now) {
  const std::set<std::string> behind(synced.behind.begin(), synced.behind.end());
  for (auto& [name, topic] : topics_) {
    if (!topic.seen) {
      topic.seen = synced.rev;
      topic.history = synced.history;
    } else if (const auto was = asked.topics.find(name); was != asked.topics.end()) {
      take_proof(name, topic, was->second, behind.contains(name), synced);
    }
    read_if_due(name, topic, now);
  }
}

void WatchRule::take_proof(const std::string& name, Topic& topic, Revision asked, bool behind,
                           const proto::watch::Synced& synced) {
  if (topic.history.empty()) topic.history = synced.history;
  if (synced.history != topic.history) {
    topic.state_due = true;
    return;
  }
  if (!behind) {
    topic.unnoticed = 0;
    topic.proven = true;
    if (!topic.state_due && *topic.seen >= asked) topic.seen = std::max(*topic.seen, synced.rev);
    return;
  }
  const bool news =
      !topic.reading && !topic.paused && !topic.state_due && topic.want <= *topic.seen;
  if (news && *topic.seen == asked && ++topic.unnoticed >= unnoticed_max) {
    topic.unnoticed = 0;
    effects_.emplace_back(Resubscribe{name});
  }
  topic.want = std::max(topic.want, synced.rev);
}

void WatchRule::tick(TimePoint now) {
  for (auto& [name, topic] : topics_) {
    if (topic.retry_at && *topic.retry_at <= now) {
      read_if_due(name, topic, now);
      topic.retry_at.reset();
    }
  }
}

std::optional<TimePoint> WatchRule::next_due() const {
  std::optional<TimePoint> due;
  for (const auto& [name, topic] : topics_) {
    if (topic.retry_at && (!due || *topic.retry_at < *due)) due = topic.retry_at;
  }
  return due;
}

}  // namespace muster::net
