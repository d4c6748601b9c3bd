// check: see check.hpp.
#include "common/definitions/check.hpp"

#include <array>

#include <fmt/format.h>

#include "common/limits.hpp"

namespace muster::definitions {
namespace {

using proto::health::Check;
using proto::health::Definition;

constexpr Key id{"id", "ID", "CheckID"};
constexpr Key name{"name", "Name"};
constexpr Key notes_key{"notes", "Notes"};
constexpr Key service_id{"service_id", "ServiceID"};
constexpr Key status{"status", "Status"};
constexpr Key args{"args", "Args", "ScriptArgs"};
constexpr Key http{"http", "HTTP"};
constexpr Key method{"method", "Method"};
constexpr Key header{"header", "Header"};
constexpr Key body{"body", "Body"};
constexpr Key tls_skip_verify{"tls_skip_verify", "TLSSkipVerify"};
constexpr Key tcp{"tcp", "TCP"};
constexpr Key unit{"unit", "Unit"};
constexpr Key ttl{"ttl", "TTL"};
constexpr Key interval{"interval", "Interval"};
constexpr Key script{"script", "Script"};
constexpr Key timeout{"timeout", "Timeout"};
constexpr Key success_before_passing{"success_before_passing", "SuccessBeforePassing"};
constexpr Key failures_before_warning{"failures_before_warning", "FailuresBeforeWarning"};
constexpr Key failures_before_critical{"failures_before_critical", "FailuresBeforeCritical"};
constexpr Key deregister_after{"deregister_critical_service_after",
                               "DeregisterCriticalServiceAfter"};
constexpr std::array of_check = {id,
                                 name,
                                 notes_key,
                                 service_id,
                                 status,
                                 args,
                                 script,
                                 http,
                                 method,
                                 header,
                                 body,
                                 tls_skip_verify,
                                 tcp,
                                 unit,
                                 ttl,
                                 interval,
                                 timeout,
                                 success_before_passing,
                                 failures_before_warning,
                                 failures_before_critical,
                                 deregister_after};
constexpr std::array not_acted_upon = {Key{"output_max_size", "OutputMaxSize"},
                                       Key{"token", "Token"}, Key{"type", "Type"}};

std::uint64_t ms(milliseconds duration) { return static_cast<std::uint64_t>(duration.count()); }

/// A command of its own words, or, as Consul once had it, a line for a shell.
std::vector<std::string> args_of(const Fields& fields) {
  const std::string line = fields.text(script);
  if (line.empty()) return fields.words(args);
  if (fields.find(args) != nullptr) throw Broken(fields.where(script), "stands beside args");
  return {"/bin/sh", "-c", line};
}

Definition definition_of(const Fields& fields) {
  return {
      .args = args_of(fields),
      .http = fields.text(http),
      .method = fields.word(method),
      .header = fields.lists(header),
      .body = fields.text(body),
      .tls_skip_verify = fields.flag(tls_skip_verify),
      .tcp = fields.word(tcp),
      .unit = fields.word(unit),
      .ttl_ms = ms(fields.duration(ttl)),
      .interval_ms = ms(fields.duration(interval)),
      .timeout_ms = ms(fields.duration(timeout)),
      .success_before_passing = fields.number(success_before_passing, limits::check_runs_max),
      .failures_before_warning = fields.number(failures_before_warning, limits::check_runs_max),
      .failures_before_critical = fields.number(failures_before_critical, limits::check_runs_max),
      .deregister_after_ms = ms(fields.duration(deregister_after))};
}

}  // namespace

Check check_of(const json& value, const std::string& where, std::vector<std::string>& notes) {
  const Fields fields(value, where);
  fields.only(of_check, not_acted_upon,
              "a check has one of args, http, tcp, unit and ttl, and interval, timeout, id, name, "
              "notes, status, service_id",
              notes);
  Check check;
  check.id = fields.word(id);
  check.name = fields.word(name);
  check.notes = fields.text(notes_key);
  check.service_id = fields.word(service_id);
  if (const std::string said = fields.word(status); !said.empty()) check.status = said;
  check.definition = definition_of(fields);
  if (fields.find(ttl) != nullptr && check.definition.ttl_ms == 0)
    throw Broken(fields.where(ttl), "must be a duration such as \"10s\"");
  return check;
}

}  // namespace muster::definitions
