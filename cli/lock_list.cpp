// lock_list: who holds locks and who waits, in order.
#include "cli/lock_list.hpp"

#include <fmt/format.h>

#include "cli/duration.hpp"
#include "cli/format.hpp"
#include "cli/inquiry.hpp"
#include "cli/print.hpp"
#include "common/protocol/lock.hpp"

namespace muster::cli {
namespace {

using proto::lock::Info;
using proto::lock::Ticket;

std::string who(const Ticket& ticket) {
  const std::string& host = ticket.host.empty() ? ticket.owner : ticket.host;
  return ticket.pid == 0 ? host : fmt::format("{}:{}", host, ticket.pid);
}

std::string since(const Ticket& ticket) {
  const std::uint64_t now = WallTime::now().ms;
  return format_age(
      milliseconds(now > ticket.since_ms ? static_cast<std::int64_t>(now - ticket.since_ms) : 0));
}

Json json_of(const std::vector<Ticket>& tickets) {
  Json out = Json::array();
  for (const Ticket& ticket : tickets) {
    out.push_back({{"ticket", ticket.ticket.value},
                   {"token", ticket.token.value},
                   {"session", ticket.session},
                   {"owner", ticket.owner},
                   {"host", ticket.host},
                   {"pid", ticket.pid},
                   {"command", ticket.command},
                   {"since_ms", ticket.since_ms}});
  }
  return out;
}

Json json_of(const Info& lock) {
  return {{"name", lock.name},
          {"limit", lock.limit},
          {"holders", json_of(lock.holders)},
          {"waiters", json_of(lock.waiters)}};
}

constexpr Command::Text list_text = {.name = "lock list",
                                     .arguments = "[options]",
                                     .about = "Lists the locks that somebody holds or waits for.",
                                     .examples =
                                         "  muster lock list\n"
                                         "  muster lock list -format=jsonl\n"};

constexpr Command::Text show_text = {
    .name = "lock show",
    .arguments = "[options] NAME",
    .about = "Shows who holds a lock, with their tokens, and who waits, in order.",
    .examples = "  muster lock show workshop/lock\n"};

void print_tickets(const Info& lock) {
  print(fmt::format("{}: limit {}\n\n", lock.name, lock.limit));
  std::vector<std::vector<std::string>> rows;
  for (const Ticket& t : lock.holders) {
    rows.push_back(
        {fmt::format("holds {}", t.token.value), who(t), since(t), t.session, t.command});
  }
  std::size_t place = 0;
  for (const Ticket& t : lock.waiters) {
    rows.push_back({fmt::format("waits #{}", ++place), who(t), since(t), t.session, t.command});
  }
  print(format_table({"Place", "Who", "Since", "Session", "Command"}, rows));
}

}  // namespace

Exit list_locks(Arguments words) {
  Command command(list_text);
  Format format = Format::table;
  command.timeout();
  command.format(format);
  if (const auto exit = command.parse(words)) return *exit;
  if (!command.arguments().empty())
    return command.misuse("takes no arguments (muster lock show NAME shows one)");
  Inquiry broker(command.surroundings());
  const auto found = broker.ask(proto::lock::List{});
  if (!found) return broker.report("muster lock list: ", found.error());
  Listing listing{.header = {"Lock", "Held", "Waiting", "Holder", "Since", "Command"},
                  .rows = {},
                  .objects = {}};
  for (const Info& lock : found->locks) {
    const bool held = !lock.holders.empty();
    listing.rows.push_back({lock.name, fmt::format("{}/{}", lock.holders.size(), lock.limit),
                            fmt::format("{}", lock.waiters.size()),
                            held ? who(lock.holders[0]) : "-", held ? since(lock.holders[0]) : "-",
                            held ? lock.holders[0].command : "-"});
    listing.objects.push_back(json_of(lock));
  }
  print(format_listing(listing, format));
  return Exit::ok;
}

Exit show_lock(Arguments words) {
  Command command(show_text);
  Format format = Format::table;
  command.timeout();
  command.format(format);
  if (const auto exit = command.parse(words)) return *exit;
  if (command.arguments().size() != 1) return command.misuse("takes one NAME");
  Inquiry broker(command.surroundings());
  const auto found = broker.ask(proto::lock::List{.name = command.arguments()[0]});
  if (!found) return broker.report("muster lock show: ", found.error());
  for (const Info& lock : found->locks) {
    if (format == Format::table) print_tickets(lock);
    if (format == Format::json) print_line(indented(json_of(lock)));
    if (format == Format::jsonl) print_line(compact(json_of(lock)));
  }
  return Exit::ok;
}

}  // namespace muster::cli
