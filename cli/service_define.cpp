// service_define: see service_define.hpp.
#include "cli/service_define.hpp"

#include <fmt/format.h>

#include "cli/catalog_read.hpp"
#include "cli/inquiry.hpp"
#include "cli/print.hpp"
#include "common/definitions/definitions.hpp"

namespace muster::cli {
namespace {

using proto::catalog::Define;
using proto::catalog::Service;
using proto::health::Check;

constexpr Command::Text register_text = {
    .name = "service register",
    .arguments = "[options] [FILE...]",
    .about =
        "Defines a service, or those of JSON files in Consul's form, on a node, which runs the checks. "
        "What has the\nsame id is replaced. A definition stays until it is taken away, also when the node is down; what a "
        "file of the\nnode's own folder defines is changed there.",
    .examples =
        "  muster service register -name=web -port=8080 -tag=v1 -check-http=http://127.0.0.1:8080/\n"
        "  muster service register web.json\n"
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
  bool interval_given = false;
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

/// The check that the options define, if any. Errors: invalid (how without what).
Result<Done> add_check(Define& define, Wanted& wanted) {
  proto::health::Definition& definition = wanted.check.definition;
  if (!wanted.script.empty()) definition.args = {"/bin/sh", "-c", wanted.script};
  definition.ttl_ms = ms(wanted.ttl);
  const bool looked_at = !definition.args.empty() || !definition.http.empty() ||
                         !definition.tcp.empty() || !definition.unit.empty();
  const bool how = wanted.interval_given || wanted.timeout != Duration(0) ||
                   wanted.deregister_after != Duration(0);
  if (!looked_at && definition.ttl_ms == 0) {
    if (!how) return Done{};
    return Error{Code::invalid,
                 "-check-interval, -check-timeout and -check-deregister-after need one of "
                 "-check-http, -check-tcp, -check-script, -check-unit and -check-ttl"};
  }
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

/// All files count together, in one change. Errors: invalid, with file, key and rule.
Result<Define> read(const std::string& node, const std::vector<std::string>& files) {
  Result<Definitions> all = read_definition_files(files);
  if (!all) return all.error();
  for (const std::string& note : all->notes) complain(note);
  if (all->services.empty() && all->checks.empty())
    return Error{Code::invalid, "the files define no service and no check"};
  return Define{
      .node = node, .services = std::move(all->services), .checks = std::move(all->checks)};
}

std::string wrong(const std::vector<Service>& services) {
  if (services.size() != 1) return "Error registering services: ";
  return fmt::format("Error registering service \"{}\": ", services[0].name);
}

constexpr Command::Text deregister_text = {
    .name = "service deregister",
    .arguments = "[options] ID, or FILE.json...",
    .about =
        "Takes a service with its checks away from a node; of FILEs in Consul's form all services "
        "in them. One that\nis not there is no error. One that a file of the node itself defines "
        "is refused (7): take it out of that\nfile, then muster reload.",
    .examples =
        "  muster service deregister web\n"
        "  muster service deregister -node=web1 -id=web\n"};

}  // namespace

Exit register_service(Arguments words) {
  Command command(register_text);
  Wanted wanted;
  declare(command, wanted);
  if (const auto exit = command.parse(words)) return *exit;
  wanted.interval_given = command.given("check-interval");
  if (words.empty())
    return command.misuse_as_consul(
        "Service registration requires at least one argument or flags.");
  const bool from_files = !command.arguments().empty();
  if (from_files && command.given("name"))
    return command.misuse("takes either files or the options of one service");
  const Result<Define> define =
      from_files ? read(wanted.node, command.arguments()) : define_of(wanted);
  if (!define && !from_files) return command.misuse(define.error().message);
  if (!define) {
    complain(fmt::format("Error registering services: {}", define.error().message));
    return Exit::failed;
  }
  Inquiry broker(command.surroundings());
  const auto defined = broker.ask(*define);
  if (!defined) return broker.report(wrong(define->services), defined.error());
  for (const Service& service : define->services)
    print_line(fmt::format("Registered service: {}", service.name));
  return Exit::ok;
}

namespace {

/// What an argument means: a file's services, or an id. Errors: invalid, as the file's.
Result<std::vector<std::string>> ids_of(const std::string& argument) {
  if (!argument.ends_with(".json")) return std::vector<std::string>{argument};
  const Result<Definitions> file = read_definition_files({argument});
  if (!file) return file.error();
  std::vector<std::string> ids;
  for (const Service& service : file->services) ids.push_back(service.id);
  return ids;
}

}  // namespace

Exit deregister_service(Arguments words) {
  Command command(deregister_text);
  std::string node;
  std::string id;
  command.timeout();
  add_this_node(command, node, "on which node");
  command.text("id", id, "the same as ID, whatever it looks like", "ID");
  if (const auto exit = command.parse(words)) return *exit;
  if (id.empty() && command.arguments().empty())
    return command.misuse_as_consul(
        "Service deregistration requires at least one argument or flags.");
  std::vector<std::string> ids;
  if (!id.empty()) ids.push_back(id);
  for (const std::string& argument : command.arguments()) {
    const auto meant = ids_of(argument);
    if (!meant) {
      complain(fmt::format("Error deregistering services: {}", meant.error().message));
      return Exit::failed;
    }
    ids.insert(ids.end(), meant->begin(), meant->end());
  }
  Inquiry broker(command.surroundings());
  for (const std::string& service : ids) {
    const auto gone =
        broker.ask(proto::catalog::Undefine{.node = node, .service = service, .check = {}});
    if (!gone)
      return broker.report(fmt::format("Error deregistering service \"{}\": ", service),
                           gone.error());
    print_line(fmt::format("Deregistered service: {}", service));
  }
  return Exit::ok;
}

}  // namespace muster::cli
