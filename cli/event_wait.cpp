// event_wait: see event_wait.hpp.
#include "cli/event_wait.hpp"

#include <algorithm>
#include <poll.h>
#include <set>

#include <fmt/format.h>

#include "cli/duration.hpp"
#include "cli/print.hpp"
#include "common/protocol/catalog.hpp"
#include "common/protocol/cursor.hpp"
#include "common/protocol/watch.hpp"

namespace muster::cli {
namespace {

using proto::cursor::Cursor;
using proto::event::Send;

constexpr int look_again_ms = 100;

Result<std::set<std::string>> matching(Inquiry& broker, const Send& sent) {
  std::set<std::string> names;
  proto::catalog::Nodes request;
  request.matching.node = sent.node;
  request.matching.service = sent.service;
  request.matching.tag = sent.tag;
  do {
    const auto page = broker.ask(request);
    if (!page) return page.error();
    for (const proto::catalog::Node& node : page->nodes) names.insert(node.name);
    request.from = page->next;
  } while (!request.from.empty());
  return names;
}

/// Of these nodes' watches for the event.
Result<std::vector<Cursor>> watches(Inquiry& broker, const Send& sent,
                                    const std::set<std::string>& nodes) {
  const std::string own = proto::watch::topic("event:", sent.name);
  const std::string all = proto::watch::topic("event:");
  std::vector<Cursor> found;
  proto::cursor::List request;
  do {
    const auto page = broker.ask(request);
    if (!page) return page.error();
    for (const Cursor& cursor : page->cursors) {
      if (nodes.contains(cursor.node) && (cursor.topic == own || cursor.topic == all))
        found.push_back(cursor);
    }
    request.from = page->next;
  } while (!request.from.empty());
  return found;
}

/// Prints those that have it by now, once each; false: some do not.
bool print_done(const std::vector<Cursor>& cursors, Revision rev, std::set<std::string>& said) {
  bool all = true;
  for (const Cursor& cursor : cursors) {
    if (cursor.rev < rev) all = false;
    else if (said.insert(cursor.name).second)
      print_line(fmt::format("{}: {} has it", cursor.node, cursor.name));
  }
  return all;
}

void print_missing(const std::vector<Cursor>& cursors, Revision rev) {
  for (const Cursor& cursor : cursors) {
    if (cursor.rev >= rev) continue;
    const std::string failed =
        cursor.exit_code.value_or(0) == 0
            ? ""
            : fmt::format("; its handler last exited with {}", *cursor.exit_code);
    complain(fmt::format("muster event: {}: {} does not have it yet{}", cursor.node, cursor.name,
                         failed));
  }
}

}  // namespace

Exit report_receivers(Inquiry& broker, const Send& sent, Revision rev,
                      std::optional<Duration> wait) {
  const bool filtered = !sent.node.empty() || !sent.service.empty();
  if (!filtered && !wait) return Exit::ok;
  const auto nodes = matching(broker, sent);
  if (!nodes) return broker.report("muster event: ", nodes.error());
  if (nodes->empty()) complain("muster event: no node matches");
  if (nodes->empty() || !wait) return Exit::ok;
  const TimePoint until = BootClock::now() + *wait;
  std::set<std::string> said;
  while (true) {
    const auto cursors = watches(broker, sent, *nodes);
    if (!cursors) return broker.report("muster event: ", cursors.error());
    if (cursors->empty()) {
      complain("muster event: no matching node has a watch for it");
      return Exit::ok;
    }
    if (print_done(*cursors, rev, said)) return Exit::ok;
    if (BootClock::now() >= until) {
      print_missing(*cursors, rev);
      return Exit::timeout;
    }
    poll(nullptr, 0, look_again_ms);
  }
}

}  // namespace muster::cli
