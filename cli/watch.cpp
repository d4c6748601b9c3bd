// watch: a program run for what happens: to keys, to the catalog, with events.
#include <array>

#include <fmt/format.h>

#include "cli/nouns.hpp"
#include "cli/print.hpp"
#include "cli/watch_list.hpp"
#include "cli/watch_run.hpp"

namespace muster::cli {
namespace {

constexpr Command::Text watch_text = {
    .name = "watch",
    .arguments = "-type=TYPE [options] [HANDLER...]",
    .about =
        "Runs HANDLER when something happens, one at a time, with JSON in Consul's shape on its stdin.\n"
        "Without HANDLER prints what there is and ends. The handler's words are joined by blanks for\n"
        "$SHELL -c; with -shell=false they are a program and its arguments.\n\n"
        "  key        a key, or null              keyprefix  all keys with the prefix, or null\n"
        "  services   names with their tags       service    a service on its nodes, with its checks\n"
        "  nodes      nodes, also as they go down and come back\n"
        "  checks     checks, of one service or in one state\n"
        "  event      events that were sent\n\n"
        "With -each (key and event do so by themselves) each change is a call: a key's, the changed keys\n"
        "of a prefix, one event. With -latest what happens while the handler runs is one call, with all\n"
        "there is. It also runs at the start, with what there is (of events not). Its environment:\n\n"
        "  MUSTER_REV       the revision; `-after` goes on behind it. CONSUL_INDEX is the same\n"
        "  MUSTER_OP        put, delete, expire; reset: the changes are not kept any more, this is what\n"
        "                   there is. The next ones are there for one change of one thing only:\n"
        "  MUSTER_KEY       the key, event or other thing; MUSTER_PREV_REV  the revision it replaced\n"
        "  MUSTER_AUTHOR    who made the change;  MUSTER_CAUSE  the job that made them do it\n\n"
        "With -cursor the broker keeps how far the handler has come: it moves when the handler exits with\n"
        "0, so that a watch that was killed goes on where it stood, and two with one cursor share it.\n"
        "A handler that fails is reported on stderr. The watch survives restarts of the broker and misses\n"
        "nothing. Ctrl-C ends the handler with all its processes, and the watch with 0.",
    .examples =
        "  muster watch -type=key -key=config/colour 'jq -r .Value | base64 -d'\n"
        "  muster watch -type=keyprefix -prefix=config/ -each -cursor=apply ./apply\n"
        "  muster watch -type=service -service=web -passingonly=true -debounce=2s ./write-config\n"
        "  muster watch -type=event -name=deploy -shell=false ./deploy --now\n"
        "  muster watch list\n",
    .place = Place::before_arguments};

Exit print_state(const Surroundings& surroundings, const WatchOrder& order) {
  zmq::context_t context;
  net::Reactor reactor;
  const auto client = open_client(reactor, context, surroundings);
  if (!client) {
    complain(fmt::format("muster watch: {}", client.error().message));
    return Exit::usage;
  }
  std::optional<Result<handle::PresentState>> state;
  handle::StateReader reader(**client, order.what.subject, options_of(surroundings));
  reader.read({.at_least = {}, .after = order.what.after.value_or(Revision{})},
              [&](Result<handle::PresentState> found) { state.emplace(std::move(found)); });
  reactor.run_until(TimePoint::max(), [&] { return state.has_value(); });
  if (!*state) return report("muster watch: ", state->error(), **client);
  print_line(indented((*state)->json));
  return Exit::ok;
}

Exit watch(Arguments words) {
  Command command(watch_text);
  WatchOptions options;
  options.declare(command);
  if (const auto exit = command.parse(words)) return *exit;
  const Result<WatchOrder> order = options.order(command);
  if (!order) return command.misuse_as_consul(order.error().message);
  if (order->program.empty()) return print_state(command.surroundings(), *order);
  return WatchRun(command.surroundings(), *order).run();
}

constexpr std::array verbs = {
    Verb{"list", &list_watches, "how far the handlers of cursors and of nodes have come"},
    Verb{"forget", &forget_watch, "forget a cursor"},
};

}  // namespace

constinit const Noun watch_noun = {.name = "watch",
                                   .about = "run a program when something happens",
                                   .verbs = verbs,
                                   .usual = &watch};

}  // namespace muster::cli
