// watch: a program run for each change of a key, for each event.
#include <fmt/format.h>

#include "cli/consul_json.hpp"
#include "cli/nouns.hpp"
#include "cli/print.hpp"
#include "cli/watch_run.hpp"

namespace muster::cli {
namespace {

constexpr Command::Text watch_text = {
    .name = "watch",
    .arguments = "-type=key|event [options] [HANDLER...]",
    .about =
        "Runs HANDLER for each change, in order and one at a time, with the change as JSON on its stdin, in\n"
        "Consul's shape. A key's handler also runs at the start, with the present state (null: no such key).\n"
        "Without HANDLER prints the present state and ends. The handler's words are joined by blanks for\n"
        "$SHELL -c; with -shell=false they are a program and its arguments. Its environment says more:\n\n"
        "  MUSTER_REV     the revision of the change; `-after` goes on behind it\n"
        "  MUSTER_OP      put, delete, expire; absent: there is no such key at the start\n"
        "  MUSTER_AUTHOR  who made the change\n"
        "  CONSUL_INDEX   the same as MUSTER_REV\n\n"
        "A handler that fails is reported on stderr; the watch goes on. It survives restarts of the broker\n"
        "and misses nothing. Ctrl-C ends the handler with all its processes, and the watch with 0.",
    .examples =
        "  muster watch -type=key -key=config/colour 'jq -r .Value | base64 -d'\n"
        "  muster watch -type=key -key=config/colour -after=1234 ./apply\n"
        "  muster watch -type=event -name=deploy -shell=false ./deploy --now\n",
    .place = Place::before_arguments};

struct WatchOptions {
  std::string type;
  std::string key;
  std::string prefix;
  std::string name;
  std::string service;
  std::string state;
  std::vector<std::string> tags;
  std::uint64_t after = 0;
  bool passing_only = false;
  bool shell = true;
};

/// What is wrong with the options, as Consul words it where it does.
std::optional<std::string> wrong(const Command& command, const WatchOptions& options) {
  if (options.type.empty()) return "Watch type must be specified";
  for (const char* later : {"keyprefix", "services", "nodes", "service", "checks"}) {
    if (options.type == later)
      return fmt::format("watching {} is not possible yet: key and event are", later);
  }
  if (options.type != "key" && options.type != "event")
    return fmt::format("Unsupported watch type: {}", options.type);
  const std::string_view own = options.type == "key" ? "key" : "name";
  for (const char* option : {"key", "prefix", "name", "service", "state", "tag", "passingonly"}) {
    if (option != own && command.given(option))
      return fmt::format("Invalid parameters: [{}]", option);
  }
  if (options.type == "key" && options.key.empty()) return "Must specify a single key to watch";
  return std::nullopt;
}

Exit print_key(const Command& command, const std::string& key) {
  Inquiry broker(command.surroundings());
  const auto entry = broker.ask(proto::kv::Get{.key = key});
  if (!entry && entry.error().code != Code::not_found)
    return broker.report("muster watch: ", entry.error());
  print_line(indented(entry ? consul_key(*entry) : Json(nullptr)));
  return Exit::ok;
}

Exit print_events(const Command& command, const std::string& name, Revision after) {
  Inquiry broker(command.surroundings());
  proto::event::List request{.name = name, .after = after};
  Json events = Json::array();
  for (bool more = true; more;) {
    const auto page = broker.ask(request);
    if (!page) return broker.report("muster watch: ", page.error());
    for (const proto::event::Event& event : page->events) events.push_back(consul_event(event));
    more = page->cut && !page->events.empty();
    if (more) request.after = page->events.back().rev;
  }
  print_line(indented(events));
  return Exit::ok;
}

Exit watch(Arguments words) {
  Command command(watch_text);
  WatchOptions options;
  command.timeout();
  command.text("type", options.type, "key or event", "TYPE");
  command.text("key", options.key, "the key; with -type=key", "KEY");
  command.text("name", options.name, "the event's name; with -type=event; none: all events",
               "NAME");
  command.number("after", options.after, "go on with the changes after this revision", "REVISION");
  command.flag("shell", options.shell,
               "give the words to a shell; -shell=false: they are a program and its arguments");
  command.text("prefix", options.prefix, "of Consul's other types", "PREFIX");
  command.text("service", options.service, "of Consul's other types", "NAME");
  command.texts("tag", options.tags, "of Consul's other types", "TAG");
  command.text("state", options.state, "of Consul's other types", "STATE");
  command.flag("passingonly", options.passing_only, "of Consul's other types");
  command.without_effect({"stale"}, Takes::nothing);
  if (const auto exit = command.parse(words)) return *exit;
  if (const auto what = wrong(command, options)) return command.misuse(*what);
  const bool key = options.type == "key";
  if (options.key.starts_with('/')) options.key.erase(0, 1);
  if (command.arguments().empty()) {
    return key ? print_key(command, options.key)
               : print_events(command, options.name, Revision{options.after});
  }
  WatchOrder order{
      .type = key ? WatchType::key : WatchType::event,
      .name = key ? options.key : options.name,
      .program = program_of(command.arguments(), options.shell ? Shell::yes : Shell::no),
      .after = std::nullopt};
  if (command.given("after")) order.after = Revision{options.after};
  return WatchRun(command.surroundings(), std::move(order)).run();
}

}  // namespace

constinit const Noun watch_noun = {
    .name = "watch", .about = "run a program for each change or event", .usual = &watch};

}  // namespace muster::cli
