// reload: a node reads its definitions again.
#include <fmt/format.h>

#include "cli/catalog_read.hpp"
#include "cli/format.hpp"
#include "cli/nouns.hpp"
#include "cli/print.hpp"

namespace muster::cli {
namespace {

constexpr Command::Text reload_text = {
    .name = "reload",
    .arguments = "[options]",
    .about =
        "Asks a node to read its definitions again (services, checks, watches), and says what came "
        "of it. With an\nerror in them the node keeps what it had.",
    .examples =
        "  muster reload\n"
        "  muster reload -node=web1\n"};

Json json_of(const std::string& node, const proto::catalog::Reloaded& said) {
  return {{"node", node},
          {"services", said.services},
          {"checks", said.checks},
          {"watches", said.watches},
          {"problem", said.problem}};
}

Exit reload(Arguments words) {
  Command command(reload_text);
  Format format = Format::table;
  proto::catalog::Reload request;
  command.timeout();
  command.format(format);
  add_this_node(command, request.node, "which node");
  if (const auto exit = command.parse(words)) return *exit;
  if (!command.arguments().empty()) return command.misuse("takes no arguments");
  Inquiry broker(command.surroundings());
  const auto said = broker.ask(request);
  if (!said) return broker.report("Error reloading: ", said.error());
  if (format == Format::json) print_line(indented(json_of(request.node, *said)));
  if (format == Format::jsonl) print_line(compact(json_of(request.node, *said)));
  if (!said->problem.empty()) {
    complain(
        fmt::format("Error reloading: node {} keeps what it had: {}", request.node, said->problem));
    return Exit::failed;
  }
  if (format == Format::table) print_line("Configuration reload triggered");
  return Exit::ok;
}

}  // namespace

constinit const Noun reload_noun = {
    .name = "reload", .about = "a node reads its definitions again", .verbs = {}, .usual = &reload};

}  // namespace muster::cli
