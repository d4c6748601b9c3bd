// service_define: see service_define.hpp.
#include "cli/service_define.hpp"

#include <fmt/format.h>

#include "cli/catalog_read.hpp"
#include "cli/inquiry.hpp"
#include "cli/print.hpp"

namespace muster::cli {
namespace {

using proto::catalog::Define;
using proto::catalog::Service;
using proto::health::Check;

constexpr Command::Text register_text = {
    .name = "service register",
    .arguments = "[options]",
    .about =
        "Defines a service on a node, which runs its check. What has the same id is replaced. A "
        "definition stays\nuntil it is taken away, also when the node is down; what a file of the "
        "node defines is changed there.",
    .examples =
        "  muster service register -name=web -port=8080 -tag=v1 -check-http=http://127.0.0.1:8080/\n"
        "  muster service register -name=job -check-ttl=30s; muster check pass service:job\n"};

/// What the options say.
struct Wanted {
  std::string node;
  Service service;
  std::uint64_t port = 0;
  std::vector<std::string> meta;
  std::string script;
  Check check;
  Duration ttl{};
  Duration interval = seconds(10);
  Duration timeout{};
  Duration deregister_after{};
};

std::uint64_t ms(Duration duration) {
  return static_cast<std::uint64_t>(std::chrono::duration_cast<milliseconds>(duration).count());
}

void declare(Command& command, Wanted& wanted) {
  command.timeout();
  add_this_node(command, wanted.node, "on which node");
  command.text("name", wanted.service.name, "the service's name", "NAME");
  command.text("id", wanted.service.id, "its id on this node; without it, its name", "ID");
  command.text("address", wanted.service.address, "where it is; without it, the node's", "ADDRESS");
  command.number("port", wanted.port, "0..65535");
  command.texts("tag", wanted.service.tags, "a tag; may be given again", "TAG");
  command.texts("meta", wanted.meta, "a word about it; may be given again", "KEY=VALUE");
  command.text("check-http", wanted.check.definition.http,
               "check it: 2xx is passing, 429 warning, else critical", "URL");
  command.text("check-tcp", wanted.check.definition.tcp, "check it: can it be connected to",
               "HOST:PORT");
  command.text("check-script", wanted.script,
               "check it: a shell command; 0 is passing, 1 warning, else critical", "COMMAND");
  command.text("check-unit", wanted.check.definition.unit, "check it: is the systemd unit active",
               "UNIT");
  command.duration("check-ttl", wanted.ttl,
                   "check it: critical unless `muster check pass` says otherwise in time");
  command.duration("check-interval", wanted.interval, "how often it is looked at (10s)");
  command.duration("check-timeout", wanted.timeout,
                   "how long a look may take (30s a command, else 10s)");
  command.duration("check-deregister-after", wanted.deregister_after,
                   "take the service away when it was critical for so long");
}

/// The check that the options define, if any. Errors: invalid.
Result<Done> add_check(Define& define, Wanted& wanted) {
  proto::health::Definition& definition = wanted.check.definition;
  if (!wanted.script.empty()) definition.args = {"/bin/sh", "-c", wanted.script};
  definition.ttl_ms = ms(wanted.ttl);
  const bool looked_at = !definition.args.empty() || !definition.http.empty() ||
                         !definition.tcp.empty() || !definition.unit.empty();
  if (!looked_at && definition.ttl_ms == 0) return Done{};
  if (looked_at) {
    definition.interval_ms = ms(wanted.interval);
    definition.timeout_ms = ms(wanted.timeout);
  }
  definition.deregister_after_ms = ms(wanted.deregister_after);
  wanted.check.id = "service:" + wanted.service.id;
  wanted.check.name = fmt::format("Service '{}' check", wanted.service.name);
  wanted.check.service_id = wanted.service.id;
  define.checks.push_back(wanted.check);
  return Done{};
}

Result<Define> define_of(Wanted& wanted) {
  if (wanted.service.name.empty()) return Error{Code::invalid, "-name is missing"};
  if (wanted.service.id.empty()) wanted.service.id = wanted.service.name;
  if (wanted.port > 65535) return Error{Code::invalid, "a port is 0..65535"};
  wanted.service.port = static_cast<std::uint16_t>(wanted.port);
  for (const std::string& entry : wanted.meta) {
    const std::size_t equals = entry.find('=');
    if (equals == std::string::npos || equals == 0)
      return Error{Code::invalid, fmt::format("-meta is KEY=VALUE, not {}", entry)};
    wanted.service.meta[entry.substr(0, equals)] = entry.substr(equals + 1);
  }
  Define define{.node = wanted.node, .services = {wanted.service}, .checks = {}};
  if (const Result<Done> added = add_check(define, wanted); !added) return added.error();
  return define;
}

constexpr Command::Text deregister_text = {
    .name = "service deregister",
    .arguments = "[options] ID",
    .about =
        "Takes a service with its checks away from a node. One that is not there is no error; one "
        "that a file of\nthe node defines is taken out of that file.",
    .examples =
        "  muster service deregister web\n"
        "  muster service deregister -node=web1 -id=web\n"};

}  // namespace

Exit register_service(Arguments words) {
  Command command(register_text);
  Wanted wanted;
  declare(command, wanted);
  if (const auto exit = command.parse(words)) return *exit;
  if (words.empty()) {
    complain("Service registration requires at least one argument or flags.");
    return Exit::failed;
  }
  if (!command.arguments().empty()) return command.misuse("takes no arguments");
  const Result<Define> define = define_of(wanted);
  if (!define) return command.misuse(define.error().message);
  Inquiry broker(command.surroundings());
  const auto defined = broker.ask(*define);
  if (!defined) {
    return broker.report(fmt::format("Error registering service \"{}\": ", wanted.service.name),
                         defined.error());
  }
  print_line(fmt::format("Registered service: {}", wanted.service.name));
  return Exit::ok;
}

Exit deregister_service(Arguments words) {
  Command command(deregister_text);
  proto::catalog::Undefine request;
  command.timeout();
  add_this_node(command, request.node, "on which node");
  command.text("id", request.service, "the same as ID", "ID");
  if (const auto exit = command.parse(words)) return *exit;
  if (command.arguments().size() == 1 && request.service.empty())
    request.service = command.arguments()[0];
  else if (!command.arguments().empty()) return command.misuse("takes one ID");
  if (request.service.empty()) {
    complain("Service deregistration requires at least one argument or flags.");
    return Exit::failed;
  }
  Inquiry broker(command.surroundings());
  const auto gone = broker.ask(request);
  if (!gone) {
    return broker.report(fmt::format("Error deregistering service \"{}\": ", request.service),
                         gone.error());
  }
  print_line(fmt::format("Deregistered service: {}", request.service));
  return Exit::ok;
}

}  // namespace muster::cli
