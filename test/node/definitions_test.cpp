// definitions: what Consul's files say, and what a mistake in them is answered.
#include "node/definitions.hpp"

#include <filesystem>
#include <fstream>

#include <fmt/format.h>

#include "common/limits.hpp"
#include "test/support/catch.hpp"
#include "test/support/temporary.hpp"

namespace muster::node {
namespace {

/// A folder with definitions.
class Folder {
 public:
  void put(const std::string& name, std::string_view text) const {
    std::ofstream(folder_.path() + "/" + name) << text;
  }
  Result<Definitions> read() const { return read_definitions(folder_.path()); }
  /// What a file with this in it is answered, without its path.
  std::string refusal(std::string_view text) const {
    put("a.json", text);
    const auto read = this->read();
    if (read) return "taken";
    const std::string path = folder_.path() + "/a.json: ";
    CHECK(read.error().message.starts_with(path));
    return read.error().message.substr(path.size());
  }

 private:
  test::TemporaryFolder folder_;
};

}  // namespace

TEST_CASE("definitions: one service and a list of them, in both spellings, files by name",
          "[node]") {
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

TEST_CASE("definitions: without a folder there are none", "[node]") {
  const auto read = read_definitions("");
  REQUIRE(read);
  CHECK(read->services.empty());
}

TEST_CASE("definitions: what Consul knows and we do not act upon is taken and noted", "[node]") {
  const Folder folder;
  folder.put("a.json", R"({"service": {"name": "web", "check": {"tcp": "localhost:80"}},
                           "checks": [], "watches": []})");
  const auto read = folder.read();
  REQUIRE(read);
  CHECK(read->services.size() == 1);
  REQUIRE(read->notes.size() == 1);
  CHECK(read->notes[0].ends_with(
      "a.json: this version does not act upon checks, service.check, watches"));
}

TEST_CASE("definitions: a mistake is named by file, line or key, and rule", "[node]") {
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
        "service.prot: is not known; a service has id, name, tags, address, port, meta");
  CHECK(folder.refusal(R"({"servces": []})") ==
        "servces: is not known; a file has service, services, check, checks, watches");
  CHECK(folder.refusal(R"({"service": {"name": "a"}, "service": {"name": "b"}})") ==
        "service: is there twice in one object");
  CHECK(folder.refusal(R"({"services": [{"name": "a"}, {"name": "a"}]})") ==
        "a: is the id of two services; give one of them another");
  CHECK(folder.refusal(fmt::format(R"({{"service": {{"name": "{}"}}}})", std::string(256, 'x'))) ==
        "service.name: has 256 bytes, at most 255 are taken");
}

TEST_CASE("definitions: more services than a node may have are refused", "[node]") {
  const Folder folder;
  std::string all;
  for (std::size_t i = 0; i <= limits::services_max; ++i)
    all += fmt::format(R"({}{{"name": "s{}"}})", i == 0 ? "" : ",", i);
  CHECK(folder.refusal(fmt::format(R"({{"services": [{}]}})", all)) ==
        "the file: a node has at most 1024 services, this is one more");
}

TEST_CASE("definitions: a folder that is not there, a file that cannot be read", "[node]") {
  const auto none = read_definitions("/no/such/folder");
  REQUIRE_FALSE(none);
  CHECK(none.error().message == "cannot read /no/such/folder: No such file or directory");
  const test::TemporaryFolder folder;
  std::filesystem::create_directory(folder.path() + "/web.json");
  const auto unread = read_definitions(folder.path());
  REQUIRE_FALSE(unread);
  CHECK(unread.error().message == folder.path() + "/web.json: the file: cannot be read");
}

}  // namespace muster::node
