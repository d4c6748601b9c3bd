// consul_flags: options as Go writes them.
#include "cli/consul_flags.hpp"

#include <fmt/format.h>

#include "test/support/catch.hpp"

using namespace muster;
using namespace muster::cli;

namespace {

const std::vector<Known> known = {{"type", Takes::value},
                                  {"n", Takes::value},
                                  {"shell", Takes::nothing},
                                  {"flags", Takes::value}};

/// "name=value name=value | argument | argument", or the error's message.
std::string split(const std::vector<std::string>& words, Place place = Place::anywhere) {
  const Result<Words> got = split_words(words, known, place);
  if (!got) return got.error().message;
  std::string out = got->help ? "help " : "";
  for (const Given& given : got->options) out += fmt::format("{}={} ", given.name, given.value);
  for (const std::string& argument : got->arguments) out += fmt::format("| {} ", argument);
  if (!out.empty()) out.pop_back();
  return out;
}

}  // namespace

TEST_CASE("flags: one dash or two, an equals sign or a blank mean the same") {
  for (const char* dashes : {"-", "--"}) {
    CHECK(split({fmt::format("{}type=key", dashes)}) == "type=key");
    CHECK(split({fmt::format("{}type", dashes), "key"}) == "type=key");
    CHECK(split({fmt::format("{}n=2", dashes)}) == "n=2");
    CHECK(split({fmt::format("{}n", dashes), "2"}) == "n=2");
  }
}

TEST_CASE("flags: a value may be empty, begin with a dash or hold an equals sign") {
  CHECK(split({"-type="}) == "type=");
  CHECK(split({"-type", ""}) == "type=");
  CHECK(split({"-type", "-n"}) == "type=-n");
  CHECK(split({"-type", "--"}) == "type=--");
  CHECK(split({"-type=a=b"}) == "type=a=b");
}

TEST_CASE("flags: a switch takes no word behind it") {
  CHECK(split({"-shell"}) == "shell=true");
  CHECK(split({"-shell=false"}) == "shell=false");
  CHECK(split({"--shell=F"}) == "shell=false");
  CHECK(split({"-shell", "false"}) == "shell=true | false");
  CHECK(split({"-shell=maybe"}) == "invalid value \"maybe\" for option -shell: true or false");
}

TEST_CASE("flags: anywhere means behind arguments too, until two dashes") {
  CHECK(split({"k", "-type=x", "v"}) == "type=x | k | v");
  CHECK(split({"k", "--", "-type=x", "--"}) == "| k | -type=x | --");
}

TEST_CASE("flags: a number and a single dash are arguments") {
  CHECK(split({"k", "-5"}) == "| k | -5");
  CHECK(split({"k", "-.5"}) == "| k | -.5");
  CHECK(split({"k", "-"}) == "| k | -");
}

TEST_CASE("flags: before_arguments leaves everything behind the first argument alone") {
  CHECK(split({"-n=2", "p", "-n=3", "--", "-x"}, Place::before_arguments) ==
        "n=2 | p | -n=3 | -- | -x");
  CHECK(split({"-n=2", "--", "-n"}, Place::before_arguments) == "n=2 | -n");
  CHECK(split({"-", "-x"}, Place::before_arguments) == "| - | -x");
}

TEST_CASE("flags: what is wrong is named") {
  CHECK(split({"-nope"}, Place::before_arguments) == "unknown option -nope");
  CHECK(split({"--nope=1"}) ==
        "unknown option -nope; a value that begins with a dash goes behind --");
  CHECK(split({"-type"}) == "option -type needs a value");
}

TEST_CASE("flags: help is asked for in three ways") {
  for (const char* word : {"-h", "-help", "--help"}) CHECK(split({word}) == "help");
}
