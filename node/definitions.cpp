// definitions: JSON to services, with errors that name file, line or key, and rule.
#include "node/definitions.hpp"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <span>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <nlohmann/json.hpp>

#include "common/limits.hpp"

namespace muster::node {
namespace {

using nlohmann::json;
using proto::catalog::Service;

/// A rule that was broken; `where` is the key's path in the file.
struct Broken : std::runtime_error {
  Broken(const std::string& where, const std::string& rule)
      : std::runtime_error(fmt::format("{}: {}", where, rule)) {}
};

/// A key, by its two spellings.
struct Key {
  const char* name;
  const char* api;  ///< as in Consul's HTTP API
  bool is(const std::string& text) const { return text == name || text == api; }
};

constexpr Key id{"id", "ID"};
constexpr Key name{"name", "Name"};
constexpr Key tags{"tags", "Tags"};
constexpr Key address{"address", "Address"};
constexpr Key port{"port", "Port"};
constexpr Key meta{"meta", "Meta"};
constexpr Key of_service[] = {id, name, tags, address, port, meta};
constexpr Key not_acted_upon[] = {{"check", "Check"},
                                  {"checks", "Checks"},
                                  {"weights", "Weights"},
                                  {"token", "Token"},
                                  {"enable_tag_override", "EnableTagOverride"},
                                  {"tagged_addresses", "TaggedAddresses"},
                                  {"kind", "Kind"},
                                  {"connect", "Connect"},
                                  {"proxy", "Proxy"}};

const json* find(const json& object, const Key& key) {
  for (const char* spelling : {key.name, key.api}) {
    if (const auto found = object.find(spelling); found != object.end()) return &*found;
  }
  return nullptr;
}

std::string text(const json& value, const std::string& where) {
  if (!value.is_string()) throw Broken(where, "must be a string");
  std::string all = value.get<std::string>();
  if (all.size() > limits::name_bytes_max)
    throw Broken(where, fmt::format("has {} bytes, at most {} are taken", all.size(),
                                    limits::name_bytes_max));
  if (std::any_of(all.begin(), all.end(), [](char c) { return c >= '\0' && c < ' '; }))
    throw Broken(where, "must not hold control characters");
  return all;
}

std::string text_of(const json& object, const std::string& where, const Key& key) {
  const json* value = find(object, key);
  return value == nullptr ? "" : text(*value, where + "." + key.name);
}

std::vector<std::string> tags_of(const json& object, const std::string& where) {
  std::vector<std::string> all;
  const json* value = find(object, tags);
  if (value == nullptr) return all;
  if (!value->is_array()) throw Broken(where + ".tags", "must be a list of strings");
  for (const json& tag : *value)
    all.push_back(text(tag, fmt::format("{}.tags[{}]", where, all.size())));
  return all;
}

std::map<std::string, std::string> meta_of(const json& object, const std::string& where) {
  std::map<std::string, std::string> all;
  const json* value = find(object, meta);
  if (value == nullptr) return all;
  if (!value->is_object()) throw Broken(where + ".meta", "must be an object of strings");
  for (const auto& [key, entry] : value->items()) all[key] = text(entry, where + ".meta." + key);
  return all;
}

std::uint16_t port_of(const json& object, const std::string& where) {
  const json* value = find(object, port);
  if (value == nullptr) return 0;
  if (!value->is_number_unsigned() || value->get<std::uint64_t>() > 65535)
    throw Broken(where + ".port", "must be a number, 0..65535");
  return value->get<std::uint16_t>();
}

bool among(std::span<const Key> keys, const std::string& text) {
  return std::any_of(keys.begin(), keys.end(), [&](const Key& key) { return key.is(text); });
}

Service service_of(const json& object, const std::string& where, std::vector<std::string>& unused) {
  if (!object.is_object()) throw Broken(where, "must be an object");
  for (const auto& [key, value] : object.items()) {
    if (among(not_acted_upon, key)) unused.push_back(where + "." + key);
    else if (!among(of_service, key))
      throw Broken(where + "." + key,
                   "is not known; a service has id, name, tags, address, port, meta");
  }
  Service service{.id = text_of(object, where, id),
                  .name = text_of(object, where, name),
                  .tags = tags_of(object, where),
                  .address = text_of(object, where, address),
                  .port = port_of(object, where),
                  .meta = meta_of(object, where)};
  if (service.name.empty()) throw Broken(where + ".name", "is required");
  if (service.id.empty()) service.id = service.name;
  return service;
}

void take(const json& document, const std::string& file, Definitions& definitions) {
  if (!document.is_object()) throw Broken("the file", "must hold an object");
  std::vector<std::string> unused;
  for (const auto& [key, value] : document.items()) {
    if (key == "service") {
      definitions.services.push_back(service_of(value, key, unused));
    } else if (key == "services") {
      if (!value.is_array()) throw Broken(key, "must be a list");
      for (std::size_t i = 0; i < value.size(); ++i)
        definitions.services.push_back(
            service_of(value[i], fmt::format("services[{}]", i), unused));
    } else if (key == "check" || key == "checks" || key == "watches") {
      unused.push_back(key);
    } else {
      throw Broken(key, "is not known; a file has service, services, check, checks, watches");
    }
  }
  if (!unused.empty())
    definitions.notes.push_back(
        fmt::format("{}: this version does not act upon {}", file, fmt::join(unused, ", ")));
}

/// As JSON has it, but a key that is there twice is an error: the first would vanish silently.
json parse(const std::string& text) {
  std::vector<std::set<std::string>> open;
  try {
    return json::parse(text, [&](int, json::parse_event_t event, json& value) {
      if (event == json::parse_event_t::object_start) open.emplace_back();
      if (event == json::parse_event_t::object_end) open.pop_back();
      if (event == json::parse_event_t::key && !open.back().insert(value.get<std::string>()).second)
        throw Broken(value.get<std::string>(), "is there twice in one object");
      return true;
    });
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
  if (!stream.is_open() || stream.bad()) throw Broken("the file", "cannot be read");
  all.resize(static_cast<std::size_t>(stream.gcount()));
  if (all.size() > limits::definitions_bytes_max)
    throw Broken("the file", fmt::format("has over {} bytes, which is the most",
                                         limits::definitions_bytes_max));
  return all;
}

std::vector<std::filesystem::path> files_of(const std::string& folder, std::error_code& error) {
  std::vector<std::filesystem::path> files;
  // Not a range: its steps would throw.
  std::filesystem::directory_iterator entry(folder, error);
  for (; !error && entry != std::filesystem::directory_iterator(); entry.increment(error)) {
    if (entry->path().extension() == ".json") files.push_back(entry->path());
  }
  std::sort(files.begin(), files.end());
  return files;
}

}  // namespace

Result<Definitions> read_definitions(const std::string& folder) {
  Definitions definitions;
  if (folder.empty()) return definitions;
  std::error_code error;
  const auto files = files_of(folder, error);
  if (error)
    return Error{Code::invalid, fmt::format("cannot read {}: {}", folder, error.message())};
  std::set<std::string> ids;
  for (const std::filesystem::path& file : files) {
    try {
      const std::size_t before = definitions.services.size();
      take(parse(content(file)), file.string(), definitions);
      for (std::size_t i = before; i < definitions.services.size(); ++i) {
        if (!ids.insert(definitions.services[i].id).second)
          throw Broken(definitions.services[i].id,
                       "is the id of two services; give one of them another");
      }
      if (ids.size() > limits::services_max)
        throw Broken("the file", fmt::format("a node has at most {} services, this is one more",
                                             limits::services_max));
    } catch (const Broken& broken) {
      return Error{Code::invalid, fmt::format("{}: {}", file.string(), broken.what())};
    }
  }
  return definitions;
}

}  // namespace muster::node
