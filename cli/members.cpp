// members: the nodes with Consul's columns.
#include <regex>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "cli/catalog_read.hpp"
#include "cli/format.hpp"
#include "cli/nouns.hpp"
#include "cli/print.hpp"

namespace muster::cli {
namespace {

using proto::catalog::Node;

constexpr Command::Text members_text = {
    .name = "members",
    .arguments = "[options]",
    .about =
        "Lists the nodes as Consul lists its members: alive, or failed until they are forgotten "
        "(muster node\nforget). Nobody matches: no output, exit 2.",
    .examples =
        "  muster members\n"
        "  muster members -status='^failed$'\n"};

/// One is enough, since only two words are ever asked about.
std::string_view status_of(const Node& node) { return node.up ? "alive" : "failed"; }

std::vector<std::pair<std::string, std::string>> tags_of(const Node& node,
                                                         std::string_view cluster) {
  std::vector<std::pair<std::string, std::string>> tags = {
      {"build", node.version}, {"dc", std::string(cluster)}, {"id", node.id}, {"role", "node"}};
  for (const std::string& tag : node.tags) tags.emplace_back("tag", tag);
  for (const auto& [key, value] : node.meta) tags.emplace_back(key, value);
  return tags;
}

std::string text_of(const std::vector<std::pair<std::string, std::string>>& tags) {
  std::vector<std::string> words;
  words.reserve(tags.size());
  for (const auto& [key, value] : tags) words.push_back(fmt::format("{}={}", key, value));
  return fmt::format("{}", fmt::join(words, ","));
}

void add(Listing& listing, const Node& node, std::string_view cluster, bool detailed) {
  const std::string status(status_of(node));
  const auto tags = tags_of(node, cluster);
  if (detailed) {
    listing.rows.push_back({node.name, node.address, status, text_of(tags)});
  } else {
    listing.rows.push_back({node.name, node.address, status, "client", node.version, "1",
                            std::string(cluster), "<default>"});
  }
  Json named = Json::object();
  for (const auto& [key, value] : tags) named[key] = value;
  listing.objects.push_back({{"Name", node.name},
                             {"Addr", node.address},
                             {"Port", 0},
                             {"Tags", std::move(named)},
                             {"Status", node.up ? 1 : 4}});
}

Exit members(Arguments words) {
  Command command(members_text);
  Format format = Format::table;
  std::string status = ".*";
  bool detailed = false;
  command.timeout();
  command.format(format);
  command.text("status", status, "only those whose status matches: alive, failed", "REGEX");
  command.flag("detailed", detailed, "with tags and meta");
  command.without_effect({"wan"}, Takes::nothing);
  command.without_effect({"segment"}, Takes::value);
  if (const auto exit = command.parse(words)) return *exit;
  if (!command.arguments().empty()) return command.misuse("takes no arguments");
  std::regex pattern;
  try {
    pattern.assign(status);
  } catch (const std::regex_error& error) {
    return command.misuse(fmt::format("Failed to compile status regexp: {}", error.what()));
  }
  Inquiry broker(command.surroundings());
  const auto nodes = all_nodes(broker, {});
  if (!nodes) return broker.report("Error retrieving members: ", nodes.error());
  Listing listing;
  if (detailed) listing.header = {"Node", "Address", "Status", "Tags"};
  else listing.header = {"Node", "Address", "Status", "Type", "Build", "Protocol", "DC", "Segment"};
  for (const Node& node : *nodes) {
    const std::string_view now = status_of(node);
    if (std::regex_search(now.begin(), now.end(), pattern))
      add(listing, node, broker.cluster(), detailed);
  }
  if (listing.rows.empty()) return Exit::command_failed;
  print(format_listing(listing, format));
  return Exit::ok;
}

}  // namespace

constinit const Noun members_noun = {
    .name = "members", .about = "the nodes with Consul's columns", .verbs = {}, .usual = &members};

}  // namespace muster::cli
