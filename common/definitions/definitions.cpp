// definitions: JSON to services and checks, with errors that name file, line, key and rule.
#include "common/definitions/definitions.hpp"

#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "common/definitions/check.hpp"
#include "common/definitions/fields.hpp"
#include "common/definitions/lines.hpp"
#include "common/limits.hpp"
#include "common/protocol/offers.hpp"
#include "common/strict_json.hpp"

namespace muster {
namespace {

using definitions::Broken;
using definitions::Fields;
using definitions::json;
using definitions::Key;
using proto::catalog::Service;
using proto::health::Check;

constexpr Key id{"id", "ID"};
constexpr Key name{"name", "Name", "Service"};
constexpr Key tags{"tags", "Tags"};
constexpr Key address{"address", "Address"};
constexpr Key port{"port", "Port"};
constexpr Key meta{"meta", "Meta"};
constexpr Key check{"check", "Check"};
constexpr Key checks{"checks", "Checks"};
constexpr Key weights{"weights", "Weights"};
constexpr Key tag_override{"enable_tag_override", "EnableTagOverride"};
constexpr std::array of_service = {id,   name,  tags,   address, port,
                                   meta, check, checks, weights, tag_override};
constexpr std::array not_acted_upon = {
    Key{"token", "Token"}, Key{"tagged_addresses", "TaggedAddresses"}, Key{"kind", "Kind"},
    Key{"connect", "Connect"}, Key{"proxy", "Proxy"}};
constexpr Key passing{"passing", "Passing"};
constexpr Key warning{"warning", "Warning"};
constexpr std::array of_weights = {passing, warning};

void add_weights(Service& service, const Fields& fields) {
  const json* value = fields.find(weights);
  if (value == nullptr) return;
  const Fields both(*value, fields.where(weights));
  std::vector<std::string> none;
  both.only(of_weights, {}, "weights are passing and warning", none);
  if (both.find(passing) != nullptr)
    service.weight_passing = static_cast<std::uint32_t>(both.number(passing, 65535));
  if (both.find(warning) != nullptr)
    service.weight_warning = static_cast<std::uint32_t>(both.number(warning, 65535));
}

/// The broker would refuse it.
template <class Offer>
void keep_to_the_rules(const Offer& offer, const std::string& where) {
  const auto breach = proto::offers::breach(offer);
  if (breach) throw Broken(breach->key.empty() ? where : where + "." + breach->key, breach->rule);
}

/// A check of a service without a name of its own is called after it.
void add_check(const json& value, const std::string& where, const Service& service,
               const std::string& usual_id, Definitions& definitions,
               std::vector<std::string>& unused) {
  Check read = definitions::check_of(value, where, unused);
  if (read.id.empty()) read.id = usual_id;
  if (read.name.empty()) read.name = fmt::format("Service '{}' check", service.name);
  read.service_id = service.id;
  keep_to_the_rules(read, where);
  definitions.checks.push_back(std::move(read));
}

void add_service(const json& value, const std::string& where, Definitions& definitions,
                 std::vector<std::string>& unused) {
  const Fields fields(value, where);
  fields.only(of_service, not_acted_upon,
              "a service has id, name, tags, address, port, meta, check, checks", unused);
  Service service{.id = fields.word(id),
                  .name = fields.word(name),
                  .tags = fields.words(tags),
                  .address = fields.word(address),
                  .port = static_cast<std::uint16_t>(fields.number(port, 65535)),
                  .meta = fields.map(meta),
                  .enable_tag_override = fields.flag(tag_override)};
  if (service.name.empty()) throw Broken(fields.where(name), "is required");
  if (service.id.empty()) service.id = service.name;
  keep_to_the_rules(service, where);
  add_weights(service, fields);
  if (const json* one = fields.find(check))
    add_check(*one, fields.where(check), service, "service:" + service.id, definitions, unused);
  if (const json* many = fields.find(checks)) {
    if (!many->is_array()) throw Broken(fields.where(checks), "must be a list");
    for (std::size_t i = 0; i < many->size(); ++i)
      add_check((*many)[i], fmt::format("{}[{}]", fields.where(checks), i), service,
                fmt::format("service:{}:{}", service.id, i + 1), definitions, unused);
  }
  definitions.services.push_back(std::move(service));
}

/// Of the node, or of a service by its id.
void add_free_check(const json& value, const std::string& where, Definitions& definitions,
                    std::vector<std::string>& unused) {
  Check read = definitions::check_of(value, where, unused);
  if (read.name.empty()) throw Broken(where + ".name", "is required");
  if (read.id.empty()) read.id = read.name;
  keep_to_the_rules(read, where);
  definitions.checks.push_back(std::move(read));
}

void add_watch(const json& value, const std::string& where, Definitions& definitions,
               std::vector<std::string>& unused) {
  definitions.watches.push_back(definitions::watch_of(value, where, unused));
}

using Add = void (*)(const json&, const std::string&, Definitions&, std::vector<std::string>&);

void add_list(const json& value, const std::string& key, Add add, Definitions& definitions,
              std::vector<std::string>& unused) {
  if (!value.is_array()) throw Broken(key, "must be a list");
  for (std::size_t i = 0; i < value.size(); ++i)
    add(value[i], fmt::format("{}[{}]", key, i), definitions, unused);
}

void take(const json& document, const std::string& file, Definitions& definitions) {
  if (!document.is_object()) throw Broken("the file", "must hold an object");
  std::vector<std::string> unused;
  for (const auto& [key, value] : document.items()) {
    if (key == "service") add_service(value, key, definitions, unused);
    else if (key == "services") add_list(value, key, add_service, definitions, unused);
    else if (key == "check") add_free_check(value, key, definitions, unused);
    else if (key == "checks") add_list(value, key, add_free_check, definitions, unused);
    else if (key == "watches") add_list(value, key, add_watch, definitions, unused);
    else throw Broken(key, "is not known; a file has service, services, check, checks, watches");
  }
  if (!unused.empty())
    definitions.notes.push_back(
        fmt::format("{}: this version does not act upon {}", file, fmt::join(unused, ", ")));
}

json parse(const std::string& text) {
  try {
    return parse_strictly<json>(text);
  } catch (const NotStrict& error) {
    throw Broken(error.key.empty() ? "the file" : error.key, error.what());
  } catch (const json::parse_error& error) {
    const auto end = text.begin() + static_cast<std::ptrdiff_t>(std::min(error.byte, text.size()));
    throw Broken(fmt::format("line {}", 1 + std::count(text.begin(), end, '\n')),
                 "is not JSON there");
  } catch (const json::out_of_range&) {
    throw Broken("the file", "holds a number beyond all measure");
  }
}

std::string content(const std::filesystem::path& path) {
  std::error_code error;
  std::ifstream stream;
  if (std::filesystem::is_regular_file(path, error)) stream.open(path);
  std::string all(limits::definitions_bytes_max + 1, '\0');
  stream.read(all.data(), static_cast<std::streamsize>(all.size()));
  if (!stream.is_open() || stream.bad()) {
    const bool there = std::filesystem::exists(path, error);
    throw Broken("the file", !there ? "is not there" : "cannot be read");
  }
  all.resize(static_cast<std::size_t>(stream.gcount()));
  if (all.size() > limits::definitions_bytes_max)
    throw Broken("the file", fmt::format("has over {} bytes, which is the most",
                                         limits::definitions_bytes_max));
  return all;
}

std::vector<std::string> files_of(const std::string& folder, std::error_code& error) {
  std::vector<std::string> files;
  // Not a range: its steps would throw.
  std::filesystem::directory_iterator entry(folder, error);
  for (; !error && entry != std::filesystem::directory_iterator(); entry.increment(error)) {
    if (entry->path().extension() == ".json") files.push_back(entry->path().string());
  }
  std::sort(files.begin(), files.end());
  return files;
}

/// Ids, and the file that has each.
using Ids = std::map<std::string, std::string>;
struct Seen {
  Ids services;
  Ids checks;
  Ids watches;
};

void once(Ids& ids, const std::string& id_of_one, const std::string& file,
          const std::string& what) {
  const auto [place, fresh] = ids.emplace(id_of_one, file);
  if (fresh) return;
  throw Broken(id_of_one, fmt::format("is the id of two {}{}; give one of them another", what,
                                      place->second == file ? "" : ", also in " + place->second));
}

void take_file(const std::string& text, const std::string& file, Definitions& all, Seen& seen) {
  Definitions read;
  take(parse(text), file, read);
  for (Service& service : read.services) {
    once(seen.services, service.id, file, "services");
    all.services.push_back(std::move(service));
  }
  for (Check& one : read.checks) {
    once(seen.checks, one.id, file, "checks");
    all.checks.push_back(std::move(one));
  }
  for (WatchDefinition& watch : read.watches) {
    once(seen.watches, watch.id, file, "watches");
    all.watches.push_back(std::move(watch));
  }
  std::move(read.notes.begin(), read.notes.end(), std::back_inserter(all.notes));
  if (all.watches.size() > limits::watches_max)
    throw Broken("watches",
                 fmt::format("are {} on one node with those of this file, at most {} are run",
                             all.watches.size(), limits::watches_max));
  if (const auto breach = proto::offers::breach(all.services, all.checks))
    throw Broken("the file", "is one too many: " + breach->rule);
}

}  // namespace

Result<Definitions> read_definition_files(const std::vector<std::string>& files) {
  Definitions all;
  Seen seen;
  for (const std::string& file : files) {
    std::string text;
    try {
      text = content(file);
      take_file(text, file, all, seen);
    } catch (const Broken& broken) {
      const std::string_view what = broken.what();
      const std::size_t line = definitions::line_of(text, what.substr(0, what.find(": ")));
      const std::string place = line == 0 ? "" : fmt::format("line {}: ", line);
      return Error{Code::invalid, fmt::format("{}: {}{}", file, place, what)};
    }
  }
  for (const Check& read : all.checks) {
    if (read.service_id.empty() || seen.services.contains(read.service_id)) continue;
    all.notes.push_back(fmt::format("check {} is of the service {}, which no file defines", read.id,
                                    read.service_id));
  }
  return all;
}

Result<Definitions> read_definitions(const std::string& folder) {
  if (folder.empty()) return Definitions{};
  std::error_code error;
  const auto files = files_of(folder, error);
  if (error)
    return Error{Code::invalid, fmt::format("cannot read {}: {}", folder, error.message())};
  return read_definition_files(files);
}

}  // namespace muster
