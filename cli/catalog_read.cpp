// catalog_read: see catalog_read.hpp.
#include "cli/catalog_read.hpp"

#include <algorithm>
#include <iterator>

#include <fmt/format.h>

#include "cli/surroundings.hpp"
#include "common/protocol/codec.hpp"

namespace muster::cli {
namespace {

using proto::catalog::Node;
using proto::health::Check;

constexpr std::size_t output_shown = 60;

template <class Request, class Row>
Result<std::vector<Row>> all_parts(Inquiry& broker, Request request,
                                   std::vector<Row> Request::Reply::*rows) {
  std::vector<Row> all;
  do {
    auto part = broker.ask(request);
    if (!part) return part.error();
    std::move(((*part).*rows).begin(), ((*part).*rows).end(), std::back_inserter(all));
    request.from = part->next;
  } while (!request.from.empty());
  return all;
}

}  // namespace

Result<std::vector<Node>> all_nodes(Inquiry& broker, proto::catalog::Nodes request) {
  return all_parts(broker, std::move(request), &proto::catalog::Listing::nodes);
}

Result<std::vector<Check>> all_checks(Inquiry& broker, proto::health::List request) {
  return all_parts(broker, std::move(request), &proto::health::Listing::checks);
}

void add_this_node(Command& command, std::string& node, std::string_view help) {
  node = environment("MUSTER_NODE");
  if (node.empty()) node = host_name();
  command.text("node", node, fmt::format("{} (MUSTER_NODE, else this host: {})", help, node),
               "NAME");
}

std::string_view state_of(const Node& node) {
  if (!node.up) return "down";
  const bool maintenance = std::any_of(
      node.checks.begin(), node.checks.end(),
      [](const Check& check) { return check.id == proto::health::node_maintenance_id; });
  return maintenance ? "maintenance" : "up";
}

std::string sum_of(const std::vector<const Check*>& checks) {
  const auto count = [&](std::string_view status) {
    return std::count_if(checks.begin(), checks.end(),
                         [&](const Check* check) { return check->status == status; });
  };
  std::string sum;
  for (const std::string_view status : {proto::health::critical, proto::health::warning}) {
    if (count(status) == 0) continue;
    sum += fmt::format("{}{} {}", sum.empty() ? "" : ", ", count(status), status);
  }
  return sum.empty() ? std::string(proto::health::passing) : sum;
}

std::string shown_output(const Check& check) {
  std::string text(check.output.empty() ? check.notes : check.output.view());
  if (text.empty() || !codec::is_utf8(text))
    return text.empty() ? "-" : fmt::format("({} bytes)", text.size());
  text.resize(std::min(text.find('\n'), text.size()));
  std::replace_if(
      text.begin(), text.end(), [](char c) { return c >= 0 && c < ' '; }, ' ');
  if (text.size() <= output_shown) return text;
  text.resize(output_shown);
  while (!codec::is_utf8(text)) text.pop_back();  // not in the middle of a character
  return text + "...";
}

std::vector<const Check*> checks_of(const Node& node) {
  std::vector<const Check*> all;
  for (const Check& check : node.checks) all.push_back(&check);
  return all;
}

}  // namespace muster::cli
