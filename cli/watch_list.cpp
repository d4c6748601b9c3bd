// watch_list: see watch_list.hpp.
#include "cli/watch_list.hpp"

#include <fmt/format.h>

#include "cli/format.hpp"
#include "cli/inquiry.hpp"
#include "cli/print.hpp"
#include "common/protocol/cursor.hpp"

namespace muster::cli {
namespace {

using proto::cursor::Cursor;

constexpr Command::Text list_text = {
    .name = "watch list",
    .arguments = "[options] [PREFIX]",
    .about =
        "Lists what is watched with a cursor: by `muster watch -cursor=NAME`, and by nodes through their\n"
        "definitions (NODE/ID). Behind is how many revisions there are, at most, up to the newest of what\n"
        "is watched; Exit is the exit code of the last handler, 128+n where signal n killed it.",
    .examples = "  muster watch list\n  muster watch list -format=jsonl web1/\n"};

std::uint64_t behind(const Cursor& cursor) {
  return cursor.newest > cursor.rev ? cursor.newest.value - cursor.rev.value : 0;
}

void add(Listing& listing, const Cursor& cursor) {
  const std::string topic = cursor.topic.substr(0, cursor.topic.find('\0'));
  listing.rows.push_back({cursor.name, cursor.node.empty() ? "-" : cursor.node, topic,
                          fmt::format("{}", cursor.rev.value), fmt::format("{}", behind(cursor)),
                          format_time(cursor.ran_ms),
                          cursor.exit_code ? fmt::format("{}", *cursor.exit_code) : "-",
                          fmt::format("{}", cursor.acknowledged)});
  listing.objects.push_back(
      {{"Name", cursor.name},
       {"Node", cursor.node},
       {"Topic", topic},
       {"Rev", cursor.rev.value},
       {"Newest", cursor.newest.value},
       {"Behind", behind(cursor)},
       {"LastRunMs", cursor.ran_ms},
       {"ExitCode", cursor.exit_code ? Json(*cursor.exit_code) : Json(nullptr)},
       {"Acknowledged", cursor.acknowledged},
       {"Owner", cursor.owner},
       {"MovedBy", cursor.who},
       {"MovedMs", cursor.moved_ms},
       {"CreatedMs", cursor.created_ms}});
}

constexpr Command::Text forget_text = {
    .name = "watch forget",
    .arguments = "[options] CURSOR",
    .about =
        "Forgets a cursor: whoever opens it again begins anew. A watch that runs makes it again.",
    .examples = "  muster watch forget apply\n"};

}  // namespace

Exit list_watches(Arguments words) {
  Command command(list_text);
  Format format = Format::table;
  command.timeout();
  command.format(format);
  if (const auto exit = command.parse(words)) return *exit;
  if (command.arguments().size() > 1) return command.misuse("takes one prefix");
  proto::cursor::List request;
  if (!command.arguments().empty()) request.prefix = command.arguments()[0];
  Inquiry broker(command.surroundings());
  Listing listing{.header = {"Watch", "Node", "Topic", "Revision", "Behind", "Last run", "Exit",
                             "Acknowledged"},
                  .rows = {},
                  .objects = {}};
  do {
    const auto page = broker.ask(request);
    if (!page) return broker.report("muster watch list: ", page.error());
    for (const Cursor& cursor : page->cursors) add(listing, cursor);
    request.from = page->next;
  } while (!request.from.empty());
  print(format_listing(listing, format));
  return Exit::ok;
}

Exit forget_watch(Arguments words) {
  Command command(forget_text);
  command.timeout();
  if (const auto exit = command.parse(words)) return *exit;
  if (command.arguments().size() != 1) return command.misuse("takes the name of a cursor");
  Inquiry broker(command.surroundings());
  const auto done = broker.ask(proto::cursor::Forget{.name = command.arguments()[0]});
  if (!done) return broker.report("muster watch forget: ", done.error());
  print_line(fmt::format("Forgotten: {}", command.arguments()[0]));
  return Exit::ok;
}

}  // namespace muster::cli
