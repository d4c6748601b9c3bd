// watch_state: see watch_state.hpp.
#include "common/handle/watch_state.hpp"

#include <algorithm>
#include <iterator>

#include "common/consul/consul_catalog.hpp"
#include "common/consul/consul_json.hpp"

namespace muster::handle {
namespace {

using proto::catalog::Node;
using proto::catalog::Service;
using proto::health::Check;

// Whether more pages follow, and how the next one is asked for.
bool more(const proto::kv::Listing& page) { return !page.next.empty(); }
bool more(const proto::catalog::Listing& page) { return !page.next.empty(); }
bool more(const proto::health::Listing& page) { return !page.next.empty(); }
bool more(const proto::event::Listing& page) { return page.cut && !page.events.empty(); }
bool more(const proto::watch::Answer&) { return false; }

void go_on(proto::kv::List& request, const proto::kv::Listing& page) {
  request.from = page.next;
  if (!request.when) request.when = proto::kv::Moment{.rev = page.rev};  // all of one revision
}
void go_on(proto::catalog::Nodes& request, const proto::catalog::Listing& page) {
  request.from = page.next;
}
void go_on(proto::health::List& request, const proto::health::Listing& page) {
  request.from = page.next;
}
void go_on(proto::event::List& request, const proto::event::Listing& page) {
  request.after = page.events.back().rev;
}
void go_on(proto::watch::Read&, const proto::watch::Answer&) {}

Result<Json> entry(const Bytes& body) {
  const auto entry = codec::decode<proto::kv::Entry>(body.view());
  if (!entry) return entry.error();
  return consul_key(*entry);
}

/// A pattern that matches the name and nothing else.
std::string exactly(std::string_view name) {
  std::string pattern = "^";
  for (const char c : name) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       static_cast<unsigned char>(c) >= 0x80;
    if (!plain) pattern.push_back('\\');
    pattern.push_back(c);
  }
  return pattern + "$";
}

bool passes(const Node& node, const Service& service) {
  return worst_status(checks_of(node, service)) == proto::health::passing;
}

bool has_all(const Service& service, const std::vector<std::string>& tags) {
  return std::all_of(tags.begin(), tags.end(), [&](const std::string& tag) {
    return std::find(service.tags.begin(), service.tags.end(), tag) != service.tags.end();
  });
}

}  // namespace

Result<Json> json_of(WatchType type, const Call& call) {
  Json all = Json::array();
  for (const Call::Item& item : call.items) {
    if (type == WatchType::event) {
      const auto event = codec::decode<proto::event::Event>(item.body.view());
      if (!event) return event.error();
      all.push_back(consul_event(*event));
    } else if (item.op == "put") {
      Result<Json> one = entry(item.body);
      if (!one) return one.error();
      all.push_back(*std::move(one));
    }
  }
  if (type == WatchType::event) return all;
  if (all.empty()) return Json(nullptr);
  return type == WatchType::key ? all[0] : all;
}

template <class Request>
void StateReader::ask(Request request, Revision at_least,
                      std::function<void(typename Request::Reply)> take,
                      std::function<Json()> finish) {
  net::RequestOptions options = options_;
  options.at_least = at_least;
  asked_ = client_.request<Request>(
      request, std::move(options),
      [this, request, at_least, take = std::move(take),
       finish = std::move(finish)](Result<typename Request::Reply> page) mutable {
        asked_ = {};
        if (!page) return finished(page.error());
        if (upto_ == Revision{}) upto_ = page->rev;
        const bool again = more(*page);
        if (again) go_on(request, *page);
        take(*std::move(page));
        if (again) return ask(std::move(request), at_least, std::move(take), std::move(finish));
        finished(PresentState{finish(), upto_});
      });
}

/// It may read again from within.
void StateReader::finished(Result<PresentState> state) {
  const OnState done = std::move(done_);
  done(std::move(state));
}

void StateReader::read(From from, OnState done) {
  done_ = std::move(done);
  upto_ = {};
  switch (subject_.type) {
    case WatchType::key: return read_key(from.at_least);
    case WatchType::keyprefix: return read_prefix(from.at_least);
    case WatchType::event: return read_events(from);
    case WatchType::checks: return read_checks(from.at_least);
    case WatchType::services:
    case WatchType::service:
    case WatchType::nodes: return read_nodes(from.at_least);
  }
}

/// By watch.read, since kv.get does not say up to which revision a key is as it is.
void StateReader::read_key(Revision at_least) {
  found_ = nullptr;
  ask<proto::watch::Read>(
      {.topic = topic_of(subject_), .history = {}, .after = {}}, at_least,
      [this](const proto::watch::Answer& answer) {
        for (const auto& item : answer.items) {
          if (Result<Json> one = entry(item.body)) found_ = *std::move(one);
        }
      },
      [this] { return std::move(found_); });
}

void StateReader::read_prefix(Revision at_least) {
  found_ = Json::array();
  ask<proto::kv::List>(
      {.prefix = subject_.name}, at_least,
      [this](const proto::kv::Listing& page) {
        for (const proto::kv::Entry& one : page.entries) found_.push_back(consul_key(one));
      },
      [this] { return found_.empty() ? Json(nullptr) : std::move(found_); });
}

void StateReader::read_events(From from) {
  found_ = Json::array();
  ask<proto::event::List>(
      {.name = subject_.name, .after = from.after}, from.at_least,
      [this](const proto::event::Listing& page) {
        for (const proto::event::Event& event : page.events) found_.push_back(consul_event(event));
      },
      [this] { return std::move(found_); });
}

void StateReader::read_checks(Revision at_least) {
  found_ = Json::array();
  ask<proto::health::List>(
      {.node = {}, .service = subject_.name, .state = subject_.state, .from = {}}, at_least,
      [this](const proto::health::Listing& page) {
        for (const Check& check : page.checks) found_.push_back(consul_check(check));
      },
      [this] { return std::move(found_); });
}

void StateReader::read_nodes(Revision at_least) {
  nodes_.clear();
  proto::catalog::Nodes request;
  if (subject_.type == WatchType::service) request.matching.service = exactly(subject_.name);
  ask<proto::catalog::Nodes>(
      request, at_least,
      [this](proto::catalog::Listing page) {
        std::move(page.nodes.begin(), page.nodes.end(), std::back_inserter(nodes_));
      },
      [this] { return json_of_nodes(); });
}

Json StateReader::json_of_nodes() const {
  if (subject_.type == WatchType::services) return consul_services(nodes_);
  const std::string& cluster = client_.welcome().cluster;
  Json all = Json::array();
  for (const Node& node : nodes_) {
    if (subject_.type == WatchType::nodes) {
      all.push_back(consul_node(node, cluster));
      continue;
    }
    for (const Service& service : node.services) {
      if (service.name != subject_.name || !has_all(service, subject_.tags)) continue;
      if (subject_.health == Subject::Health::passing && !passes(node, service)) continue;
      all.push_back(consul_instance(node, service, cluster));
    }
  }
  return all;
}

}  // namespace muster::handle
