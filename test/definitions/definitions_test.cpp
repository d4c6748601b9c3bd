// definitions: what Consul's files say, and what a mistake in them is answered.
#include "common/definitions/definitions.hpp"

#include <filesystem>
#include <fstream>

#include <fmt/format.h>

#include "common/limits.hpp"
#include "test/support/catch.hpp"
#include "test/support/temporary.hpp"

namespace muster {
namespace {

/// A folder with definitions.
class Folder {
 public:
  void put(const std::string& name, std::string_view text) const {
    std::ofstream(folder_.path() + "/" + name) << text;
  }
  Result<Definitions> read() const { return read_definitions(folder_.path()); }
  /// What a file with this in it is answered, without its path, and without the line of a key
  /// where there is only one.
  std::string refusal(std::string_view text) const {
    put("a.json", text);
    const auto read = this->read();
    if (read) return "taken";
    const std::string path = folder_.path() + "/a.json: ";
    CHECK(read.error().message.starts_with(path));
    std::string told = read.error().message.substr(path.size());
    const std::string one = "line 1: ";
    if (text.find('\n') == std::string_view::npos && told.starts_with(one) &&
        !told.ends_with("is not JSON there"))
      told.erase(0, one.size());
    return told;
  }

 private:
  test::TemporaryFolder folder_;
};

}  // namespace

TEST_CASE("definitions: one service and a list of them, in both spellings, files by name",
          "[definitions]") {
  const Folder folder;
  folder.put("b.json", R"({"service": {"name": "web", "tags": ["v1", "primary"], "port": 80,
                            "address": "10.0.0.1", "meta": {"zone": "a"}}})");
  folder.put("a.json",
             R"({"services": [{"ID": "db-1", "Name": "db"}, {"id": "db-2", "name": "db"}]})");
  folder.put("notes.txt", "not read");
  const auto read = folder.read();
  REQUIRE(read);
  REQUIRE(read->services.size() == 3);
  CHECK(read->services[0].id == "db-1");
  CHECK(read->services[1].name == "db");
  const proto::catalog::Service& web = read->services[2];
  CHECK(web.id == "web");
  CHECK(web.tags == std::vector<std::string>{"v1", "primary"});
  CHECK(web.port == 80);
  CHECK(web.address == "10.0.0.1");
  CHECK(web.meta.at("zone") == "a");
  CHECK(read->notes.empty());
}

TEST_CASE("definitions: without a folder there are none", "[definitions]") {
  const auto read = read_definitions("");
  REQUIRE(read);
  CHECK(read->services.empty());
}

TEST_CASE("definitions: what Consul knows and we do not act upon is taken and noted",
          "[definitions]") {
  const Folder folder;
  folder.put("a.json", R"({"service": {"name": "web", "connect": {}}})");
  const auto read = folder.read();
  REQUIRE(read);
  CHECK(read->services.size() == 1);
  REQUIRE(read->notes.size() == 1);
  CHECK(read->notes[0].ends_with("a.json: this version does not act upon service.connect"));
}

TEST_CASE("definitions: a mistake is named by file, line or key, and rule", "[definitions]") {
  const Folder folder;
  CHECK(folder.refusal("{\n\"service\": {\n\"name\": web}}") == "line 3: is not JSON there");
  CHECK(folder.refusal("{\"service\": ") == "line 1: is not JSON there");
  CHECK(folder.refusal("") == "line 1: is not JSON there");
  CHECK(folder.refusal("[]") == "the file: must hold an object");
  CHECK(folder.refusal(R"({"service": {"name": "a", "port": 1e999}})") ==
        "the file: holds a number beyond all measure");
  CHECK(folder.refusal(std::string(limits::definitions_bytes_max + 1, ' ')) ==
        "the file: has over 1048576 bytes, which is the most");
  CHECK(folder.refusal(R"({"service": []})") == "service: must be an object");
  CHECK(folder.refusal(R"({"services": {}})") == "services: must be a list");
  CHECK(folder.refusal(R"({"service": {"port": 1}})") == "service.name: is required");
  CHECK(folder.refusal(R"({"service": {"name": 5}})") == "service.name: must be a string");
  CHECK(folder.refusal(R"({"services": [{"name": "a"}, {"name": "b", "port": 65536}]})") ==
        "services[1].port: must be a number, 0..65535");
  CHECK(folder.refusal(R"({"service": {"name": "a", "port": "80"}})") ==
        "service.port: must be a number, 0..65535");
  CHECK(folder.refusal(R"({"service": {"name": "a", "tags": "x"}})") ==
        "service.tags: must be a list of strings");
  CHECK(folder.refusal(R"({"service": {"name": "a", "tags": ["x", 1]}})") ==
        "service.tags[1]: must be a string");
  CHECK(folder.refusal(R"({"service": {"name": "a", "meta": {"k": 1}}})") ==
        "service.meta.k: must be a string");
  CHECK(folder.refusal(R"({"service": {"name": "a\u0000b"}})") ==
        "service.name: must not hold control characters");
  CHECK(folder.refusal(R"({"service": {"name": "a", "prot": 80}})") ==
        "service.prot: is not known; a service has id, name, tags, address, port, meta, check, "
        "checks");
  CHECK(folder.refusal(R"({"servces": []})") ==
        "servces: is not known; a file has service, services, check, checks, watches");
  CHECK(folder.refusal(R"({"service": {"name": "a"}, "service": {"name": "b"}})") ==
        "service: is there twice in one object");
  CHECK(folder.refusal(R"({"services": [{"name": "a"}, {"name": "a"}]})") ==
        "a: is the id of two services; give one of them another");
  CHECK(folder.refusal(fmt::format(R"({{"service": {{"name": "{}"}}}})", std::string(256, 'x'))) ==
        "service.name: has 256 bytes, at most 255 are taken");
}

