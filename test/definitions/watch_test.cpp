// watch_test: watches in files of definitions: what they mean, and what is refused.
#include "common/definitions/watch.hpp"

#include "test/support/catch.hpp"

using namespace muster;
using definitions::Broken;
using definitions::json;

namespace {

WatchDefinition watch_of(const char* text) {
  std::vector<std::string> unused;
  return definitions::watch_of(json::parse(text), "watches[0]", unused);
}

std::string error_of(const char* text) {
  try {
    watch_of(text);
  } catch (const Broken& broken) {
    return broken.what();
  }
  return "";
}

}  // namespace

TEST_CASE("watches: a script with arguments, or in the old form, a line for the shell") {
  const auto watch = watch_of(R"({"type": "key", "key": "aw/k", "handler_type": "script",
                                  "args": ["/bin/sh", "-c", "true"]})");
  CHECK(watch.id == "key:aw/k");
  CHECK(watch.subject.name == "aw/k");
  CHECK(watch.mode == handle::Mode::each);
  CHECK(watch.on_error == handle::OnError::go_on);
  CHECK(watch.args == std::vector<std::string>{"/bin/sh", "-c", "true"});
  const auto old = watch_of(R"({"type": "nodes", "handler": "echo a b"})");
  CHECK(old.id == "nodes");
  CHECK(old.mode == handle::Mode::latest);
  CHECK(old.args.back() == "echo a b");
}

TEST_CASE("watches: a POST is tried again until it succeeds") {
  const auto watch = watch_of(R"({"type": "event", "name": "deploy", "handler_type": "http",
      "http_handler_config": {"path": "http://127.0.0.1:1/hook", "timeout": "3s",
                              "header": {"X-Foo": ["bar", "baz"]}, "tls_skip_verify": true}})");
  CHECK(watch.on_error == handle::OnError::retry);
  CHECK(watch.http.url == "http://127.0.0.1:1/hook");
  CHECK(watch.http.method == "POST");
  CHECK(watch.http.timeout == seconds(3));
  CHECK(watch.http.header.at("X-Foo").size() == 2);
  CHECK(watch.http.tls_skip_verify);
}

TEST_CASE("watches: what is wrong is named by its key and the rule") {
  CHECK(error_of(R"({"args": ["x"]})").find("Watch type must be specified") != std::string::npos);
  CHECK(error_of(R"({"type": "frob", "args": ["x"]})").find("Unsupported watch type: frob") !=
        std::string::npos);
  CHECK(error_of(R"({"type": "key", "args": ["x"]})").find("Must specify a single key to watch") !=
        std::string::npos);
  CHECK(error_of(R"({"type": "key", "key": "k", "prefix": "p", "args": ["x"]})")
            .find("Invalid parameters: [prefix]") != std::string::npos);
  CHECK(error_of(R"({"type": "key", "key": "k"})").find("args") != std::string::npos);
  CHECK(error_of(R"({"type": "key", "key": "k", "handler_type": "http"})")
            .find("http_handler_config: is required") != std::string::npos);
  CHECK(error_of(R"({"type": "nodes", "mode": "each", "args": ["x"]})").find("mode") !=
        std::string::npos);
  CHECK(error_of(R"({"type": "key", "key": "k", "argz": ["x"]})").find("argz") !=
        std::string::npos);
}
