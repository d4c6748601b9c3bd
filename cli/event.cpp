// event: send a named event, list those that are kept.
#include "common/protocol/event.hpp"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "cli/consul_json.hpp"
#include "cli/inquiry.hpp"
#include "cli/nouns.hpp"
#include "cli/payload.hpp"
#include "cli/print.hpp"

namespace muster::cli {
namespace {

using proto::event::Event;

constexpr std::size_t payload_shown = 40;

constexpr Command::Text send_text = {
    .name = "event",
    .arguments = "[send] -name=NAME [options] [PAYLOAD]",
    .about =
        "Sends an event to all who watch for its name. PAYLOAD is the text itself, `-` (stdin to "
        "its end)\n"
        "or `@FILE`. Events are kept in one order; `muster event list` shows them.",
    .examples =
        "  muster event -name=deploy v1.2.3\n"
        "  muster event -name=broadcast -node='^web' \"Sample Payload\"\n"
        "  muster event list -name=deploy\n"};

Exit send(Arguments words) {
  Command command(send_text);
  proto::event::Send request;
  command.timeout();
  command.text("name", request.name, "the event's name", "NAME");
  command.text("node", request.node,
               "only for nodes whose name matches this regular expression (RE2)", "REGEX");
  command.text("service", request.service, "only for nodes with a service whose name matches",
               "REGEX");
  command.text("tag", request.tag, "and of which a tag matches; with -service", "REGEX");
  if (const auto exit = command.parse(words)) return *exit;
  if (request.name.empty()) return command.misuse("Event name must be specified");
  if (command.arguments().size() > 1) return command.misuse("Too many command line arguments.");
  if (!request.tag.empty() && request.service.empty()) {
    return command.misuse("Cannot provide tag filter without service filter.");
  }
  if (!command.arguments().empty()) {
    Result<std::string> payload = read_payload(command.arguments()[0], limits::value_bytes_ceiling);
    if (!payload) {
      complain(fmt::format("muster event: {}", payload.error().message));
      return Exit::failed;
    }
    request.payload = Bytes(*std::move(payload));
  }
  Inquiry broker(command.surroundings());
  const auto sent = broker.ask(request);
  if (!sent) return broker.report("Error firing event: ", sent.error());
  print_line(fmt::format("Event ID: {}", sent->id));
  return Exit::ok;
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
        "  muster event list -format=jsonl | jq -r '.Payload | @base64d'\n"};

Exit list(Arguments words) {
  Command command(list_text);
  Format format = Format::table;
  proto::event::List request;
  command.timeout();
  command.format(format);
  command.text("name", request.name, "only events of this name", "NAME");
  command.number("after", request.after.value, "only events after this revision", "REVISION");
  command.number("last", request.last, "only the newest so many");
  if (const auto exit = command.parse(words)) return *exit;
  if (!command.arguments().empty()) return command.misuse("takes no arguments");
  Inquiry broker(command.surroundings());
  Listing listing{.header = {"Event", "Name", "Revision", "Time", "Author", "Payload"},
                  .rows = {},
                  .objects = {}};
  for (bool more = true; more;) {
    const auto page = broker.ask(request);
    if (!page) return broker.report("muster event list: ", page.error());
    for (const Event& event : page->events) add(listing, event);
    more = page->cut && !page->events.empty();
    if (more) request.after = page->events.back().rev;
  }
  print(format_listing(listing, format));
  return Exit::ok;
}

constexpr std::array verbs = {
    Verb{"send", &send, "send an event (the verb may be left out)"},
    Verb{"list", &list, "the events that are kept"},
};

}  // namespace

constinit const Noun event_noun = {
    .name = "event", .about = "send and list named events", .verbs = verbs, .usual = &send};

}  // namespace muster::cli
