// watch: a watch in a file of definitions, in Consul's form.
//
//   {"type": "key", "key": "config/colour", "args": ["./apply"]}
//   {"type": "event", "name": "deploy", "handler_type": "http",
//    "http_handler_config": {"path": "http://127.0.0.1:8000/hook"}}
//
// Of muster's own: `id` (the cursor's name; usually the type and what is watched), `mode` (each,
// latest) and `on_error` (continue, retry; a POST is always tried again).
#pragma once

#include <map>
#include <string>
#include <vector>

#include "common/definitions/fields.hpp"
#include "common/handle/driver.hpp"

namespace muster {

struct HttpHandler {
  std::string url;
  std::string method = "POST";
  milliseconds timeout{10'000};
  std::map<std::string, std::vector<std::string>> header;
  bool tls_skip_verify = false;
  bool operator==(const HttpHandler&) const = default;
};

struct WatchDefinition {
  std::string id;
  handle::Subject subject;
  handle::Mode mode = handle::Mode::each;
  handle::OnError on_error = handle::OnError::go_on;
  std::vector<std::string> args;  ///< a program; empty: `http`
  HttpHandler http;
  bool operator==(const WatchDefinition&) const = default;
};

namespace definitions {

/// Throws Broken. Keys that Consul has and nobody acts upon are added to `unused`.
WatchDefinition watch_of(const json& value, const std::string& where,
                         std::vector<std::string>& unused);

}  // namespace definitions
}  // namespace muster
