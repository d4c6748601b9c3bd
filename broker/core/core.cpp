// core: from a message to a draft, from drafts to a record, from a record to answers.
#include "broker/core/core.hpp"

#include <fmt/format.h>

#include "broker/core/definitions.hpp"
#include "broker/core/exec.hpp"
#include "broker/core/lock.hpp"
#include "broker/state/apply.hpp"
#include "common/protocol/admin.hpp"
#include "common/protocol/session.hpp"

namespace muster::core {
namespace {

bool takes_fence(Right right) {
  return right == Right::kv_write || right == Right::event_send || right == Right::exec;
}

}  // namespace

Core::Core(state::Store& store, log::Log& log, Hub& hub, Identity identity, Retention retention,
           std::function<std::string()> new_id)
    : store_(store),
      log_(log),
      hub_(hub),
      identity_(std::move(identity)),
      retention_(retention),
      new_id_(std::move(new_id)),
      around_{identity_, store_, log_, hub_, memory_, counters_, new_id_} {}

void Core::begin(TimePoint now, WallTime wall) {
  now_ = now;
  wall_ = std::max(wall, wall_);  // the times of records never go back: they are searched by time
  messages_ = 0;
}

void Core::receive(const Incoming& message) {
  ++messages_;
  count("received");
  if (message.frames.size() != 2) {
    count("invalid");
    if (!message.frames.empty()) {
      if (const auto no = proto::salvage_request_no(message.frames[0])) {
        say_error(message.route, *no, {Code::invalid, "a message is two frames: header and body"});
      }
    }
    return;
  }
  const Result<proto::Header> header = proto::decode_header(message.frames[0]);
  if (!header) {
    count("invalid");
    if (const auto no = proto::salvage_request_no(message.frames[0]))
      say_error(message.route, *no, header.error());
    return;
  }
  if (header->verb == proto::verb_reply || header->verb == proto::verb_error ||
      header->verb == proto::verb_more) {
    answer_node(message, *header);
  } else {
    request(message, *header);
  }
}

void Core::answer_node(const Incoming& message, const proto::Header& header) {
  const auto found = memory_.dispatches.find(header.no);
  const auto asked = found == memory_.dispatches.end() ? nullptr : &found->second;
  if (!asked) {
    count("stray_answers");
    return;
  }
  const auto link = memory_.nodes.find(asked->node);
  if (link == memory_.nodes.end() || link->second.route != message.route) {
    count("stray_answers");
    return;
  }
  heard(message.route);
  if (header.verb == proto::verb_error && asked->verb == proto::exec::Launch::verb) {
    propose("exec.refused", [&](Turn& turn) {
      exec::refused(turn, asked->node, asked->job, proto::decode_error(message.frames[1]));
      return Outcome{std::optional<std::string>{codec::encode(proto::Empty{})}};
    });
  }
  if (!asked->asker.client.empty() && header.verb != proto::verb_more) {
    propose(asked->verb, [&](Turn& turn) {
      if (header.verb == proto::verb_error)
        turn.refuse(asked->asker, proto::decode_error(message.frames[1]));
      else definitions::reloaded(turn, asked->asker, message.frames[1]);
      return Outcome{std::optional<std::string>{}};
    });
  }
  memory_.dispatches.erase(header.no);
}

void Core::request(const Incoming& message, const proto::Header& header) {
  const RouteEntry* route = find_route(header.verb);
  if (!route || route->right == Right::broker) {
    count("unknown_verbs");
    say_error(message.route, header.no, {Code::invalid, fmt::format("no verb '{}'", header.verb)});
    return;
  }
  if (!admitted(message, header, *route)) return;
  const Caller caller = caller_of(message, header);
  // A retry is told what happened, even where the same would be refused by now.
  if (auto answer = answered_before(*route, caller)) {
    count("duplicates");
    say(message.route, header.no, std::move(*answer));
    return;
  }
  if (const auto error = refused(*route, caller)) {
    say_error(message.route, header.no, *error);
    return;
  }
  if (route->kind == Kind::reads && header.options.at_least > hub_.applied()) {
    memory_.waiting_reads.push_back(
        {message.route, message.frames[0], message.frames[1],
         now_ + std::chrono::duration_cast<Duration>(limits::at_least_wait)});
    return;
  }
  evaluate(route->verb, caller, [&](Turn& turn) { return route->handle(turn, message.frames[1]); });
}

/// Whether the connection may speak at all. If not, it has been told, or is not worth it.
bool Core::admitted(const Incoming& message, const proto::Header& header, const RouteEntry& route) {
  const bool hello = route.verb == proto::session::Hello::verb;
  const auto connection = memory_.connections.find(message.route);
  if (connection == memory_.connections.end()) {
    if (hello && memory_.connections.size() < limits::connections_max) return true;
    if (hello) say_error(message.route, header.no, {Code::busy, "too many connections"});
    else
      say_error(message.route, header.no,
                {Code::hello, "say session.hello first on each connection"});
    return false;
  }
  if (connection->second.superseded && !hello) {
    count("superseded");
    return false;
  }
  heard(message.route);
  return true;
}

std::optional<Error> Core::refused(const RouteEntry& route, const Caller& caller) const {
  if (route.right != Right::none && !may(caller.request.principal, route.right)) {
    return Error{Code::denied, fmt::format("{} may not {}", caller.request.principal, route.verb)};
  }
  if (route.kind != Kind::reads) {
    const log::Room room = log_.room();
    if (room == log::Room::none || (disk_full() && route.kind == Kind::writes)) {
      return Error{Code::unavailable, "disk full",
                   "free space on the broker's disk; it goes on by itself"};
    }
    if (store_.active().bytes() > limits::layer_bytes_max) {
      return Error{Code::busy, "the disk cannot follow", "try again in a moment"};
    }
  }
  if (caller.options.fence && takes_fence(route.right)) {
    const Result<Done> holds =
        lock::check_fence(state::View(store_, {&turn_layer_}), *caller.options.fence);
    if (!holds) return holds.error();
  }
  return std::nullopt;
}

/// The answer that this request got when it was executed; `gone` when nobody needs that any more.
std::optional<state::AnswerRow> Core::answered_before(const RouteEntry& route,
                                                      const Caller& caller) const {
  if (route.kind == Kind::reads || caller.request.client.empty()) return std::nullopt;
  if (const auto found = turn_answers_.find(caller.request); found != turn_answers_.end())
    return found->second;
  const std::string client = state::client_key(caller.request);
  const state::View committed(store_, {});
  const auto acked = turn_acked_.find(client);
  const auto row = state::Read::Clients(committed).get(client);
  const RequestNo pruned = std::max(row ? row->pruned : RequestNo{},
                                    acked == turn_acked_.end() ? RequestNo{} : acked->second);
  if (caller.request.no <= pruned) {
    return state::AnswerRow{
        .body =
            Bytes(proto::encode_error({Code::gone, "this request was answered and acknowledged"})),
        .error = true};
  }
  if (!row) return std::nullopt;
  return state::Read::Dedupe(committed).get(state::dedupe_key(caller.request));
}

void Core::heard(const Route& route) {
  const auto connection = memory_.connections.find(route);
  if (connection == memory_.connections.end()) return;
  connection->second.heard = now_;
  for (const std::string& session : connection->second.sessions) {
    if (const auto lease = memory_.leases.find(session); lease != memory_.leases.end())
      lease->second.heard = now_;
  }
}

Caller Core::caller_of(const Incoming& message, const proto::Header& header) const {
  Caller caller{.route = message.route,
                .request = {.principal = message.principal, .client = {}, .no = header.no},
                .author = message.principal,
                .address = message.address,
                .options = header.options};
  const auto connection = memory_.connections.find(message.route);
  if (connection == memory_.connections.end()) return caller;
  caller.request.client = connection->second.client;
  // Without keys the name is only claimed, and marked so.
  if (message.principal == anonymous && !connection->second.name.empty())
    caller.author = connection->second.name + "?";
  return caller;
}

void Core::evaluate(std::string_view verb, const Caller& caller, const Handler& handler) {
  Draft draft;
  const state::View view(store_, {&draft.layer, &turn_layer_});
  Turn turn(around_, view, turn_layer_, caller, rev_.next(), now_, wall_, draft);
  Outcome outcome = [&]() -> Outcome {
    try {
      return handler(turn);
    } catch (const Failure&) {
      throw;  // the process cannot keep its promise
    } catch (const std::exception& error) {
      count("internal_errors");
      return Error{Code::internal, fmt::format("{} failed: {}", verb, error.what())};
    }
  }();
  const std::size_t most = caller.author == the_broker
                               ? limits::own_change_bytes_max(identity_.value_bytes_max)
                               : limits::change_bytes_max(identity_.value_bytes_max);
  if (outcome && draft.layer.bytes() > most) {
    outcome = Error{Code::too_large, fmt::format("the change has {} bytes, at most {} are taken",
                                                 draft.layer.bytes(), most)};
  }
  if (outcome && draft.parked && memory_.parked.size() >= limits::parked_max) {
    outcome = Error{Code::busy, "too many requests wait for their answer"};
  }
  if (!outcome) {
    if (!caller.route.empty()) say_error(caller.route, caller.request.no, outcome.error());
    return;
  }
  keep(verb, caller, draft, std::move(*outcome));
}

void Core::keep(std::string_view verb, const Caller& caller, Draft& draft,
                std::optional<std::string> reply) {
  if (draft.parked) {
    memory_.parked[caller.request] = {
        .route = caller.route, .verb = std::string(verb), .what = draft.parked_for, .since = now_};
  }
  for (Frames& frames : draft.sends) outgoing_.push_back(std::move(frames));
  std::vector<state::Reply> replies;
  if (reply && !caller.route.empty())
    replies.push_back({.to = caller.request, .body = Bytes(*reply)});
  for (state::Reply& answer : draft.answers) replies.push_back(std::move(answer));
  for (const state::Reply& answer : replies) {
    const auto parked = memory_.parked.find(answer.to);
    if (parked != memory_.parked.end()) {
      say(parked->second.route, answer.to.no, {answer.body, answer.error});
      memory_.parked.erase(parked);
    } else if (answer.to == caller.request && !caller.route.empty()) {
      say(caller.route, answer.to.no, {answer.body, answer.error});
    }
  }
  for (const auto& effect : draft.then) effect(memory_);
  if (!draft.layer.empty()) add_change(verb, caller, draft, std::move(replies));
}

void Core::add_change(std::string_view verb, const Caller& caller, Draft& draft,
                      std::vector<state::Reply> replies) {
  rev_ = rev_.next();
  state::Change change{.rev = rev_,
                       .request = caller.request,
                       .acked = caller.options.acked,
                       .author = caller.author,
                       .cause = caller.options.cause,
                       .verb = std::string(verb),
                       .replies = std::move(replies),
                       .topics = {draft.topics.begin(), draft.topics.end()},
                       .ops = {}};
  for (std::size_t table = 0; table < state::tables_max; ++table) {
    for (const auto& [key, value] : draft.layer.rows(static_cast<state::TableId>(table))) {
      change.ops.push_back({static_cast<state::TableId>(table), std::string(key),
                            std::optional<std::string>(value)});
      if (change.ops.back().table == state::TableId::kv && !value)
        change.ops.back().prev = draft.removed.at(change.ops.back().key);
    }
  }
  for (const state::Reply& reply : change.replies) {
    if (!reply.to.client.empty()) turn_answers_[reply.to] = {reply.body, reply.error};
  }
  if (!caller.request.client.empty())
    turn_acked_[state::client_key(caller.request)] = caller.options.acked;
  turn_layer_.absorb(draft.layer);
  record_.changes.push_back(std::move(change));
  count("changes");
}

void Core::finish() {
  if (!record_.changes.empty()) {
    record_.seq = log_.last().next();
    record_.epoch = identity_.epoch;
    record_.time = wall_;
    log_.append({.seq = record_.seq,
                 .first_rev = record_.changes.front().rev,
                 .last_rev = record_.changes.back().rev,
                 .bytes = state::encode(record_)},
                *this);
    return;
  }
  hub_.tails();
  for (Frames& frames : outgoing_) ready_.push_back(std::move(frames));
  outgoing_.clear();
}

void Core::on_committed() {
  count("records");
  state::apply(record_, store_);
  turn_layer_.clear();
  hub_.publish(record_);
  record_ = {};
  turn_answers_.clear();
  turn_acked_.clear();
  retry_reads();
  finish();
}

void Core::done(const state::RequestId& asker, Result<Bytes> answer) {
  --memory_.errands_under_way;
  propose("snapshot.done", [&](Turn& turn) {
    if (answer) turn.answer_with(asker, *answer);
    else turn.refuse(asker, answer.error());
    return Outcome{std::optional<std::string>{}};
  });
}

void Core::on_deposed() { throw Failure("another broker leads this cluster now"); }

void Core::say(const Route& route, RequestNo no, state::AnswerRow answer) {
  const std::string_view kind = answer.error ? proto::verb_error : proto::verb_reply;
  outgoing_.push_back({route, proto::encode_answer(kind, no), std::move(answer.body.data)});
}

void Core::say_error(const Route& route, RequestNo no, const Error& error) {
  count("errors");
  say(route, no, {.body = Bytes(proto::encode_error(error)), .error = true});
}

void Core::unreachable(const Route& route) {
  const auto connection = memory_.connections.find(route);
  if (connection == memory_.connections.end()) return;
  const std::string client = state::joined(connection->second.principal, connection->second.client);
  if (const auto here = memory_.clients.find(client);
      here != memory_.clients.end() && here->second == route)
    memory_.clients.erase(here);
  if (const auto node = memory_.nodes.find(connection->second.node);
      node != memory_.nodes.end() && node->second.route == route) {
    node->second.route.clear();
  }
  memory_.connections.erase(connection);
}

}  // namespace muster::core