TEST_CASE("definitions: what the broker would refuse is refused here, by key", "[definitions]") {
  const Folder folder;
  const auto check = [&](const std::string& rest) {
    return folder.refusal(fmt::format(R"({{"check": {{"name": "c", {}}}}})", rest));
  };
  CHECK(check(R"("id": "serfHealth", "ttl": "10s")") ==
        "check.id: serfHealth is muster's own: give it another");
  CHECK(check(R"("id": "_service_maintenance:web", "ttl": "10s")").starts_with("check.id: "));
  CHECK(check(R"("args": ["true"], "interval": "1ms")") == "check.interval: is at least 100ms");
  CHECK(check(R"("args": ["true"], "interval": "1s", "timeout": "9000h")") ==
        "check.timeout: is at most 8760h");
  CHECK(check(R"("ttl": 10)") == "check.ttl: must be a duration such as \"10s\"");
  CHECK(check(R"("tcp": "/x", "interval": "1s")") == "check.tcp: must be HOST:PORT");
  CHECK(check(R"("http": "ftp://x", "interval": "1s")").starts_with("check.http: must be a URL"));
  CHECK(check(R"("http": "http://x", "interval": "1s", "header": {"a": ["b\r\nc"]})")
            .starts_with("check.header"));
  const std::string meta = std::string(250, 'm');
  std::string all;
  for (int i = 0; i < 600; ++i)
    all += fmt::format(R"({}{{"name": "s{}", "meta": {{"a": "{}", "b": "{}", "c": "{}"}}}})",
                       i == 0 ? "" : ",", i, meta, meta, meta);
  CHECK(folder.refusal(fmt::format(R"({{"services": [{}]}})", all))
            .find("services and checks of one node have") != std::string::npos);
}

// It took gigabytes, and the daemon with it.
TEST_CASE("definitions: a file that is nested without end is refused at once", "[definitions]") {
  const Folder folder;
  std::string text;
  for (int i = 0; i < 100'000; ++i) text += R"({"a":)";
  CHECK(folder.refusal(text) == "the file: is nested deeper than 64 levels");
  CHECK(folder.refusal(std::string(100'000, '[')) == "the file: is nested deeper than 64 levels");
}

TEST_CASE("definitions: what is null is not there", "[definitions]") {
  const Folder folder;
  folder.put("a.json", R"({"service": {"name": "web", "tags": null, "meta": null, "check": null,
                                       "checks": null}})");
  const auto read = folder.read();
  REQUIRE(read);
  CHECK(read->services.size() == 1);
  CHECK(read->checks.empty());
}

TEST_CASE("definitions: checks of a service and of the node, in both spellings", "[definitions]") {
  const Folder folder;
  folder.put("a.json", R"({"service": {"name": "web", "weights": {"passing": 5, "warning": 0},
      "check": {"http": "http://localhost/", "interval": "10s", "timeout": "500ms", "method": "PUT",
                "header": {"X": ["a", "b"]}, "body": "{}\n", "tls_skip_verify": true,
                "failures_before_critical": 2, "deregister_critical_service_after": "90m"}},
    "checks": [{"name": "disk", "args": ["/bin/df", "-h"], "interval": "1m"},
               {"CheckID": "beat", "Name": "b", "TTL": "30s", "Status": "passing",
                "ServiceID": "web", "Notes": "every night"}]})");
  folder.put("b.json", R"({"Service": 1})");
  CHECK_FALSE(folder.read());
  folder.put("b.json", R"({"service": {"Name": "db", "Checks": [
      {"TCP": "localhost:1", "Interval": 1000000000}, {"unit": "db.service", "interval": "5s"}]}})");
  const auto read = folder.read();
  REQUIRE(read);
  REQUIRE(read->checks.size() == 5);
  const auto check = [&](const std::string& id) {
    for (const proto::health::Check& one : read->checks) {
      if (one.id == id) return one;
    }
    FAIL("no check " + id);
    return proto::health::Check{};
  };
  const proto::health::Check web = check("service:web");
  CHECK(web.name == "Service 'web' check");
  CHECK(web.service_id == "web");
  CHECK(web.status == "critical");
  CHECK(web.definition.http == "http://localhost/");
  CHECK(web.definition.interval_ms == 10'000);
  CHECK(web.definition.timeout_ms == 500);
  CHECK(web.definition.method == "PUT");
  CHECK(web.definition.header.at("X") == std::vector<std::string>{"a", "b"});
  CHECK(web.definition.body == "{}\n");
  CHECK(web.definition.tls_skip_verify);
  CHECK(web.definition.failures_before_critical == 2);
  CHECK(web.definition.deregister_after_ms == 5'400'000);
  CHECK(check("disk").definition.args == std::vector<std::string>{"/bin/df", "-h"});
  CHECK(check("disk").service_id.empty());
  CHECK(check("beat").definition.ttl_ms == 30'000);
  CHECK(check("beat").status == "passing");
  CHECK(check("beat").service_id == "web");
  CHECK(check("beat").notes == "every night");
  CHECK(check("service:db:1").definition.interval_ms == 1000);
  CHECK(check("service:db:2").definition.unit == "db.service");
  CHECK(read->services[0].weight_passing == 5);
  CHECK(read->services[0].weight_warning == 0);
}

TEST_CASE("definitions: a mistake in a check is named by its key, and rule", "[definitions]") {
  const Folder folder;
  const auto refusal = [&](const std::string& check) {
    return folder.refusal(R"({"service": {"name": "web", "check": )" + check + "}}");
  };
  CHECK(refusal("[]") == "service.check: must be an object");
  CHECK(refusal("{}") == "service.check: has one of args, http, tcp, unit and ttl, not none");
  CHECK(refusal(R"({"tcp": "a:1", "ttl": "5s"})") ==
        "service.check: has one of args, http, tcp, unit and ttl, not several");
  CHECK(refusal(R"({"tcp": "a:1"})") ==
        "service.check.interval: must be > 0 for all but TTL checks");
  CHECK(refusal(R"({"ttl": "5"})") ==
        "service.check.ttl: invalid duration \"5\": write 5s, 500ms or 1h30m");
  CHECK(refusal(R"({"ttl": "5s", "status": "fine"})") ==
        "service.check.status: must be passing, warning or critical");
  CHECK(refusal(R"({"args": "df", "interval": "1s"})") ==
        "service.check.args: must be a list of strings");
  CHECK(refusal(R"({"http": "x", "header": {"X": "a"}, "interval": "1s"})") ==
        "service.check.header.X: must be a list of strings");
  CHECK(refusal(R"({"tcp": "a:1", "tls_skip_verify": 1, "interval": "1s"})") ==
        "service.check.tls_skip_verify: must be true or false");
  CHECK(refusal(R"({"frob": "df"})").starts_with("service.check.frob: is not known"));
  CHECK(refusal(R"({"script": "df", "args": ["df"], "interval": "1s"})") ==
        "service.check.script: stands beside args");
  CHECK(folder.refusal(R"({"check": {"ttl": "5s"}})") == "check.name: is required");
  CHECK(folder.refusal(R"({"checks": [{"name": "a", "ttl": "5s"}, {"name": "a", "ttl": "5s"}]})") ==
        "a: is the id of two checks; give one of them another");
  CHECK(folder.refusal(R"({"service": {"name": "web", "checks": {}}})") ==
        "service.checks: must be a list");
}

TEST_CASE("definitions: the line of a key is named, in all its spellings", "[definitions]") {
  const Folder folder;
  CHECK(folder.refusal(
            "{\n\"services\": [\n{\"name\": \"a\"},\n{\"Name\": \"b\",\n\"Port\": -1}]}") ==
        "line 5: services[1].port: must be a number, 0..65535");
  CHECK(folder.refusal("{\"service\":\n{\"tags\":\n[\"x\",\n5]}}") ==
        "line 2: service.tags[1]: must be a string");
  CHECK(folder.refusal("{\"service\":\n\n{\"name\": \"a\", \"check\":\n{\"EnableTag\": 1}}}")
            .starts_with("line 4: service.check.EnableTag: is not known"));
  CHECK(folder.refusal("{\n\"check\": {\"name\": \"c\",\n\"ttl\": \"1\"}}")
            .starts_with("line 3: check.ttl: "));
  CHECK(folder.refusal("{\"service\":\n{}}") == "line 1: service.name: is required");
}

TEST_CASE("definitions: more services than a node may have are refused", "[definitions]") {
  const Folder folder;
  std::string all;
  for (std::size_t i = 0; i <= limits::services_max; ++i)
    all += fmt::format(R"({}{{"name": "s{}"}})", i == 0 ? "" : ",", i);
  CHECK(folder.refusal(fmt::format(R"({{"services": [{}]}})", all)) ==
        "the file: is one too many: 1025 services on one node, at most 1024 are taken");
}

TEST_CASE("definitions: a folder that is not there, a file that cannot be read", "[definitions]") {
  const auto none = read_definitions("/no/such/folder");
  REQUIRE_FALSE(none);
  CHECK(none.error().message == "cannot read /no/such/folder: No such file or directory");
  const test::TemporaryFolder folder;
  std::filesystem::create_directory(folder.path() + "/web.json");
  const auto unread = read_definitions(folder.path());
  REQUIRE_FALSE(unread);
  CHECK(unread.error().message == folder.path() + "/web.json: the file: cannot be read");
}

}  // namespace muster
