// watch: see watch.hpp.
#include "node/watch.hpp"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include "common/handle/watch_state.hpp"
#include "common/protocol/catalog.hpp"

namespace muster::node {
namespace {

bool filters(const proto::event::Event& event) {
  return !event.node.empty() || !event.service.empty() || !event.tag.empty();
}

}  // namespace

Watch::Watch(net::Client& client, std::string node, WatchDefinition definition)
    : client_(client),
      node_(std::move(node)),
      definition_(std::move(definition)),
      driver_(client, order(), {}, events()) {}

Watch::~Watch() {
  client_.forget(asked_);
  client_.reactor().cancel(timer_);
}

handle::Order Watch::order() const {
  const bool event = definition_.subject.type == handle::WatchType::event;
  return {.subject = definition_.subject,
          .policy = {.mode = definition_.mode,
                     .on_error = definition_.on_error,
                     .begin = event ? handle::Begin::with_changes : handle::Begin::with_state,
                     .nature = handle::nature_of(definition_.subject.type),
                     .cursor = {},
                     .after = {},
                     .history = {}},
          .after = std::nullopt,
          .cursor = fmt::format("{}/{}", node_, definition_.id),
          .node = node_};
}

handle::Driver::Events Watch::events() {
  return {
      .run = [this](const handle::Call& call, std::string input) { take(call, std::move(input)); },
      .over = [](std::int64_t) {},
      .failed =
          [this](const Error& error) {
            spdlog::error("watch {}: {}; it has ended", definition_.id, error.message);
          },
      .notice =
          [this](const std::string& line) { spdlog::warn("watch {}: {}", definition_.id, line); }};
}

void Watch::take(const handle::Call& call, std::string input) {
  if (definition_.subject.type != handle::WatchType::event) return run(call, std::move(input));
  call_ = call;
  filter(0);
}

// --- events: whether this node is meant ---

/// From that item of the call on: those that are not for this node are taken out.
void Watch::filter(std::size_t next) {
  for (; next < call_.items.size(); ++next) {
    const auto event = codec::decode<proto::event::Event>(call_.items[next].body.view());
    if (event && filters(*event)) return ask_whether_meant(*event, next);
  }
  if (call_.items.empty() && call_.what == handle::Call::What::change) return driver_.ended(0);
  const Result<Json> json = handle::json_of(handle::WatchType::event, call_);
  run(call_, compact(json ? *json : Json::array()) + "\n");
}

/// The catalog says, as for the target of an exec.
void Watch::ask_whether_meant(const proto::event::Event& event, std::size_t next) {
  proto::catalog::Nodes request{.name = node_, .matching = {}, .from = {}};
  request.matching.node = event.node;
  request.matching.service = event.service;
  request.matching.tag = event.tag;
  asked_ = client_.request<proto::catalog::Nodes>(
      request, {.timeout = std::nullopt},
      [this, next](const Result<proto::catalog::Listing>& found) {
        asked_ = {};
        const bool unknown =
            !found && found.error().code != Code::not_found && found.error().code != Code::invalid;
        if (unknown) {
          timer_ = client_.reactor().after(limits::report_again, [this, next] { filter(next); });
          return;
        }
        if (found && !found->nodes.empty()) return filter(next + 1);
        call_.items.erase(call_.items.begin() + static_cast<std::ptrdiff_t>(next));
        filter(next);
      });
}

// --- the handler ---

std::vector<std::string> Watch::command(const handle::Call& call) const {
  if (!definition_.args.empty()) return definition_.args;
  const HttpHandler& http = definition_.http;
  std::vector<std::string> words = {os::program_folder() + "/muster-probe",
                                    "--http",
                                    http.url,
                                    "--method",
                                    http.method,
                                    "--quiet",
                                    "--post-file",
                                    "-",
                                    "--timeout",
                                    fmt::format("{}ms", http.timeout.count()),
                                    "--header",
                                    "Content-Type: application/json",
                                    "--header",
                                    fmt::format("X-Consul-Index: {}", call.rev.value)};
  for (const auto& [name, values] : http.header) {
    for (const std::string& value : values) {
      words.emplace_back("--header");
      words.push_back(fmt::format("{}: {}", name, value));
    }
  }
  if (http.tls_skip_verify) words.emplace_back("--skip-verify");
  return words;
}

void Watch::run(const handle::Call& call, std::string input) {
  const os::Command command{.argv = this->command(call),
                            .environment = handle::environment_for(call, client_.broker()),
                            .input = os::Stream::pipe,
                            .leftovers = os::Leftovers::keep};
  auto started = Child::start(client_.reactor(), command, std::move(input),
                              [this](const ChildEnd& end) { on_gone(end); });
  if (started) {
    handler_ = *std::move(started);
    return;
  }
  spdlog::error("watch {}: cannot start its handler: {}", definition_.id, started.error().message);
  timer_ = client_.reactor().after(limits::report_again,
                                   [this] { driver_.ended(handle::code_not_run); });
}

void Watch::on_gone(const ChildEnd& end) {
  const std::int64_t code = handle::code_of(end);
  if (code != 0)
    spdlog::error("watch {}: the handler of revision {} failed: {}", definition_.id,
                  driver_.told().value, words_for(end));
  driver_.ended(code);
}

}  // namespace muster::node
