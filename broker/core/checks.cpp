// checks: see checks.hpp.
#include "broker/core/checks.hpp"

#include <algorithm>
#include <tuple>

#include <fmt/format.h>

#include "broker/core/services.hpp"

namespace muster::core::checks {
namespace {

using proto::health::Definition;

std::string key_of(const Check& check) { return state::joined(check.node, check.id); }

std::string_view type_of(const Definition& definition) {
  if (!definition.args.empty()) return "script";
  if (!definition.http.empty()) return "http";
  if (!definition.tcp.empty()) return "tcp";
  if (!definition.unit.empty()) return "systemd";
  return definition.ttl_ms > 0 ? "ttl" : "";
}

auto parts(const Definition& d) {
  return std::tie(d.args, d.http, d.method, d.header, d.body, d.tls_skip_verify, d.tcp, d.unit,
                  d.ttl_ms, d.interval_ms, d.timeout_ms, d.success_before_passing,
                  d.failures_before_warning, d.failures_before_critical, d.deregister_after_ms);
}

/// What is looked at is the same, so that what was found still says something.
bool same_look(const Check& a, const Check& b) {
  return a.service_id == b.service_id && parts(a.definition) == parts(b.definition);
}

bool same(const Check& a, const Check& b) {
  return same_look(a, b) &&
         std::tie(a.name, a.notes, a.status, a.owner, a.service_name, a.service_tags) ==
             std::tie(b.name, b.notes, b.status, b.owner, b.service_name, b.service_tags);
}

void touch(Turn& turn, const Check& check) {
  turn.touch("checks");
  if (!check.service_id.empty()) {
    turn.touch("service:", check.service_name);
    return;
  }
  if (turn.once("services of " + check.node)) services::touch_each(turn, check.node);
}

void label(Check& check, const proto::catalog::Service& service) {
  check.service_name = service.name;
  check.service_tags = service.tags;
}

void write(Turn& turn, Check& check) {
  check.mod_rev = turn.rev();
  check.output = {};
  turn.checks().put(key_of(check), check);
  touch(turn, check);
}

std::optional<CheckClock> clock_of(const Check& check, CheckWait wait, TimePoint now) {
  const Definition& definition = check.definition;
  const bool counts = wait == CheckWait::told ||
                      (check.status == proto::health::critical && !check.service_id.empty());
  const std::uint64_t length =
      wait == CheckWait::told ? definition.ttl_ms : definition.deregister_after_ms;
  if (!counts || length == 0) return std::nullopt;
  return CheckClock{.since = now,
                    .length = milliseconds(
                        static_cast<std::int64_t>(std::min(length, limits::check_time_ms_max))),
                    .timer = {}};
}

void start_or_stop(Memory& memory, const CheckDue& due, const std::optional<CheckClock>& clock) {
  if (clock) memory.start_clock(due, *clock);
  else memory.stop_clock(due);
}

}  // namespace

bool is_run(const Check& check) { return !check.type.empty() && check.type != "ttl"; }

bool is_command(const Check& check) {
  return !check.definition.args.empty() || !check.definition.unit.empty();
}

std::vector<Check> of_node(Turn& turn, std::string_view node) {
  std::vector<Check> found;
  turn.checks().scan(state::joined(node, {}), [&](std::string_view, const Check& check) {
    found.push_back(check);
    return true;
  });
  return found;
}

std::vector<Check> for_node(Turn& turn, std::string_view node) {
  std::vector<Check> found = of_node(turn, node);
  std::erase_if(found, [](const Check& c) { return c.owner != by_api || !is_run(c); });
  return found;
}

Check liveness(const proto::catalog::Node& node) {
  Check check;
  check.node = node.name;
  check.id = proto::health::liveness_id;
  check.name = "Serf Health Status";
  check.status = node.up ? proto::health::passing : proto::health::critical;
  check.output = Bytes(node.up ? "Agent alive and reachable" : "Agent not live or unreachable");
  check.create_rev = node.create_rev;
  check.mod_rev = check.output_rev = node.mod_rev;
  check.since_ms = node.since_ms;
  return check;
}

Result<bool> put(Turn& turn, Check check) {
  const std::string key = key_of(check);
  const std::optional<Check> before = turn.checks().get(key);
  check.type = type_of(check.definition);
  if (!check.service_id.empty()) {
    const auto service = turn.services().get(state::joined(check.node, check.service_id));
    if (!service) {
      return Error{Code::invalid, fmt::format("check {}: node {} has no service with the id {}",
                                              check.id, check.node, check.service_id)};
    }
    label(check, *service);
  }
  const bool goes_on = before && same_look(*before, check);
  if (goes_on) check.status = before->status;
  if (goes_on && same(*before, check)) return false;
  check.create_rev = before ? before->create_rev : turn.rev();
  check.since_ms = before && before->status == check.status ? before->since_ms : turn.wall().ms;
  if (before && before->service_name != check.service_name) touch(turn, *before);
  write(turn, check);
  if (!goes_on) {
    turn.then(
        [key, check, now = turn.now()](Memory& memory) { start_clocks(memory, key, check, now); });
  }
  return true;
}

void tell(Turn& turn, Check check, std::string_view status) {
  if (check.status == status) return;
  check.status = status;
  check.since_ms = turn.wall().ms;
  write(turn, check);
  turn.then([due = CheckDue{key_of(check), CheckWait::recovery},
             clock = clock_of(check, CheckWait::recovery, turn.now())](Memory& memory) {
    start_or_stop(memory, due, clock);
  });
}

void keep_output(Turn& turn, const Check& check, std::string_view output) {
  if (output.size() > limits::check_told_bytes)
    output.remove_prefix(output.size() - limits::check_told_bytes);
  const auto before = turn.check_outputs().get(key_of(check));
  if (before ? before->output.view() == output : output.empty()) return;
  turn.check_outputs().put(key_of(check),
                           {.output = Bytes(std::string(output)), .rev = turn.rev()});
}

void erase(Turn& turn, const Check& check) {
  const std::string key = key_of(check);
  turn.checks().erase(key);
  if (turn.check_outputs().get(key)) turn.check_outputs().erase(key);
  touch(turn, check);
  turn.then([key](Memory& memory) {
    memory.stop_clock({key, CheckWait::told});
    memory.stop_clock({key, CheckWait::recovery});
  });
}

void relabel(Turn& turn, std::string_view node, const proto::catalog::Service& service) {
  for (Check& check : of_node(turn, node)) {
    if (check.service_id != service.id) continue;
    Check labelled = check;
    label(labelled, service);
    if (!same(check, labelled)) write(turn, labelled);
  }
}

void add_output(Turn& turn, Check& check) {
  const auto row = turn.check_outputs().get(key_of(check));
  if (!row) return;
  check.output = row->output;
  check.output_rev = row->rev;
}

void start_clocks(Memory& memory, const std::string& key, const Check& check, TimePoint now) {
  for (const CheckWait wait : {CheckWait::told, CheckWait::recovery})
    start_or_stop(memory, {key, wait}, clock_of(check, wait, now));
}

}  // namespace muster::core::checks
