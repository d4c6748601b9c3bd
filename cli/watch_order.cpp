// watch_order: see watch_order.hpp.
#include "cli/watch_order.hpp"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "cli/command.hpp"
#include "common/handle/child.hpp"

namespace muster::cli {
namespace {

constexpr std::array special = {"key", "prefix", "service", "tag", "passingonly", "state", "name"};

/// The option that says what is watched.
std::string_view special_of(WatchType type) {
  if (type == WatchType::key) return "key";
  if (type == WatchType::keyprefix) return "prefix";
  return type == WatchType::event ? "name" : "service";
}

Error wrong(std::string what) { return Error{Code::invalid, std::move(what)}; }

std::string without_slash(std::string key) {
  if (key.starts_with('/')) key.erase(0, 1);
  return key;
}

}  // namespace

void WatchOptions::declare(Command& command) {
  command.text("type", type_, "key, keyprefix, services, nodes, service, checks or event", "TYPE");
  command.text("key", key_, "of type key", "KEY");
  command.text("prefix", prefix_, "of type keyprefix", "PREFIX");
  command.text("service", service_, "of types service and checks", "NAME");
  command.texts("tag", tags_, "of type service: only with this tag; several: with all of them",
                "TAG");
  command.text("passingonly", passing_only_,
               "of type service: true leaves out what has a check that does not pass", "BOOL");
  command.text("state", state_, "of type checks: passing, warning, critical or any", "STATE");
  command.text("name", name_, "of type event; none: all events", "NAME");
  command.flag("shell", shell_,
               "give the words to a shell; -shell=false: they are a program and its arguments");
  command.flag("each", each_, "a call for each change, in order; the usual way of key and event");
  command.flag("latest", latest_,
               "one call for all that happened meanwhile; the usual way of the other types");
  command.text("initial", initial_, "whether the present state makes the first call", "yes|no");
  command.duration("debounce", debounce_, "with -latest: gather changes for so long");
  command.text("on-error", on_error_,
               "when the handler fails: report and go on, exit with 1, or retry with the same",
               "continue|exit|retry");
  command.flag("once", once_, "end after one call");
  command.number("after", after_, "go on with the changes after this revision", "REVISION");
  command.text("cursor", cursor_,
               "the broker keeps under this name how far the handler has come; go on from there",
               "NAME");
  command.duration("timeout", timeout_,
                   "of the handler: then all its processes are ended, and it has failed");
}

Result<Subject> WatchOptions::subject(const Command& command) const {
  if (type_.empty()) return wrong("Watch type must be specified");
  const auto type = handle::watch_type(type_);
  if (!type) return wrong(fmt::format("Unsupported watch type: {}", type_));
  Subject subject{.type = *type, .name = {}, .tags = tags_, .state = state_};
  if (*type == WatchType::key) subject.name = without_slash(key_);
  if (*type == WatchType::keyprefix) subject.name = without_slash(prefix_);
  if (*type == WatchType::service || *type == WatchType::checks) subject.name = service_;
  if (*type == WatchType::event) subject.name = name_;
  const std::size_t most = *type == WatchType::key || *type == WatchType::keyprefix
                               ? limits::key_bytes_max
                               : limits::name_bytes_max;
  if (subject.name.size() > most)
    return wrong(fmt::format("-{} has {} bytes, at most {} are taken", special_of(*type),
                             subject.name.size(), most));
  std::vector<std::string_view> given;
  for (const char* option : special) {
    if (command.given(option)) given.emplace_back(option);
  }
  if (auto what = handle::wrong_options(subject, given)) return wrong(*std::move(what));
  if (passing_only_.empty()) return subject;
  const auto passing = parse_switch(passing_only_);
  if (!passing) {
    return wrong(
        fmt::format("Failed to parse passingonly flag: strconv.ParseBool: parsing \"{}\": invalid "
                    "syntax",
                    passing_only_));
  }
  if (*passing) subject.health = Subject::Health::passing;
  return subject;
}

Result<handle::Policy> WatchOptions::policy(const Command& command, WatchType type) const {
  handle::Policy policy{
      .nature = handle::nature_of(type), .cursor = {}, .after = {}, .history = {}};
  const bool by_itself = type == WatchType::key || type == WatchType::event;
  if (each_ && latest_) return wrong("-each and -latest exclude each other");
  if (each_ && !handle::tells_changes(type))
    return wrong(
        "-each is possible with key, keyprefix and event: of a list only the present one "
        "can be told");
  policy.mode = each_ || (by_itself && !latest_) ? handle::Mode::each : handle::Mode::latest;
  if (command.given("debounce") && policy.mode == handle::Mode::each)
    return wrong("-debounce gathers changes: it needs -latest");
  policy.debounce = debounce_;
  if (once_) policy.runs = handle::Runs::once;
  if (on_error_ == "exit") policy.on_error = handle::OnError::exit;
  else if (on_error_ == "retry") policy.on_error = handle::OnError::retry;
  else if (!on_error_.empty() && on_error_ != "continue")
    return wrong("-on-error is continue, exit or retry");
  if (!initial_.empty() && initial_ != "yes" && initial_ != "no")
    return wrong("-initial is yes or no");
  if (initial_ == "yes" && command.given("after"))
    return wrong("-after says where to go on: -initial=yes does not go with it");
  const bool with_state =
      initial_.empty() ? type != WatchType::event && !command.given("after") : initial_ == "yes";
  policy.begin = with_state ? handle::Begin::with_state : handle::Begin::with_changes;
  return policy;
}

Result<WatchOrder> WatchOptions::order(const Command& command) const {
  const Result<Subject> what = subject(command);
  if (!what) return what.error();
  const Result<handle::Policy> how = policy(command, what->type);
  if (!how) return how.error();
  WatchOrder order{.what = {.subject = *what,
                            .policy = *how,
                            .after = std::nullopt,
                            .cursor = cursor_,
                            .node = {}},
                   .program = {},
                   .timeout = timeout_};
  if (!command.arguments().empty())
    order.program = program_of(command.arguments(), shell_ ? Shell::yes : Shell::no);
  if (command.given("after")) order.what.after = Revision{after_};
  return order;
}

}  // namespace muster::cli
