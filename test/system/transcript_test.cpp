// transcript_test: whole sessions at a terminal, compared to the byte: test/system/transcripts.
//
//   # a remark, behind an empty line       $ a command for sh
//   what it writes to stdout               2: to stderr        exit: its code, if not 0
//
// Ids are written as <uuid>, the broker's endpoint as <broker>. With MUSTER_RECORD set a file is
// written anew from what the commands say now: read what has changed before you keep it.
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <regex>
#include <sstream>

#include <fmt/format.h>

#include "test/support/catch.hpp"
#include "test/support/cluster.hpp"

namespace muster::test {
namespace {

std::string content(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

std::string replaced(std::string text, const std::string& what, const std::string& with) {
  for (std::size_t at = 0; (at = text.find(what, at)) != std::string::npos; at += with.size())
    text.replace(at, what.size(), with);
  return text;
}

/// Each line with `prefix`; a last one that does not end is marked.
std::string lines(const std::string& text, const std::string& prefix) {
  std::string out;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) out += prefix + line + "\n";
  if (!text.empty() && text.back() != '\n') out += "(no newline)\n";
  return out;
}

class Terminal {
 public:
  Terminal() { cluster_.start_broker({"--cluster-name", "dc1"}); }

  void start_node(const std::string& name) { cluster_.start_node(name); }

  std::string run(const std::string& command) {
    const std::string errors = cluster_.folder("errors");
    const auto process = cluster_.start(
        {"sh", "-c", fmt::format("cd {}\n{{ {}\n}} 2>{}", source("."), command, errors)});
    const int code = process->wait();
    std::string said = lines(process->output(), "") + lines(content(errors), "2: ");
    if (code != 0) said += fmt::format("exit: {}\n", code);
    static const std::regex uuid("[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}");
    return replaced(std::regex_replace(said, uuid, "<uuid>"), cluster_.endpoint(), "<broker>");
  }

  /// The file's text, with what its commands say now.
  std::string played(const std::string& script) {
    std::string out;
    std::istringstream in(script);
    for (std::string line; std::getline(in, line);) {
      if (line.starts_with("#")) out += (out.empty() ? "" : "\n") + line + "\n";
      if (line.starts_with("$ ")) out += line + "\n" + run(line.substr(2));
    }
    return out;
  }

 private:
  Cluster cluster_;
};

void check_transcript(Terminal& terminal, const std::string& name) {
  const std::string path = source("test/system/transcripts/" + name);
  const std::string expected = content(path);
  REQUIRE(expected.find("\n$ ") != std::string::npos);
  const std::string said = terminal.played(expected);
  if (std::getenv("MUSTER_RECORD") != nullptr) std::ofstream(path, std::ios::binary) << said;
  CHECK(said == expected);
}

TEST_CASE("transcript: kv says what people's scripts read", "[system]") {
  Terminal terminal;
  check_transcript(terminal, "kv");
}

TEST_CASE("transcript: watch prints and hands on Consul's JSON", "[system]") {
  Terminal terminal;
  check_transcript(terminal, "watch");
}

TEST_CASE("transcript: event and its errors", "[system]") {
  Terminal terminal;
  terminal.start_node("client001");
  check_transcript(terminal, "event");
}

TEST_CASE("transcript: members, catalog, services, checks, maintenance", "[system]") {
  Terminal terminal;
  terminal.start_node("client001");
  terminal.start_node("client002");
  check_transcript(terminal, "catalog");
}

}  // namespace
}  // namespace muster::test
