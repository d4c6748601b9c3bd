// nouns: every command of muster on one screen.
#pragma once

#include <span>
#include <string_view>

#include "cli/command.hpp"

namespace muster::cli {

/// Gets the words behind the noun and verb.
using Run = Exit (*)(Arguments words);

struct Verb {
  std::string_view name;
  Run run;
  std::string_view about;
};

struct Noun {
  std::string_view name;
  std::string_view about;
  std::span<const Verb> verbs = {};
  Run usual = nullptr;  ///< when the first word is no verb; none: a verb must be given
};

// One file a noun.
extern const Noun kv_noun;
extern const Noun watch_noun;
extern const Noun event_noun;
extern const Noun lock_noun;
extern const Noun exec_noun;
extern const Noun node_noun;
extern const Noun service_noun;
extern const Noun services_noun;
extern const Noun check_noun;
extern const Noun maint_noun;
extern const Noun members_noun;
extern const Noun catalog_noun;
extern const Noun reload_noun;
extern const Noun validate_noun;
extern const Noun job_noun;
extern const Noun session_noun;
extern const Noun snapshot_noun;
extern const Noun status_noun;

/// The whole of `muster`.
Exit run_muster(Arguments words);

}  // namespace muster::cli
