// kv: get, delete, list, as Consul's `kv` says it; the other verbs have files of their own.
#include "cli/kv.hpp"

#include <array>

#include <fmt/format.h>

#include "cli/kv_text.hpp"
#include "cli/moment.hpp"
#include "cli/nouns.hpp"
#include "cli/print.hpp"
#include "common/consul/consul_json.hpp"

namespace muster::cli {
namespace {

using proto::kv::Entry;

Result<std::vector<Entry>> all_keys(Inquiry& broker, const std::string& prefix,
                                    const std::optional<proto::kv::Moment>& when) {
  std::vector<Entry> entries;
  const auto collect = [&](const std::vector<Entry>& page) {
    entries.insert(entries.end(), page.begin(), page.end());
  };
  const Result<Done> read =
      each_page(broker, {.prefix = prefix, .from = {}, .keys_only = true, .when = when}, collect);
  if (!read) return read.error();
  return entries;
}

// --- get ---

constexpr Command::Text get_text = {.name = "kv get",
                                    .arguments = "[options] [KEY or PREFIX]",
                                    .about =
                                        "Prints the value of a key and a newline. With -recurse "
                                        "all keys that begin with PREFIX, as\n"
                                        "key:value; with -keys their names only.",
                                    .examples =
                                        "  muster kv get config/colour\n"
                                        "  muster kv get -detailed config/colour\n"
                                        "  muster kv get -recurse config/\n"
                                        "  muster kv get -format=json config/colour\n"
                                        "  muster kv get -at='2h ago' config/colour\n"};

struct GetOptions {
  bool base64 = false;
  bool detailed = false;
  bool keys = false;
  bool recurse = false;
  std::string separator = "/";
  Format format = Format::table;
  std::optional<proto::kv::Moment> when;
};

Exit get_one(const Command& command, const GetOptions& options) {
  const std::string key = forgiven(command.arguments()[0]);
  Inquiry broker(command.surroundings());
  const Result<Entry> entry = broker.ask(proto::kv::Get{.key = key, .when = options.when});
  if (!entry && entry.error().code == Code::not_found) {
    complain(fmt::format("Error! No key exists at: {}", key));
    return Exit::not_found;
  }
  if (!entry) return broker.report("Error! Failed reading data: ", entry.error());
  const Encoding encoding = options.base64 ? Encoding::base64 : Encoding::raw;
  if (options.format == Format::json) print_line(indented(consul_key(*entry)));
  else if (options.format == Format::jsonl) print_line(compact(consul_key(*entry)));
  else print(options.detailed ? detailed_text(*entry, encoding) : value_text(*entry, encoding));
  return Exit::ok;
}

Exit get_keys(const Command& command, const GetOptions& options) {
  const std::string prefix = forgiven(argument_or_nothing(command, 0));
  Inquiry broker(command.surroundings());
  const auto entries = all_keys(broker, prefix, options.when);
  if (!entries) return broker.report("Error! Failed reading data: ", entries.error());
  const std::vector<std::string> names = cut_keys(*entries, prefix, options.separator);
  if (options.format == Format::json) print_line(indented(Json(names)));
  for (const std::string& name : names) {
    if (options.format == Format::table) print_line(name);
    if (options.format == Format::jsonl) print_line(compact(Json(name)));
  }
  return Exit::ok;
}

Exit get_tree(const Command& command, const GetOptions& options) {
  const Encoding encoding = options.base64 ? Encoding::base64 : Encoding::raw;
  std::size_t count = 0;
  const auto print_page = [&](const std::vector<Entry>& page) {
    for (const Entry& entry : page) {
      const bool is_first = count++ == 0;
      if (options.format == Format::json)
        print(fmt::format("{}\n{}", is_first ? "[" : ",", indented(consul_key(entry))));
      else if (options.format == Format::jsonl) print_line(compact(consul_key(entry)));
      else if (options.detailed)
        print(fmt::format("{}{}", is_first ? "" : "\n", detailed_text(entry, encoding)));
      else print(pair_text(entry, encoding));
    }
  };
  Inquiry broker(command.surroundings());
  const std::string prefix = forgiven(argument_or_nothing(command, 0));
  const Result<Done> read = each_page(
      broker, {.prefix = prefix, .from = {}, .keys_only = false, .when = options.when}, print_page);
  if (!read) return broker.report("Error! Failed reading data: ", read.error());
  if (options.format == Format::json) print_line(count == 0 ? "[]" : "\n]");
  return Exit::ok;
}

Exit get(Arguments words) {
  Command command(get_text);
  GetOptions options;
  command.timeout();
  command.flag("base64", options.base64, "print the value as base64");
  command.flag("detailed", options.detailed, "print a table of all that is known of the key");
  command.flag("recurse", options.recurse, "all keys that begin with PREFIX");
  command.flag("keys", options.keys, "names only, cut behind the first separator after PREFIX");
  command.text("separator", options.separator, "see -keys; default /; empty: whole names");
  command.format(options.format);
  MomentOptions moment;
  moment.declare(command);
  command.without_effect({"consistent"}, Takes::nothing);
  if (const auto exit = command.parse(words)) return *exit;
  const auto when = moment.moment();
  if (!when) return command.misuse(when.error().message);
  options.when = *when;
  const std::size_t least = options.recurse || options.keys ? 0 : 1;
  if (command.arguments().size() > 1)  // without "Error! ", unlike the other verbs
    return command.misuse_as_consul(
        fmt::format("Too many arguments (expected 1, got {})", command.arguments().size()));
  if (const auto exit = check_arguments(command, least, 1, "KEY")) return *exit;
  if (options.keys) return get_keys(command, options);
  if (options.recurse) return get_tree(command, options);
  return get_one(command, options);
}

// --- delete ---

constexpr Command::Text delete_text = {
    .name = "kv delete",
    .arguments = "[options] KEY or PREFIX",
    .about =
        "Deletes a key; that there was none is no error. With -recurse all keys that begin with "
        "PREFIX, in\n"
        "one change. The empty prefix, which is every key there is, needs -all.",
    .examples =
        "  muster kv delete config/colour\n"
        "  muster kv delete -recurse config/\n"};

Exit delete_tree(const Command& command, const proto::kv::DeletePrefix& request) {
  if (request.prefix.empty() && !request.all) {
    return command.misuse("-recurse with an empty prefix deletes every key there is: say -all");
  }
  Inquiry broker(command.surroundings());
  const auto deleted = broker.ask(request);
  if (!deleted)
    return broker.report(fmt::format("Error! Did not delete prefix {}: ", request.prefix),
                         deleted.error());
  print_line(fmt::format("Success! Deleted keys with prefix: {}", request.prefix));
  complain(fmt::format("{} {} deleted", deleted->count, deleted->count == 1 ? "key" : "keys"));
  return Exit::ok;
}

Exit erase(Arguments words) {
  Command command(delete_text);
  bool recurse = false;
  bool all = false;
  bool compare = false;
  std::uint64_t index = 0;
  command.timeout();
  command.flag("recurse", recurse, "all keys that begin with PREFIX");
  command.flag("all", all, "with -recurse: the empty prefix is meant");
  command.flag("cas", compare, "delete only if the key's revision is -modify-index");
  command.number("modify-index", index, "see -cas", "REVISION");
  if (const auto exit = command.parse(words)) return *exit;
  if (compare && recurse) return command.misuse_as_consul("Cannot specify both -cas and -recurse!");
  if (!compare && command.given("modify-index"))
    return command.misuse_as_consul("Cannot specify -modify-index without -cas!");
  if (compare && index == 0)
    return command.misuse_as_consul("Must specify -modify-index with -cas!");
  if (const auto exit = check_arguments(command, recurse ? 0 : 1, 1, "KEY")) return *exit;
  const std::string key = forgiven(argument_or_nothing(command, 0));
  if (recurse) return delete_tree(command, {.prefix = key, .all = all});
  proto::kv::Delete request{.key = key, .compare_rev = std::nullopt};
  if (compare) request.compare_rev = Revision{index};
  Inquiry broker(command.surroundings());
  const auto deleted = broker.ask(request);
  if (!deleted && compare && deleted.error().code == Code::conflict) {
    complain(fmt::format("Error! Did not delete key {}: CAS failed", key));
    return Exit::conflict;
  }
  if (!deleted) return broker.report(fmt::format("Error deleting key {}: ", key), deleted.error());
  print_line(fmt::format("Success! Deleted key: {}", key));
  return Exit::ok;
}

// --- list ---

constexpr Command::Text list_text = {
    .name = "kv list",
    .arguments = "[options] [PREFIX]",
    .about =
        "Lists keys with their size, the revision, age and author of "
        "the last change, and when they\nexpire; not their values.",
    .examples =
        "  muster kv list\n"
        "  muster kv list -format=jsonl config/ | jq -r .key\n"};

Exit list(Arguments words) {
  Command command(list_text);
  Format format = Format::table;
  command.timeout();
  command.format(format);
  MomentOptions moment;
  moment.declare(command);
  if (const auto exit = command.parse(words)) return *exit;
  if (const auto exit = check_arguments(command, 0, 1, "PREFIX")) return *exit;
  const auto when = moment.moment();
  if (!when) return command.misuse(when.error().message);
  Inquiry broker(command.surroundings());
  const auto entries = all_keys(broker, forgiven(argument_or_nothing(command, 0)), *when);
  if (!entries) return broker.report("Error! Failed reading data: ", entries.error());
  print(format_listing(kv_listing(*entries, WallTime::now()), format));
  return Exit::ok;
}

constexpr std::array verbs = {
    Verb{"get", &get, "print a value"},
    Verb{"put", &kv_put, "write a value"},
    Verb{"delete", &erase, "delete a key, or all with a prefix"},
    Verb{"list", &list, "list keys with size, revision and author"},
    Verb{"export", &kv_export, "keys and values as JSON, for import"},
    Verb{"import", &kv_import, "write what export has printed, all or nothing"},
    Verb{"txn", &kv_txn, "compare and write several keys in one change"},
    Verb{"log", &kv_log, "who changed it, when and why"},
    Verb{"diff", &kv_diff, "what differs between two moments"},
    Verb{"revert", &kv_revert, "put back what was"},
};

}  // namespace

std::optional<Exit> check_arguments(const Command& command, std::size_t least, std::size_t most,
                                    std::string_view first) {
  const std::size_t given = command.arguments().size();
  if (given < least || (given > 0 && least > 0 && command.arguments()[0].empty())) {
    complain(fmt::format("Error! Missing {} argument", first));
    return Exit::usage;
  }
  if (given > most) {
    const std::string expected =
        least == most ? fmt::format("{}", most) : fmt::format("{} or {}", least, most);
    complain(fmt::format("Error! Too many arguments (expected {}, got {})", expected, given));
    return Exit::usage;
  }
  return std::nullopt;
}

std::string forgiven(std::string key) {
  if (key.starts_with('/')) key.erase(0, 1);
  return key;
}

std::string argument_or_nothing(const Command& command, std::size_t place) {
  return command.arguments().size() > place ? command.arguments()[place] : std::string();
}

Result<Done> each_page(Inquiry& broker, proto::kv::List request,
                       const std::function<void(const std::vector<Entry>&)>& each) {
  do {
    const Result<proto::kv::Listing> page = broker.ask(request);
    if (!page) return page.error();
    each(page->entries);
    request.from = page->next;
  } while (!request.from.empty());
  return Done{};
}

constinit const Noun kv_noun = {.name = "kv", .about = "read and write keys", .verbs = verbs};

}  // namespace muster::cli
