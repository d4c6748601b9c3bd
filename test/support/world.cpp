// world: turns, one message each.
#include "test/support/world.hpp"

#include <algorithm>
#include <sstream>

#include <fmt/format.h>

namespace muster::test {
namespace {

std::string json_of(const std::string& body) {
  const auto unpacked = codec::unpack(body);
  ENSURE(unpacked);
  std::ostringstream text;
  text << unpacked->get();
  return text.str();
}

}  // namespace

World::World(core::Retention retention) : retention_(retention) { boot(); }

void World::boot() {
  store_ = std::make_unique<state::Store>(folder_.path());
  core::replay(log_, *store_);
  hub_ = std::make_unique<core::Hub>(*store_);
  const auto new_id = [this] { return fmt::format("id-{}", ++ids_); };
  core_ = std::make_unique<core::Core>(*store_, log_, *hub_, core::identify(*store_, new_id),
                                       retention_, new_id);
  core_->lead(now_, wall_);
  collect();
}

void World::restart() {
  core_.reset();
  hub_.reset();
  store_.reset();
  for (auto& [name, client] : clients_) {
    client.route = fmt::format("{}#{}", name, ++routes_);
    client.greeted = false;
  }
  boot();
}

void World::turn(const std::function<void()>& act) {
  core_->begin(now_, wall_);
  act();
  core_->tick();
  core_->finish();
  collect();
}

void World::collect() {
  for (core::Frames& frames : core_->take()) {
    const std::string name = frames.route.substr(0, frames.route.find('#'));
    const auto header = proto::decode_header(frames.header);
    ENSURE(header);
    const auto client = clients_.find(name);
    if (client == clients_.end() || client->second.route != frames.route)
      continue;  // a dead connection
    const bool answer = header->verb == proto::verb_reply || header->verb == proto::verb_more ||
                        header->verb == proto::verb_error;
    if (!answer) {
      transcript_ += fmt::format("  {} << {}\n", name, header->verb);
      orders_[name].emplace_back(header->no, header->verb);
      continue;
    }
    const std::string verb = client->second.verbs[header->no];
    if (verb != proto::session::Hello::verb) {
      const std::string mark = header->verb == proto::verb_reply ? "" : " " + header->verb;
      transcript_ +=
          fmt::format("  {} < {}{} {}\n", name, verb, mark,
                      header->verb == proto::verb_error ? proto::decode_error(frames.body).message
                                                        : json_of(frames.body));
    }
    answers_.push_back({name, header->verb, verb, header->no, frames.body});
  }
  for (core::Publication& notice : hub_->take()) notices_.push_back(std::move(notice));
}

void World::greet(const std::string& name, Client& client) {
  if (client.route.empty()) client.route = fmt::format("{}#{}", name, ++routes_);
  if (client.greeted) return;
  client.greeted = true;
  client.last = client.last.next();
  client.verbs[client.last] = proto::session::Hello::verb;
  const std::string header =
      proto::encode_header({std::string(proto::session::Hello::verb), client.last, {}});
  const std::string body = codec::encode(
      proto::session::Hello{.client_id = "client-" + name, .kind = "client", .name = name});
  turn([&] { core_->receive({client.route, std::string(core::anonymous), {header, body}}); });
}

RequestNo World::post(const std::string& name, std::string_view verb, std::string body,
                      proto::Options options) {
  Client& client = clients_[name];
  greet(name, client);
  client.last = client.last.next();
  deliver(name, proto::encode_header({std::string(verb), client.last, std::move(options)}),
          std::move(body), verb, client.last);
  return client.last;
}

void World::deliver(const std::string& name, std::string header, std::string body,
                    std::string_view verb, RequestNo no) {
  Client& client = clients_[name];
  greet(name, client);
  client.verbs[no] = std::string(verb);
  transcript_ += fmt::format("{} > {}\n", name, verb);
  turn([&] {
    core_->receive(
        {client.route, std::string(core::anonymous), {std::move(header), std::move(body)}});
  });
}

void World::raw(const std::string& name, std::vector<std::string> frames) {
  Client& client = clients_[name];
  if (client.route.empty()) client.route = fmt::format("{}#{}", name, ++routes_);
  turn([&] { core_->receive({client.route, std::string(core::anonymous), std::move(frames)}); });
}

void World::reconnect(const std::string& name) {
  Client& client = clients_[name];
  client.route = fmt::format("{}#{}", name, ++routes_);
  client.greeted = false;
}

void World::advance(Duration by) {
  const TimePoint until = now_ + by;
  while (core_->next_due() && *core_->next_due() <= until) {
    const Duration step = std::max(Duration(0), Duration(*core_->next_due() - now_));
    now_ += step;
    wall_.ms += static_cast<std::uint64_t>(step.count() / 1000);
    turn([] {});
  }
  wall_.ms += static_cast<std::uint64_t>((until - now_).count() / 1000);
  now_ = until;
  turn([] {});
}

void World::subscribe(const std::string& topic) {
  hub_->subscribed(topic);
  turn([] {});
}

void World::unsubscribe(const std::string& topic) { hub_->unsubscribed(topic); }

void World::presence(const std::string& node, bool present) {
  turn([&] { core_->subscription(node, present); });
}

void World::checkpoint() {
  store_->seal(log_.last());
  store_->write_sealed();
  store_->settle();
  log_.trim(store_->log_floor());
}

const Answer& World::answer_to(const std::string& client, RequestNo no,
                               std::string_view kind) const {
  const auto found = std::find_if(answers_.rbegin(), answers_.rend(), [&](const Answer& answer) {
    return answer.client == client && answer.no == no && answer.kind == kind;
  });
  if (found == answers_.rend())
    throw std::runtime_error(fmt::format("{} has no {} to request {}", client, kind, no.value));
  return *found;
}

bool World::answered(const std::string& client, RequestNo no) const {
  return std::any_of(answers_.begin(), answers_.end(), [&](const Answer& answer) {
    return answer.client == client && answer.no == no && answer.kind != proto::verb_more;
  });
}

std::vector<std::pair<RequestNo, std::string>> World::orders(const std::string& client) const {
  const auto found = orders_.find(client);
  return found == orders_.end() ? std::vector<std::pair<RequestNo, std::string>>{} : found->second;
}

void World::accept_order(const std::string& client, RequestNo no) {
  raw(client, {proto::encode_answer(proto::verb_reply, no), codec::encode(proto::Empty{})});
}

}  // namespace muster::test
