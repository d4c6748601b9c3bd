// watch: see watch.hpp.
#include "common/definitions/watch.hpp"

#include <array>

#include <fmt/format.h>

#include "common/os/supervised.hpp"

namespace muster::definitions {
namespace {

using handle::Mode;
using handle::OnError;
using handle::Subject;
using handle::WatchType;

constexpr Key id{"id", "ID"};
constexpr Key type{"type", "Type"};
constexpr Key key{"key", "Key"};
constexpr Key prefix{"prefix", "Prefix"};
constexpr Key service{"service", "Service"};
constexpr Key tag{"tag", "Tag"};
constexpr Key passingonly{"passingonly", "PassingOnly"};
constexpr Key state{"state", "State"};
constexpr Key name{"name", "Name"};
constexpr Key mode{"mode", "Mode"};
constexpr Key on_error{"on_error", "OnError"};
constexpr Key handler_type{"handler_type", "HandlerType"};
constexpr Key args{"args", "Args"};
constexpr Key handler{"handler", "Handler"};
constexpr Key http_config{"http_handler_config", "HTTPHandlerConfig"};
constexpr std::array of_watch = {id,       type,         key,   prefix,  service,
                                 tag,      passingonly,  state, name,    mode,
                                 on_error, handler_type, args,  handler, http_config};
constexpr std::array not_acted_upon = {Key{"token", "Token"}, Key{"datacenter", "Datacenter"},
                                       Key{"token_file", "TokenFile"}};
constexpr std::array special = {key, prefix, service, tag, passingonly, state, name};

constexpr Key path{"path", "Path"};
constexpr Key method{"method", "Method"};
constexpr Key timeout{"timeout", "Timeout"};
constexpr Key header{"header", "Header"};
constexpr Key tls_skip_verify{"tls_skip_verify", "TLSSkipVerify"};
constexpr std::array of_http = {path, method, timeout, header, tls_skip_verify};

Subject subject_of(const Fields& fields) {
  const std::string named = fields.word(type);
  if (named.empty()) throw Broken(fields.where(type), "Watch type must be specified");
  const auto found = handle::watch_type(named);
  if (!found) throw Broken(fields.where(type), "Unsupported watch type: " + named);
  Subject subject{.type = *found, .name = {}, .tags = {}, .state = fields.word(state)};
  for (const Key& of : {key, prefix, service, name}) {
    if (fields.find(of) != nullptr) subject.name = fields.text(of);
  }
  if (const json* tags = fields.find(tag)) {
    if (tags->is_array()) subject.tags = fields.words(tag);
    else subject.tags = {fields.word(tag)};
  }
  if (fields.flag(passingonly)) subject.health = Subject::Health::passing;
  std::vector<std::string_view> given;
  for (const Key& of : special) {
    if (fields.find(of) != nullptr) given.emplace_back(of.name);
  }
  if (const auto wrong = handle::wrong_options(subject, given))
    throw Broken(fields.where(), *wrong);
  return subject;
}

HttpHandler http_of(const json& value, const std::string& where, std::vector<std::string>& unused) {
  const Fields fields(value, where);
  fields.only(of_http, {}, "an http handler has path, method, timeout, header, tls_skip_verify",
              unused);
  HttpHandler http{.url = fields.text(path),
                   .header = fields.lists(header),
                   .tls_skip_verify = fields.flag(tls_skip_verify)};
  if (http.url.empty()) throw Broken(fields.where(path), "is required: the URL");
  if (fields.find(method) != nullptr) http.method = fields.word(method);
  if (fields.find(timeout) != nullptr) http.timeout = fields.duration(timeout);
  return http;
}

/// Which handler: args, or the old form, a line for the shell, or a URL.
void add_handler(const Fields& fields, WatchDefinition& watch, std::vector<std::string>& unused) {
  const std::string kind = fields.word(handler_type);
  if (!kind.empty() && kind != "script" && kind != "http")
    throw Broken(fields.where(handler_type), "is script or http");
  const json* config = fields.find(http_config);
  if (kind == "http") {
    if (config == nullptr) throw Broken(fields.where(http_config), "is required");
    watch.http = http_of(*config, fields.where(http_config), unused);
    return;
  }
  if (config != nullptr) throw Broken(fields.where(http_config), "needs handler_type http");
  watch.args = fields.words(args);
  const std::string line = fields.text(handler);
  if (watch.args.empty() == line.empty())
    throw Broken(fields.where(), "a script has either args or, in the old form, handler");
  if (watch.args.empty()) watch.args = os::shell_command(line);
}

Mode mode_of(const Fields& fields, WatchType watched) {
  const std::string said = fields.word(mode);
  const bool by_itself = watched == WatchType::key || watched == WatchType::event;
  if (said.empty()) return by_itself ? Mode::each : Mode::latest;
  if (said != "each" && said != "latest") throw Broken(fields.where(mode), "is each or latest");
  if (said == "each" && !handle::tells_changes(watched))
    throw Broken(fields.where(mode), "each is possible with key, keyprefix and event");
  if (said == "latest" && watched == WatchType::event)
    throw Broken(fields.where(mode), "of an event is each: its filters are looked at one by one");
  return said == "each" ? Mode::each : Mode::latest;
}

}  // namespace

WatchDefinition watch_of(const json& value, const std::string& where,
                         std::vector<std::string>& unused) {
  const Fields fields(value, where);
  fields.only(of_watch, not_acted_upon,
              "a watch has type, key, prefix, service, tag, passingonly, state, name, "
              "handler_type, args, handler, http_handler_config, id, mode, on_error",
              unused);
  WatchDefinition watch{
      .id = fields.word(id), .subject = subject_of(fields), .args = {}, .http = {}};
  watch.mode = mode_of(fields, watch.subject.type);
  const std::string failing = fields.word(on_error);
  if (!failing.empty() && failing != "continue" && failing != "retry")
    throw Broken(fields.where(on_error), "is continue or retry");
  add_handler(fields, watch, unused);
  if (failing == "retry" || watch.args.empty()) watch.on_error = OnError::retry;
  if (watch.id.empty()) {
    watch.id = fields.word(type);
    if (!watch.subject.name.empty()) watch.id += ":" + watch.subject.name;
  }
  return watch;
}

}  // namespace muster::definitions
