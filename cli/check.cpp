// check: how nodes and services are, and telling a TTL check.
#include <array>

#include <fmt/format.h>

#include "cli/catalog_read.hpp"
#include "cli/duration.hpp"
#include "cli/format.hpp"
#include "cli/nouns.hpp"
#include "cli/payload.hpp"
#include "cli/print.hpp"
#include "common/consul/consul_catalog.hpp"

namespace muster::cli {
namespace {

using proto::health::Check;

std::string since(const Check& check) {
  const std::uint64_t now = WallTime::now().ms;
  const std::uint64_t age = now > check.since_ms ? now - check.since_ms : 0;
  return check.since_ms == 0 ? "-" : format_age(milliseconds(static_cast<std::int64_t>(age)));
}

constexpr Command::Text list_text = {
    .name = "check list",
    .arguments = "[options]",
    .about =
        "Lists checks, where they stand since when, and what they said last. serfHealth is whether "
        "the node is\nup. JSON has Consul's shape.",
    .examples =
        "  muster check list -state=critical\n"
        "  muster check list -service=web -format=json\n"};

Exit list(Arguments words) {
  Command command(list_text);
  Format format = Format::table;
  proto::health::List request;
  command.timeout();
  command.format(format);
  command.text("node", request.node, "of this node only", "NAME");
  command.text("service", request.service, "of services of this name only", "NAME");
  command.text("state", request.state, "any, passing, warning or critical", "STATE");
  if (const auto exit = command.parse(words)) return *exit;
  if (!command.arguments().empty()) return command.misuse("takes no arguments");
  Inquiry broker(command.surroundings());
  const auto checks = all_checks(broker, request);
  if (!checks) return broker.report("muster check list: ", checks.error());
  Listing listing{.header = {"Node", "Check", "Service", "Status", "Since", "Type", "Output"},
                  .rows = {},
                  .objects = {}};
  for (const Check& check : *checks) {
    listing.rows.push_back(
        {check.node, check.id, check.service_name.empty() ? "-" : check.service_name, check.status,
         since(check), check.type.empty() ? "-" : check.type, shown_output(check)});
    listing.objects.push_back(consul_check(check));
  }
  print(format_listing(listing, format));
  return Exit::ok;
}

Exit tell(const Command::Text& text, std::string_view status, Arguments words) {
  Command command(text);
  proto::health::Update request;
  std::string note;
  command.timeout();
  add_this_node(command, request.node, "of which node");
  command.text("note", note, "its output from now on; `-` is stdin, `@FILE` a file", "TEXT");
  if (const auto exit = command.parse(words)) return *exit;
  if (command.arguments().size() != 1) return command.misuse("takes one CHECK (its id)");
  if (!note.empty()) {
    Result<std::string> output = read_payload(note, limits::value_bytes_default);
    if (!output) return command.misuse(output.error().message);
    if (output->size() > limits::check_output_bytes)
      output->erase(0, output->size() - limits::check_output_bytes);
    request.output = Bytes(*std::move(output));
  }
  request.check = command.arguments()[0];
  request.status = status;
  Inquiry broker(command.surroundings());
  const auto told = broker.ask(request);
  if (!told) return broker.report(fmt::format("muster {}: ", text.name), told.error());
  return Exit::ok;
}

constexpr std::string_view tell_about =
    "Tells a TTL check how things are; its time begins anew. Who forgets to tell in time is "
    "critical.";

constexpr Command::Text pass_text = {
    .name = "check pass",
    .arguments = "[options] CHECK",
    .about = tell_about,
    .examples = "  muster check pass service:backup -note=\"412 files\"\n"};
constexpr Command::Text warn_text = {.name = "check warn",
                                     .arguments = "[options] CHECK",
                                     .about = tell_about,
                                     .examples = "  muster check warn service:backup\n"};
constexpr Command::Text fail_text = {
    .name = "check fail",
    .arguments = "[options] CHECK",
    .about = tell_about,
    .examples = "  backup 2>&1 | muster check fail service:backup -note=-\n"};

Exit pass(Arguments words) { return tell(pass_text, proto::health::passing, words); }
Exit warn(Arguments words) { return tell(warn_text, proto::health::warning, words); }
Exit fail(Arguments words) { return tell(fail_text, proto::health::critical, words); }

constexpr std::array verbs = {
    Verb{"list", &list, "how nodes and services are"},
    Verb{"pass", &pass, "tell a TTL check: all is well"},
    Verb{"warn", &warn, "tell a TTL check: look at it"},
    Verb{"fail", &fail, "tell a TTL check: it does not work"},
};

}  // namespace

constinit const Noun check_noun = {
    .name = "check", .about = "how nodes and services are", .verbs = verbs};

}  // namespace muster::cli
