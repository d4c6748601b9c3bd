// kv_transfer: many keys at once: export, import, transactions.
#include <charconv>

#include <fmt/format.h>

#include "cli/duration.hpp"
#include "cli/format.hpp"
#include "cli/kv.hpp"
#include "cli/moment.hpp"
#include "cli/payload.hpp"
#include "cli/print.hpp"
#include "cli/txn_text.hpp"

namespace muster::cli {
namespace {

using proto::kv::Entry;

constexpr std::size_t input_bytes_max = limits::value_bytes_ceiling * 64;
constexpr std::size_t part_bytes = limits::value_bytes_default / 2;

/// A literal, `-` or `@file`; or what is wrong has been said.
std::optional<std::string> read_data(const std::string& argument) {
  Result<std::string> data = read_payload(argument, input_bytes_max);
  if (data) return *std::move(data);
  complain(fmt::format("Error! {}", data.error().message));
  return std::nullopt;
}

// --- export ---

constexpr Command::Text export_text = {
    .name = "kv export",
    .arguments = "[options] [PREFIX]",
    .about =
        "Prints all keys that begin with PREFIX as a JSON array of key, flags and value (base64), "
        "which\n`muster kv import` takes, and Consul's.",
    .examples =
        "  muster kv export config/ > config.json\n"
        "  muster kv export -at='1d ago' config/\n"};

Exit export_keys(const Command& command, const proto::kv::List& request) {
  Inquiry broker(command.surroundings());
  std::string out;
  const Result<Done> read = each_page(broker, request, [&](const std::vector<Entry>& page) {
    for (const Entry& entry : page) {
      out += out.empty() ? "[\n" : ",\n";
      out += exported(entry);
    }
  });
  if (!read) return broker.report("Error! Failed reading data: ", read.error());
  print_line(out.empty() ? "[]" : out + "\n]");
  return Exit::ok;
}

// --- import ---

constexpr Command::Text import_text = {
    .name = "kv import",
    .arguments = "[options] DATA",
    .about =
        "Writes the keys of a JSON array that `muster kv export` has printed, or Consul's, in one\n"
        "transaction: all of them or none. DATA is the text itself, `-` (stdin to its end) or `@FILE`. Keys\n"
        "that are not in it stay.",
    .examples =
        "  muster kv import @config.json\n"
        "  consul kv export | muster kv import -parts -\n"};

/// The broker speaks of places in a transaction; who imports knows keys.
Error with_key(Error error, const proto::kv::Txn& txn) {
  constexpr std::string_view place = "then[";
  if (!error.message.starts_with(place)) return error;
  std::size_t index = 0;
  const char* const end = error.message.data() + error.message.size();
  const auto [stop, wrong] = std::from_chars(error.message.data() + place.size(), end, index);
  if (wrong != std::errc() || stop == end || index >= txn.then.size()) return error;
  error.message = fmt::format("key {}{}", txn.then[index].put.key, std::string(stop + 1, end));
  return error;
}

Exit import_parts(Inquiry& broker, std::vector<proto::kv::Put> puts, std::size_t most) {
  std::size_t at = 0;
  while (at < puts.size()) {
    proto::kv::Txn txn;
    std::size_t bytes = 0;
    const std::size_t begin = at;
    for (; at < puts.size() && (bytes == 0 || bytes + puts[at].value.size() <= most); ++at) {
      bytes += puts[at].value.size() + puts[at].key.size() + 128;
      txn.then.push_back({.op = "put", .put = puts[at]});
    }
    const auto done = broker.ask(txn);
    if (!done) {
      if (done.error().code == Code::too_large)
        complain("-parts imports in several transactions, each all or nothing");
      return broker.report("Error! Failed importing data: ", with_key(done.error(), txn));
    }
    for (std::size_t i = begin; i < at; ++i) print_line(fmt::format("Imported: {}", puts[i].key));
  }
  return Exit::ok;
}

// --- txn ---

constexpr Command::Text txn_text = {
    .name = "kv txn",
    .arguments = "[options] DATA",
    .about =
        "Compares, then does what is under `then`, or, if a comparison does not hold, what is under `else`;\n"
        "all in one change, or nothing. DATA is JSON: the text itself, `-` (stdin to its end) or `@FILE`.\n\n"
        "  compare  a list of {\"key\", \"rev\": N} (0: there is none), {\"key\", \"value\": TEXT},\n"
        "           {\"key\", \"absent\": true}, {\"lock\", \"token\": N}\n"
        "  then     a list of {\"put\": KEY, \"value\": TEXT, \"flags\": N, \"ttl\": \"30s\", \"session\": ID},\n"
        "  else     {\"get\": KEY}, {\"delete\": KEY}, {\"delete_prefix\": PREFIX}\n\n"
        "\"base64\" in place of \"value\" holds bytes. Prints the results as JSON. Exit 7: a comparison did\n"
        "not hold; what is under `else` was done.",
    .examples =
        "  muster kv txn '{\"then\":[{\"put\":\"a\",\"value\":\"1\"},{\"delete\":\"b\"}]}'\n"
        "  muster kv txn @switch-over.json\n"};

}  // namespace

Exit kv_export(Arguments words) {
  Command command(export_text);
  MomentOptions moment;
  command.timeout();
  moment.declare(command);
  command.without_effect({"consistent"}, Takes::nothing);
  if (const auto exit = command.parse(words)) return *exit;
  if (const auto exit = check_arguments(command, 0, 1, "PREFIX")) return *exit;
  const auto when = moment.moment();
  if (!when) return command.misuse(when.error().message);
  return export_keys(command, {.prefix = forgiven(argument_or_nothing(command, 0)), .when = *when});
}

Exit kv_import(Arguments words) {
  Command command(import_text);
  bool parts = false;
  command.timeout();
  command.flag("parts", parts,
               "in several transactions, where it is too large for one; each all or nothing");
  if (const auto exit = command.parse(words)) return *exit;
  if (const auto exit = check_arguments(command, 1, 1, "DATA")) return *exit;
  const auto data = read_data(command.arguments()[0]);
  if (!data) return Exit::failed;
  auto puts = imported(*data);
  if (!puts) {
    complain(puts.error().message);
    return Exit::failed;
  }
  Inquiry broker(command.surroundings());
  return import_parts(broker, *std::move(puts), parts ? part_bytes : input_bytes_max);
}

Exit kv_txn(Arguments words) {
  Command command(txn_text);
  command.timeout();
  if (const auto exit = command.parse(words)) return *exit;
  if (const auto exit = check_arguments(command, 1, 1, "DATA")) return *exit;
  const auto data = read_data(command.arguments()[0]);
  if (!data) return Exit::failed;
  const auto txn = parse_txn(*data);
  if (!txn) {
    complain(fmt::format("muster kv txn: {}", txn.error().message));
    return Exit::failed;
  }
  Inquiry broker(command.surroundings());
  const auto done = broker.ask(*txn);
  if (!done) return broker.report("muster kv txn: ", done.error());
  print_line(indented(outcome_json(*done)));
  return done->succeeded ? Exit::ok : Exit::conflict;
}

}  // namespace muster::cli
