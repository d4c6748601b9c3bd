// kv_past: who changed a key, what differs, going back.
#include "common/protocol/kv_past.hpp"

#include <algorithm>
#include <tuple>

#include <fmt/format.h>

#include "cli/format.hpp"
#include "cli/kv.hpp"
#include "cli/kv_text.hpp"
#include "cli/moment.hpp"
#include "cli/print.hpp"
#include "common/consul/consul_json.hpp"

namespace muster::cli {
namespace {

using proto::kv::Difference;
using proto::kv::Moment;
using proto::kv::Version;

/// What ends in a slash is a prefix; anything else only with -recurse.
struct Scope {
  std::string key;
  std::string prefix;
};

Scope scope_of(const std::string& argument, bool recurse) {
  std::string name = forgiven(argument);
  if (recurse || name.ends_with('/')) return {.key = {}, .prefix = std::move(name)};
  return {.key = std::move(name), .prefix = {}};
}

// --- log ---

constexpr Command::Text log_text = {
    .name = "kv log",
    .arguments = "[options] KEY or PREFIX",
    .about =
        "Lists the changes of a key, oldest first: revision, time, who made it, why (MUSTER_CAUSE), and what it\n"
        "was. What ends in / is a prefix; other prefixes with -recurse. A `?` behind an author: the name\n"
        "was claimed, nothing proves it. How far back it goes is said on stderr.",
    .examples =
        "  muster kv log config/colour\n"
        "  muster kv log -since='1d ago' config/\n"
        "  muster kv log -last=1 -format=json config/colour\n"};

Listing listing_of(const std::vector<Version>& versions) {
  Listing listing{.header = {"Revision", "Time", "Author", "What", "Bytes", "Key", "Cause"},
                  .rows = {},
                  .objects = {}};
  for (const Version& version : versions) {
    const std::string what = version.verb.empty() || version.verb == "kv." + version.op
                                 ? version.op
                                 : fmt::format("{} ({})", version.op, version.verb);
    listing.rows.push_back({fmt::format("{}", version.rev.value), format_time(version.time_ms),
                            version.author.empty() ? "-" : version.author, what,
                            version.op == "put" ? fmt::format("{}", version.bytes) : "-",
                            version.key, version.cause.empty() ? "-" : version.cause});
    listing.objects.push_back({{"key", version.key},
                               {"rev", version.rev.value},
                               {"prev_rev", version.prev_rev.value},
                               {"op", version.op},
                               {"verb", version.verb},
                               {"author", version.author},
                               {"cause", version.cause},
                               {"time_ms", version.time_ms},
                               {"bytes", version.bytes}});
  }
  return listing;
}

struct LogOptions {
  std::string since;
  std::uint64_t after = 0;
  std::uint64_t last = 0;
  bool recurse = false;
  Format format = Format::table;
};

/// Those that are wanted, in order; each once, although a trim may move one while we read.
void arrange(std::vector<Version>& versions, std::uint64_t since_ms, std::uint64_t last) {
  const auto place = [](const Version& v) { return std::tie(v.rev, v.key); };
  std::sort(versions.begin(), versions.end(),
            [&](const Version& a, const Version& b) { return place(a) < place(b); });
  versions.erase(
      std::unique(versions.begin(), versions.end(),
                  [&](const Version& a, const Version& b) { return place(a) == place(b); }),
      versions.end());
  std::erase_if(versions, [&](const Version& v) { return v.time_ms < since_ms; });
  if (last != 0 && versions.size() > last)
    versions.erase(versions.begin(), versions.end() - static_cast<std::ptrdiff_t>(last));
}

Exit log(const Command& command, const LogOptions& options, std::uint64_t since_ms) {
  Scope scope = scope_of(argument_or_nothing(command, 0), options.recurse);
  Inquiry broker(command.surroundings());
  proto::kv::Log request{.key = std::move(scope.key),
                         .prefix = std::move(scope.prefix),
                         .after = Revision{options.after},
                         .from = {}};
  std::vector<Version> versions;
  Revision whole_behind;
  do {
    auto page = broker.ask(request);
    if (!page) return broker.report("muster kv log: ", page.error());
    versions.insert(versions.end(), page->versions.begin(), page->versions.end());
    whole_behind = page->since;
    if (page->since.value != 0 && page->next.empty() && request.after < page->since)
      complain(fmt::format("muster kv log: kept since revision {} ({})", page->since.value,
                           format_time(page->since_ms)));
    request.from = std::move(page->next);
  } while (!request.from.empty());
  arrange(versions, since_ms, options.last);
  if (versions.empty() && options.after == 0 && since_ms == 0) {
    complain(fmt::format("muster kv log: no change of {} is known",
                         request.key.empty() ? request.prefix : request.key));
    return Exit::not_found;
  }
  print(format_listing(listing_of(versions), options.format));
  return Exit::ok;
}

// --- diff ---

constexpr Command::Text diff_text = {
    .name = "kv diff",
    .arguments = "[options] -from=MOMENT [PREFIX]",
    .about =
        "Shows which keys under PREFIX differ between two moments: `+` new, `-` gone, `~` another value or\n"
        "other flags. A moment is a revision, or a time as for `muster kv get -at`. Without -to: now.",
    .examples =
        "  muster kv diff -from='1d ago' config/\n"
        "  muster kv diff -from=120 -to=180 -format=json config/\n"};

Result<std::vector<Difference>> differences(Inquiry& broker, proto::kv::Diff request) {
  std::vector<Difference> found;
  do {
    auto page = broker.ask(request);
    if (!page) return page.error();
    found.insert(found.end(), page->keys.begin(), page->keys.end());
    if (!request.to) request.to = Moment{.rev = page->to};  // "now" is one moment for all parts
    request.start = std::move(page->next);
  } while (!request.start.empty());
  return found;
}

Json json_of(const std::optional<proto::kv::Entry>& entry) {
  return entry ? consul_key(*entry) : Json(nullptr);
}

void print_differences(const std::vector<Difference>& keys, Format format) {
  Listing listing;
  for (const Difference& key : keys) {
    if (format == Format::table) print(difference_text(key));
    listing.objects.push_back(
        {{"key", key.key}, {"before", json_of(key.before)}, {"after", json_of(key.after)}});
  }
  if (format != Format::table) print(format_listing(listing, format));
}

// --- revert ---

constexpr Command::Text revert_text = {
    .name = "kv revert",
    .arguments = "[options] -to=MOMENT KEY or PREFIX",
    .about =
        "Puts value and flags back as they were at a moment (a revision, or a time), in one change; keys\n"
        "that were not there are deleted. Nothing is unwritten: these are new revisions, and can be\n"
        "reverted in turn. What ends in / is a prefix; other prefixes with -recurse.\n\n"
        "-dry-run shows what would change, and the revision to give to -expect: then it is done only if\n"
        "nothing has changed since you looked.",
    .examples =
        "  muster kv revert -to='10m ago' -dry-run config/\n"
        "  muster kv revert -to=120 -expect=180 config/\n"};

/// The change that a revert would make, by a diff the other way round.
Exit show_revert(Inquiry& broker, const proto::kv::Revert& request, Format format) {
  proto::kv::Diff diff{.prefix = request.key.empty() ? request.prefix : request.key,
                       .from = request.to,
                       .to = std::nullopt,
                       .start = {}};
  const auto status = broker.ask(proto::session::Ping{});
  if (!status) return broker.report("muster kv revert: ", status.error());
  auto keys = differences(broker, diff);
  if (!keys) return broker.report("muster kv revert: ", keys.error());
  if (!request.key.empty())
    std::erase_if(*keys, [&](const Difference& d) { return d.key != request.key; });
  for (Difference& key : *keys) std::swap(key.before, key.after);
  print_differences(*keys, format);
  complain(fmt::format("{} would change; -expect={} does this and nothing else",
                       keys->size() == 1 ? "1 key" : fmt::format("{} keys", keys->size()),
                       status->rev.value));
  return Exit::ok;
}

Exit revert(Inquiry& broker, const proto::kv::Revert& request) {
  const auto done = broker.ask(request);
  if (!done) return broker.report("Error! Did not revert: ", done.error());
  const std::string& scope = request.key.empty() ? request.prefix : request.key;
  if (done->written + done->deleted == 0)
    print_line(fmt::format("Nothing to revert: {} is as it was", scope));
  else
    print_line(fmt::format("Success! Reverted {}: {} written, {} deleted, revision {}", scope,
                           done->written, done->deleted, done->rev.value));
  return Exit::ok;
}

}  // namespace

Exit kv_log(Arguments words) {
  Command command(log_text);
  LogOptions options;
  command.timeout();
  command.flag("recurse", options.recurse, "all keys that begin with it");
  command.number("after", options.after, "only changes after this revision", "REVISION");
  command.text("since", options.since, "only changes since then: \"10m ago\", 2026-11-22", "TIME");
  command.number("last", options.last, "only the newest so many");
  command.format(options.format);
  if (const auto exit = command.parse(words)) return *exit;
  if (const auto exit = check_arguments(command, options.recurse ? 0 : 1, 1, "KEY")) return *exit;
  std::uint64_t since_ms = 0;
  if (!options.since.empty()) {
    const Result<WallTime> since = parse_time(options.since, WallTime::now());
    if (!since) return command.misuse(since.error().message);
    since_ms = since->ms;
  }
  return log(command, options, since_ms);
}

Exit kv_diff(Arguments words) {
  Command command(diff_text);
  Format format = Format::table;
  std::string from;
  std::string to;
  command.timeout();
  command.text("from", from, "the earlier moment: a revision or a time", "MOMENT");
  command.text("to", to, "the later one; none: now", "MOMENT");
  command.format(format);
  if (const auto exit = command.parse(words)) return *exit;
  if (const auto exit = check_arguments(command, 0, 1, "PREFIX")) return *exit;
  if (from.empty()) return command.misuse("-from is missing: a revision or a time");
  const Result<Moment> begin = parse_moment(from, WallTime::now());
  if (!begin) return command.misuse(begin.error().message);
  proto::kv::Diff request{.prefix = forgiven(argument_or_nothing(command, 0)),
                          .from = *begin,
                          .to = std::nullopt,
                          .start = {}};
  if (!to.empty()) {
    const Result<Moment> end = parse_moment(to, WallTime::now());
    if (!end) return command.misuse(end.error().message);
    request.to = *end;
  }
  Inquiry broker(command.surroundings());
  const auto keys = differences(broker, request);
  if (!keys) return broker.report("muster kv diff: ", keys.error());
  print_differences(*keys, format);
  return Exit::ok;
}

Exit kv_revert(Arguments words) {
  Command command(revert_text);
  Format format = Format::table;
  std::string to;
  bool recurse = false;
  bool dry_run = false;
  std::uint64_t expect = 0;
  command.timeout();
  command.text("to", to, "the moment: a revision or a time", "MOMENT");
  command.flag("recurse", recurse, "all keys that begin with it");
  command.flag("dry-run", dry_run, "only show what would change");
  command.number("expect", expect, "only if none of the keys has changed after this revision",
                 "REVISION");
  command.format(format);
  if (const auto exit = command.parse(words)) return *exit;
  if (const auto exit = check_arguments(command, 1, 1, "KEY")) return *exit;
  if (to.empty()) return command.misuse("-to is missing: a revision or a time");
  const Result<Moment> moment = parse_moment(to, WallTime::now());
  if (!moment) return command.misuse(moment.error().message);
  Scope scope = scope_of(command.arguments()[0], recurse);
  const proto::kv::Revert request{.key = std::move(scope.key),
                                  .prefix = std::move(scope.prefix),
                                  .to = *moment,
                                  .expect = Revision{expect}};
  Inquiry broker(command.surroundings());
  return dry_run ? show_revert(broker, request, format) : revert(broker, request);
}

}  // namespace muster::cli
