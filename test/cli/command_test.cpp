// command: what a noun declares and gets; surroundings: option, environment, file.
#include "cli/command.hpp"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <unistd.h>

#include <fmt/format.h>

#include "test/support/catch.hpp"

using namespace muster;
using namespace muster::cli;

namespace {

struct Parsed {
  std::string name = "none";
  std::vector<std::string> tags;
  std::uint64_t flags = 0;
  bool shell = true;
  Duration wait{0};
  Format format = Format::table;
  std::vector<std::string> arguments;
  std::optional<Exit> exit;
  Surroundings surroundings;
};

Parsed parse(const std::vector<std::string>& words, Place place = Place::anywhere) {
  Parsed out;
  Command command({.name = "test", .arguments = "", .about = "", .examples = "", .place = place});
  command.timeout();
  command.text("name", out.name, "");
  command.texts("tag", out.tags, "");
  command.number("flags", out.flags, "");
  command.flag("shell", out.shell, "");
  command.duration("delay", out.wait, "");
  command.format(out.format);
  command.without_effect({"wait"}, Takes::value);
  command.without_effect({"consistent"}, Takes::nothing);
  out.exit = command.parse(words);
  out.arguments = command.arguments();
  out.surroundings = command.surroundings();
  return out;
}

/// An environment variable for the length of a test.
class Setting {
 public:
  Setting(const char* name, const std::string& value) : name_(name) {
    setenv(name, value.c_str(), 1);
  }
  ~Setting() { unsetenv(name_); }
  Setting(const Setting&) = delete;
  Setting& operator=(const Setting&) = delete;

 private:
  const char* name_;
};

}  // namespace

TEST_CASE("command: values arrive as they were given, whatever they look like") {
  CHECK(parse({"-name=[a,b]"}).name == "[a,b]");
  CHECK(parse({"-name={}"}).name == "{}");
  CHECK(parse({"-name="}).name.empty());
  CHECK(parse({"-name", "--tag"}).name == "--tag");
  CHECK(parse({"-name=a", "-name=b"}).name == "b");
  CHECK(parse({"k", "[1,2]", "%%", "{}"}).arguments ==
        std::vector<std::string>{"k", "[1,2]", "%%", "{}"});
}

TEST_CASE("command: a repeated list option collects") {
  CHECK(parse({"-tag=a", "-tag", "b", "c"}).tags == std::vector<std::string>{"a", "b"});
}

TEST_CASE("command: numbers are Go's, durations too") {
  CHECK(parse({"-flags=0x10"}).flags == 16);
  CHECK(parse({"-flags=16210313421097356768"}).flags == 16210313421097356768U);
  CHECK(parse({"-delay=500ms"}).wait == milliseconds(500));
  for (const char* wrong :
       {"-flags=abc", "-flags=-1", "-delay=5", "-format=xml", "-nope", "-timeout=0s"}) {
    INFO(wrong);
    CHECK(parse({wrong}).exit == Exit::usage);
  }
}

TEST_CASE("command: switches, formats and Consul's waiting options") {
  const Parsed parsed = parse({"-shell=false", "--format", "jsonl", "-wait=2s", "-stale",
                               "-consistent", "-token", "t", "-datacenter=dc1"});
  CHECK_FALSE(parsed.exit);
  CHECK_FALSE(parsed.shell);
  CHECK(parsed.format == Format::jsonl);
}

TEST_CASE("surroundings: option before environment before file before built in") {
  const std::string file = fmt::format("{}/muster-config-{}.toml",
                                       std::filesystem::temp_directory_path().string(), getpid());
  std::ofstream(file) << "broker = \"tcp://file:1\"\ntimeout = \"7s\"\n[node]\nname = \"x\"\n";
  unsetenv("MUSTER_BROKER");
  const std::string config = "-config=" + file;
  CHECK(parse({config}).surroundings.broker == "tcp://file:1");
  CHECK(parse({config}).surroundings.timeout == seconds(7));
  {
    const Setting broker("MUSTER_BROKER", "tcp://env:1");
    CHECK(parse({config}).surroundings.broker == "tcp://env:1");
    CHECK(parse({config, "-broker=option:1"}).surroundings.broker == "tcp://option:1");
  }
  std::filesystem::remove(file);
  CHECK(parse({config}).exit == Exit::usage);
}

TEST_CASE("surroundings: the fence is a lock's name, a colon and a token") {
  CHECK(parse_fence("a:b:7")->lock == "a:b");
  CHECK(parse_fence("a:b:7")->token == Revision{7});
  for (const char* wrong : {"", "a", "a:", ":7", "a:0", "a:x", "a:7x", "a:-1"})
    CHECK_FALSE(parse_fence(wrong));
  CHECK(format_fence({.lock = "workshop/lock", .token = Revision{9}}) == "workshop/lock:9");
}
