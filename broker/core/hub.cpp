// hub: notices and tails.
#include "broker/core/hub.hpp"

#include <algorithm>
#include <iterator>

#include "broker/state/tables.hpp"
#include "common/limits.hpp"

namespace muster::core {

using proto::watch::Item;
using state::Read;

void Hub::lead(std::string history, Epoch epoch, Revision applied) {
  history_ = std::move(history);
  epoch_ = epoch;
  applied_ = applied;
}

bool Hub::subscribed(std::string_view topic) {
  const std::string name(topic);
  if (!topics_.contains(name)) {
    if (topics_.size() >= limits::topics_max) return false;
    topics_.emplace(name, newest_known(state::View(store_, {}), topic, applied_));
    if (const auto parsed = proto::watch::parse_topic(topic);
        parsed && parsed->kind == "keyprefix:") {
      ++prefix_lengths_[parsed->name.size()];
    }
  }
  fresh_.insert(name);
  return true;
}

void Hub::unsubscribed(std::string_view topic) {
  const std::string name(topic);
  fresh_.erase(name);
  if (topics_.erase(name) == 0) return;
  const auto parsed = proto::watch::parse_topic(topic);
  if (!parsed || parsed->kind != "keyprefix:") return;
  const auto length = prefix_lengths_.find(parsed->name.size());
  if (--length->second == 0) prefix_lengths_.erase(length);
}

Revision Hub::newest(std::string_view topic) const {
  const auto found = topics_.find(std::string(topic));
  if (found != topics_.end()) return found->second;
  return newest_known(state::View(store_, {}), topic, applied_);
}

void Hub::publish(const state::Record& record) {
  std::map<std::string, Draft> drafts;
  for (const state::Change& change : record.changes) collect(record, change, drafts);
  applied_ = record.changes.back().rev;
  for (auto& [topic, draft] : drafts) send(topic, std::move(draft));
}

void Hub::collect(const state::Record& record, const state::Change& change,
                  std::map<std::string, Draft>& drafts) {
  if (topics_.empty()) return;
  const auto offer = [&](const std::string& topic) {
    if (!topics_.contains(topic)) return;
    if (const auto draft = drafts.find(topic);
        draft != drafts.end() && draft->second.rev == change.rev)
      return;
    add(drafts, topic, change, items_of(record, change, *proto::watch::parse_topic(topic)));
  };
  for (const std::string& topic : change.topics) offer(topic);
  for (const state::Op& op : change.ops) {
    if (op.table != state::TableId::kv) continue;
    offer(proto::watch::topic("key:", op.key));
    for (const auto& [length, count] : prefix_lengths_) {
      if (length > op.key.size()) break;
      offer(proto::watch::topic("keyprefix:", std::string_view(op.key).substr(0, length)));
    }
  }
}

void Hub::add(std::map<std::string, Draft>& drafts, const std::string& topic,
              const state::Change& change, std::vector<Item> items) {
  std::size_t bytes = 0;
  for (const Item& item : items)
    bytes += item.body.size() + item.name.size() + item.author.size() + item.cause.size() + 64;
  Draft& draft = drafts[topic];
  if (!draft.items.empty() && draft.bytes + bytes > limits::notice_bytes_max)
    send(topic, std::exchange(draft, {}));
  draft.rev = change.rev;
  draft.bytes += bytes;
  if (draft.bytes > limits::notice_bytes_max) return;  // it becomes a tail
  std::move(items.begin(), items.end(), std::back_inserter(draft.items));
}

void Hub::send(const std::string& topic, Draft draft) {
  Revision& newest = topics_[topic];
  proto::watch::Notice notice{
      .history = history_, .epoch = epoch_, .prev = newest, .rev = draft.rev, .items = {}};
  newest = draft.rev;
  if (draft.bytes > limits::notice_bytes_max) notice.prev = notice.rev;  // one too large: a tail
  else notice.items = std::move(draft.items);
  fresh_.erase(topic);
  out_.push_back({topic, codec::encode(notice)});
}

void Hub::tails() {
  for (const std::string& topic : fresh_) {
    const Revision rev = std::max(topics_[topic], Revision{1});
    out_.push_back(
        {topic, codec::encode(proto::watch::Notice{
                    .history = history_, .epoch = epoch_, .prev = rev, .rev = rev, .items = {}})});
  }
  fresh_.clear();
}

std::vector<Publication> Hub::take() { return std::exchange(out_, {}); }

}  // namespace muster::core
