// nouns: see nouns.hpp. A noun is the first word, a verb only the second.
#include "cli/nouns.hpp"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "cli/print.hpp"

namespace muster::cli {
namespace {

constexpr std::array nouns = {
    &kv_noun,      &watch_noun,    &event_noun, &exec_noun,    &lock_noun,     &node_noun,
    &service_noun, &services_noun, &check_noun, &maint_noun,   &members_noun,  &catalog_noun,
    &reload_noun,  &validate_noun, &job_noun,   &session_noun, &snapshot_noun, &status_noun};

bool asks_for_help(std::string_view word) {
  return word == "-h" || word == "-help" || word == "--help" || word == "help";
}

bool asks_for_version(std::string_view word) {
  return word == "-v" || word == "-version" || word == "--version" || word == "version";
}

std::string usage() {
  std::string out =
      "Usage: muster COMMAND [options] [arguments]\n\n"
      "Coordinates a fleet of machines: keys with history, watches that miss nothing, events, "
      "commands\n"
      "on many nodes, locks with fencing tokens.\n\nCommands:\n";
  for (const Noun* noun : nouns) out += fmt::format("  {:<10}{}\n", noun->name, noun->about);
  out +=
      "\nOptions are accepted with one dash or two. `muster COMMAND -help` says more. Consul's -token,\n"
      "-ca-file, -datacenter, -stale and their like are taken without effect.\n"
      "The broker is found by -broker, MUSTER_BROKER, $XDG_CONFIG_HOME/muster/config.toml or\n"
      "/etc/muster/*.toml; otherwise at tcp://127.0.0.1:7700.\n";
  return out;
}

std::string usage_of(const Noun& noun) {
  std::string out = fmt::format("Usage: muster {} VERB [options] [arguments]\n\n{}.\n\nVerbs:\n",
                                noun.name, noun.about);
  for (const Verb& verb : noun.verbs) out += fmt::format("  {:<13}{}\n", verb.name, verb.about);
  return out + fmt::format("\n`muster {} VERB -help` says more.\n", noun.name);
}

Exit run_noun(const Noun& noun, Arguments words) {
  if (!words.empty()) {
    const auto verb = std::find_if(noun.verbs.begin(), noun.verbs.end(),
                                   [&](const Verb& v) { return v.name == words[0]; });
    if (verb != noun.verbs.end()) return verb->run(words.subspan(1));
  }
  if (noun.usual != nullptr) return noun.usual(words);
  if (!words.empty() && asks_for_help(words[0])) {
    print(usage_of(noun));
    return Exit::ok;
  }
  const std::string wrong =
      words.empty() ? "a verb is missing" : fmt::format("unknown verb {}", words[0]);
  complain(fmt::format("muster {}: {} (help: muster {} -help)", noun.name, wrong, noun.name));
  return Exit::usage;
}

}  // namespace

Exit run_muster(Arguments words) {
  if (words.empty()) {
    complain(usage());
    return Exit::usage;
  }
  if (asks_for_help(words[0])) {
    print(usage());
    return Exit::ok;
  }
  if (asks_for_version(words[0])) {
    print_line("muster " MUSTER_VERSION);
    return Exit::ok;
  }
  const auto* noun =
      std::find_if(nouns.begin(), nouns.end(), [&](const Noun* n) { return n->name == words[0]; });
  if (noun != nouns.end()) return run_noun(**noun, words.subspan(1));
  complain(fmt::format("muster: unknown command {} (help: muster -help)", words[0]));
  return Exit::usage;
}

}  // namespace muster::cli
