// session: the leases of the fleet: who is there, and what they hold.
#include "common/protocol/session.hpp"

#include <array>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "cli/duration.hpp"
#include "cli/format.hpp"
#include "cli/inquiry.hpp"
#include "cli/nouns.hpp"
#include "cli/print.hpp"

namespace muster::cli {
namespace {

using proto::session::Info;

Duration milliseconds_of(std::uint64_t ms) { return milliseconds(static_cast<std::int64_t>(ms)); }

/// "deploy:17, backup (waits)"
std::string locks_of(const Info& session) {
  std::vector<std::string> out;
  for (const proto::session::Held& held : session.locks) {
    out.push_back(held.token.value == 0 ? held.lock + " (waits)"
                                        : fmt::format("{}:{}", held.lock, held.token.value));
  }
  return out.empty() ? "-" : fmt::format("{}", fmt::join(out, ", "));
}

Json json_of(const Info& session) {
  Json locks = Json::array();
  for (const proto::session::Held& held : session.locks) {
    locks.push_back({{"lock", held.lock}, {"token", held.token.value}});
  }
  return {{"id", session.id},
          {"name", session.name},
          {"owner", session.owner},
          {"client", session.client},
          {"ttl_ms", session.ttl_ms},
          {"heard_ms", session.heard_ms},
          {"behavior", session.behavior},
          {"attach_gen", session.attach_gen},
          {"create_rev", session.create_rev.value},
          {"locks", locks}};
}

Listing listing_of(const std::vector<Info>& sessions) {
  Listing listing{
      .header = {"Session", "Client", "TTL", "Heard", "Locks", "Name"}, .rows = {}, .objects = {}};
  for (const Info& session : sessions) {
    listing.rows.push_back({session.id, session.client.empty() ? session.owner : session.client,
                            format_duration(milliseconds_of(session.ttl_ms)),
                            fmt::format("{} ago", format_age(milliseconds_of(session.heard_ms))),
                            locks_of(session), session.name.empty() ? "-" : session.name});
    listing.objects.push_back(json_of(session));
  }
  return listing;
}

constexpr Command::Text list_text = {
    .name = "session list",
    .arguments = "[options]",
    .about =
        "Lists the open sessions, when they were last heard of, and the locks "
        "they hold (lock:token) or wait for.",
    .examples = "  muster session list\n"};

Exit list(Arguments words) {
  Command command(list_text);
  Format format = Format::table;
  command.timeout();
  command.format(format);
  if (const auto exit = command.parse(words)) return *exit;
  if (!command.arguments().empty()) return command.misuse("takes no arguments");
  Inquiry broker(command.surroundings());
  const auto found = broker.ask(proto::session::List{});
  if (!found) return broker.report("muster session list: ", found.error());
  print(format_listing(listing_of(found->sessions), format));
  return Exit::ok;
}

constexpr Command::Text show_text = {.name = "session show",
                                     .arguments = "[options] ID",
                                     .about = "Shows a session as JSON.",
                                     .examples = "  muster session show $MUSTER_SESSION\n"};

Exit show(Arguments words) {
  Command command(show_text);
  Format format = Format::json;
  command.timeout();
  command.format(format);
  if (const auto exit = command.parse(words)) return *exit;
  if (command.arguments().size() != 1) return command.misuse("takes one ID");
  Inquiry broker(command.surroundings());
  const auto found = broker.ask(proto::session::List{.id = command.arguments()[0]});
  if (!found) return broker.report("muster session show: ", found.error());
  print(format_one(listing_of(found->sessions), format));
  return Exit::ok;
}

constexpr Command::Text open_text = {
    .name = "session open",
    .arguments = "[options]",
    .about =
        "Opens a session and prints its id. It ends after its TTL unless `muster session renew` comes "
        "before.\n"
        "What hangs on it ends with it: keys put with -session are deleted, keys that it has acquired are\n"
        "released, or deleted with -behavior=delete.",
    .examples =
        "  session=$(muster session open -ttl=1h)\n"
        "  muster kv put -session=$session here/$(hostname) yes\n"};

Exit open(Arguments words) {
  Command command(open_text);
  proto::session::Open request;
  Duration ttl = limits::session_ttl_default;
  Duration delay{0};
  command.timeout();
  command.text("name", request.name, "for people who list sessions", "NAME");
  command.duration("ttl", ttl, "it ends when it was not renewed for so long; default 15s");
  command.text("behavior", request.behavior, "of keys that it has acquired: release or delete",
               "WHAT");
  command.duration("lock-delay", delay,
                   "for so long after its end nobody acquires what it had acquired");
  if (const auto exit = command.parse(words)) return *exit;
  if (!command.arguments().empty()) return command.misuse("takes no arguments");
  const auto count = [](Duration d) {
    return static_cast<std::uint64_t>(std::chrono::duration_cast<milliseconds>(d).count());
  };
  request.ttl_ms = count(ttl);
  request.lock_delay_ms = count(delay);
  Inquiry broker(command.surroundings());
  const auto lease = broker.ask(request);
  if (!lease) return broker.report("muster session open: ", lease.error());
  print_line(lease->id);
  return Exit::ok;
}

constexpr Command::Text renew_text = {
    .name = "session renew",
    .arguments = "[options] ID",
    .about = "Begins a session's TTL anew.",
    .examples = "  muster session renew 5f0c9a52-3e1f-4f0e-9f3b-0a5c8e1d2b7a\n"};

Exit renew(Arguments words) {
  Command command(renew_text);
  command.timeout();
  if (const auto exit = command.parse(words)) return *exit;
  if (command.arguments().size() != 1) return command.misuse("takes one ID");
  Inquiry broker(command.surroundings());
  const auto lease = broker.ask(proto::session::Attach{.id = command.arguments()[0]});
  if (!lease) return broker.report("muster session renew: ", lease.error());
  print_line(fmt::format("Renewed session: {} ({})", lease->id,
                         format_duration(milliseconds_of(lease->ttl_ms))));
  return Exit::ok;
}

constexpr Command::Text end_text = {
    .name = "session end",
    .arguments = "[options] ID...",
    .about =
        "Ends sessions with all they hold: locks are handed on at once. Whoever works under such a "
        "lock\n"
        "is not asked; its fenced writes are refused from then on.",
    .examples = "  muster session end 5f0c9a52-3e1f-4f0e-9f3b-0a5c8e1d2b7a\n"};

Exit end(Arguments words) {
  Command command(end_text);
  command.timeout();
  if (const auto exit = command.parse(words)) return *exit;
  if (command.arguments().empty()) return command.misuse("takes at least one ID");
  Inquiry broker(command.surroundings());
  Exit exit = Exit::ok;
  for (const std::string& id : command.arguments()) {
    const auto ended = broker.ask(proto::session::End{.id = id});
    if (ended) print_line(fmt::format("Ended session: {}", id));
    else exit = broker.report("muster session end: ", ended.error());
  }
  return exit;
}

constexpr std::array verbs = {
    Verb{"list", &list, "who is there, and what they hold"},
    Verb{"show", &show, "one session"},
    Verb{"open", &open, "a lease for keys that are to end with it"},
    Verb{"renew", &renew, "begin its time anew"},
    Verb{"end", &end, "end sessions with all they hold"},
};

}  // namespace

constinit const Noun session_noun = {
    .name = "session", .about = "leases, and what hangs on them", .verbs = verbs};

}  // namespace muster::cli
