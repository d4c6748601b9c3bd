// event: send a named event, list those that are kept.
#include "common/protocol/event.hpp"

#include <array>

#include <fmt/format.h>

#include "cli/event_list.hpp"
#include "cli/event_wait.hpp"
#include "cli/inquiry.hpp"
#include "cli/nouns.hpp"
#include "cli/payload.hpp"
#include "cli/print.hpp"

namespace muster::cli {
namespace {

constexpr Command::Text send_text = {
    .name = "event",
    .arguments = "[send] -name=NAME [options] [PAYLOAD]",
    .about =
        "Sends an event to all who watch for its name. PAYLOAD is the text itself, `-` (stdin to "
        "its end)\n"
        "or `@FILE`. Events are kept in one order; `muster event list` shows them.\n"
        "Filters are regular expressions (RE2), looked at by each node for the watches of its "
        "definitions.\n"
        "With -wait it tells which of the matching nodes have such a watch, and when its handler "
        "has\n"
        "succeeded with the event; 124 if not all have in time.",
    .examples =
        "  muster event -name=deploy v1.2.3\n"
        "  muster event -name=broadcast -node='^web' \"Sample Payload\"\n"
        "  muster event -name=deploy -service=web -wait=30s v1.2.3\n"
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
  std::optional<Duration> wait;
  command.wait("wait", wait, event_wait_usual,
               "wait until the watches of the matching nodes have it; without a duration 10s");
  if (const auto exit = command.parse(words)) return *exit;
  if (request.name.empty()) return command.misuse_as_consul("Event name must be specified");
  if (command.arguments().size() > 1)
    return command.misuse_as_consul("Too many command line arguments.");
  if (!request.tag.empty() && request.service.empty()) {
    return command.misuse_as_consul("Cannot provide tag filter without service filter.");
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
  return report_receivers(broker, request, sent->rev, wait);
}

constexpr std::array verbs = {
    Verb{"send", &send, "send an event (the verb may be left out)"},
    Verb{"list", &list_events, "the events that are kept"},
};

}  // namespace

constinit const Noun event_noun = {
    .name = "event", .about = "send and list named events", .verbs = verbs, .usual = &send};

}  // namespace muster::cli
