// definitions: JSON to services, with errors that name file, line, key and rule.
#include "node/definitions.hpp"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>

#include <fmt/format.h>
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

const json* member(const json& object, const char* first, const char* second) {
  for (const char* name : {first, second}) {
    if (const auto found = object.find(name); found != object.end()) return &*found;
  }
  return nullptr;
}

std::string text(const json& object, const std::string& where, const char* name,
                 const char* consul) {
  const json* value = member(object, name, consul);
  if (value == nullptr) return {};
  if (!value->is_string()) throw Broken(where + "." + name, "must be a string");
  if (value->get_ref<const std::string&>().size() > limits::name_bytes_max)
    throw Broken(where + "." + name, "has at most 255 bytes");
  return value->get<std::string>();
}

Service service_of(const json& object, const std::string& where) {
  if (!object.is_object()) throw Broken(where, "must be an object");
  Service service{.id = text(object, where, "id", "ID"),
                  .name = text(object, where, "name", "Name"),
                  .address = text(object, where, "address", "Address")};
  if (service.name.empty()) throw Broken(where + ".name", "is required");
  if (service.id.empty()) service.id = service.name;
  if (const json* port = member(object, "port", "Port")) {
    if (!port->is_number_unsigned() || port->get<std::uint64_t>() > 65535)
      throw Broken(where + ".port", "must be 0..65535");
    service.port = port->get<std::uint16_t>();
  }
  if (const json* tags = member(object, "tags", "Tags")) {
    if (!tags->is_array()) throw Broken(where + ".tags", "must be a list of strings");
    for (const json& tag : *tags) {
      if (!tag.is_string()) throw Broken(where + ".tags", "must be a list of strings");
      service.tags.push_back(tag.get<std::string>());
    }
  }
  if (const json* meta = member(object, "meta", "Meta")) {
    if (!meta->is_object()) throw Broken(where + ".meta", "must be an object of strings");
    for (const auto& [key, value] : meta->items()) {
      if (!value.is_string()) throw Broken(where + ".meta." + key, "must be a string");
      service.meta[key] = value.get<std::string>();
    }
  }
  return service;
}

void take(const json& document, const std::string& file, Definitions& definitions) {
  if (!document.is_object()) throw Broken("the file", "must hold an object");
  for (const auto& [key, value] : document.items()) {
    if (key == "service") {
      definitions.services.push_back(service_of(value, "service"));
    } else if (key == "services") {
      if (!value.is_array()) throw Broken("services", "must be a list");
      for (std::size_t i = 0; i < value.size(); ++i)
        definitions.services.push_back(service_of(value[i], fmt::format("services[{}]", i)));
    } else if (key == "check" || key == "checks" || key == "watches") {
      definitions.notes.push_back(
          fmt::format("{}: {} is defined; this version does not run it", file, key));
    } else {
      throw Broken(key, "is not known here: service, services, check, checks, watches");
    }
  }
}

void take_file(const std::filesystem::path& path, Definitions& definitions) {
  std::ifstream stream(path);
  std::stringstream content;
  content << stream.rdbuf();
  if (!stream) throw Broken("the file", "cannot be read");
  const std::string all = content.str();
  try {
    take(json::parse(all), path.string(), definitions);
  } catch (const json::parse_error& error) {
    const auto end = all.begin() + static_cast<std::ptrdiff_t>(std::min(error.byte, all.size()));
    throw Broken(fmt::format("line {}", 1 + std::count(all.begin(), end, '\n')),
                 "is not JSON there");
  }
}

}  // namespace

Result<Definitions> read_definitions(const std::string& folder) {
  Definitions definitions;
  if (folder.empty()) return definitions;
  std::error_code error;
  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::directory_iterator(folder, error)) {
    if (entry.path().extension() == ".json") files.push_back(entry.path());
  }
  if (error)
    return Error{Code::invalid, fmt::format("cannot read {}: {}", folder, error.message())};
  std::sort(files.begin(), files.end());
  for (const std::filesystem::path& file : files) {
    try {
      take_file(file, definitions);
    } catch (const Broken& broken) {
      return Error{Code::invalid, fmt::format("{}: {}", file.string(), broken.what())};
    }
  }
  std::vector<std::string> ids;
  for (const Service& service : definitions.services) {
    if (std::find(ids.begin(), ids.end(), service.id) != ids.end()) {
      return Error{Code::invalid,
                   fmt::format("{}: two services have the id {}", folder, service.id),
                   "give one of them another id"};
    }
    ids.push_back(service.id);
  }
  return definitions;
}

}  // namespace muster::node
