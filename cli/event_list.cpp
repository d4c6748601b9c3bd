// event_list: see event_list.hpp.
#include "cli/event_list.hpp"

#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "cli/format.hpp"
#include "cli/inquiry.hpp"
#include "cli/moment.hpp"
#include "cli/print.hpp"
#include "common/consul/consul_json.hpp"
#include "common/net/subscription.hpp"

namespace muster::cli {
namespace {

using proto::event::Event;

constexpr std::size_t payload_shown = 40;

/// Without a table around it, that could be as wide as what is still to come.
std::string format_row(const std::vector<std::string>& cells) {
  return fmt::format("{}\n", fmt::join(cells, "  "));
}

/// For a table: printable text, or how many bytes it is.
std::string shown(const Bytes& payload) {
  const auto control = [](char c) { return c >= 0 && c < ' '; };
  const std::string& text = payload.data;
  if (text.empty()) return "-";
  if (text.size() > payload_shown || !codec::is_utf8(text) ||
      std::any_of(text.begin(), text.end(), control)) {
    return fmt::format("({} bytes)", text.size());
  }
  return text;
}

void add(Listing& listing, const Event& event) {
  listing.rows.push_back({event.id, event.name, fmt::format("{}", event.rev.value),
                          format_time(event.time_ms), event.author.empty() ? "-" : event.author,
                          shown(event.payload)});
  listing.objects.push_back(consul_event(event));
}

constexpr Command::Text list_text = {
    .name = "event list",
    .arguments = "[options]",
    .about =
        "Lists the events that are kept, oldest first. JSON has Consul's shape; LTime is the "
        "revision.",
    .examples =
        "  muster event list -name=deploy -last=10\n"
        "  muster event list -since='1h ago' -follow\n"
        "  muster event list -format=jsonl | jq -r '.Payload | @base64d'\n"};

/// Prints those behind `after` as they come, until a signal ends it.
Exit follow(const Command& command, const std::string& name, Revision after, Format format) {
  zmq::context_t context;
  net::Reactor reactor;
  const auto client = open_client(reactor, context, command.surroundings(), net::Pings::always);
  if (!client) return command.misuse(client.error().message);
  Exit exit = Exit::ok;
  const auto show = [&](const std::vector<proto::watch::Item>& items) {
    for (const proto::watch::Item& item : items) {
      const auto event = codec::decode<Event>(item.body.view());
      if (!event || event->rev <= after) continue;
      Listing one{.header = {}, .rows = {}, .objects = {}};
      add(one, *event);
      print(format == Format::table ? format_row(one.rows[0]) : compact(one.objects[0]) + "\n");
      after = event->rev;
    }
    if (!flush()) reactor.stop();
  };
  net::Subscription events(**client);
  events.add(proto::watch::topic("event:", name), {.after = after},
             {.changes = [&](const auto& changes) { show(changes.items); },
              .reset = [&](const auto& reset) { show(reset.items); },
              .failed =
                  [&](const Error& error) {
                    exit = report("muster event list: ", error, **client);
                    reactor.stop();
                  }});
  reactor.run();
  return exit;
}

}  // namespace

Exit list_events(Arguments words) {
  Command command(list_text);
  Format format = Format::table;
  proto::event::List request;
  command.timeout();
  command.format(format);
  command.text("name", request.name, "only events of this name", "NAME");
  command.number("after", request.after.value, "only events after this revision", "REVISION");
  command.number("last", request.last, "only the newest so many");
  std::string since;
  bool following = false;
  command.text("since", since, "only events from this time on: \"10m ago\", 2026-11-22T09:00",
               "TIME");
  command.flag("follow", following, "go on with those that come, a line each");
  if (const auto exit = command.parse(words)) return *exit;
  WallTime from;
  if (!since.empty()) {
    const Result<WallTime> parsed = parse_time(since, WallTime::now());
    if (!parsed) return command.misuse(parsed.error().message);
    from = *parsed;
  }
  if (!command.arguments().empty()) return command.misuse("takes no arguments");
  Inquiry broker(command.surroundings());
  Listing listing{.header = {"Event", "Name", "Revision", "Time", "Author", "Payload"},
                  .rows = {},
                  .objects = {}};
  Revision last = request.after;
  for (bool more = true; more;) {
    const auto page = broker.ask(request);
    if (!page) return broker.report("muster event list: ", page.error());
    for (const Event& event : page->events) {
      if (event.time_ms >= from.ms) add(listing, event);
      last = event.rev;
    }
    more = page->cut && !page->events.empty();
    if (more) request.after = page->events.back().rev;
    if (!more) last = std::max(last, page->rev);
  }
  if (following && format == Format::json) format = Format::jsonl;
  print(format_listing(listing, format));
  if (!following || !flush()) return Exit::ok;  // stdout's trouble is told at the end
  return follow(command, request.name, last, format);
}

}  // namespace muster::cli
