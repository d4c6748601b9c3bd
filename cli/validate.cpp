// validate: whether definition files are right, without a broker.
#include <filesystem>

#include <fmt/format.h>

#include "cli/nouns.hpp"
#include "cli/print.hpp"
#include "common/definitions/definitions.hpp"

namespace muster::cli {
namespace {

constexpr Command::Text validate_text = {
    .name = "validate",
    .arguments = "[options] FOLDER|FILE...",
    .about =
        "Reads definitions of services and checks as a node does, and says what is wrong with "
        "them. It asks nobody.",
    .examples =
        "  muster validate /etc/muster/node.d\n"
        "  muster validate web.json db.json\n"};

Exit validate(Arguments words) {
  Command command(validate_text);
  if (const auto exit = command.parse(words)) return *exit;
  const std::vector<std::string>& names = command.arguments();
  if (names.empty()) return command.misuse("takes a FOLDER, or FILEs");
  std::error_code error;
  const bool folder = names.size() == 1 && std::filesystem::is_directory(names[0], error);
  const Result<Definitions> read =
      folder ? read_definitions(names[0]) : read_definition_files(names);
  if (!read) {
    complain(fmt::format("Config validation failed: {}", read.error().message));
    return Exit::failed;
  }
  for (const std::string& note : read->notes) complain(note);
  print_line("Configuration is valid!");
  return Exit::ok;
}

}  // namespace

constinit const Noun validate_noun = {.name = "validate",
                                      .about = "whether definition files are right",
                                      .verbs = {},
                                      .usual = &validate};

}  // namespace muster::cli
