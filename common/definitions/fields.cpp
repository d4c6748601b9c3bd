// fields: see fields.hpp.
#include "common/definitions/fields.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "common/duration.hpp"
#include "common/limits.hpp"

namespace muster::definitions {
namespace {

std::string string_of(const json& value, const std::string& where) {
  if (!value.is_string()) throw Broken(where, "must be a string");
  return value.get<std::string>();
}

std::string word_of(const json& value, const std::string& where) {
  std::string all = string_of(value, where);
  if (all.size() > limits::name_bytes_max)
    throw Broken(where, fmt::format("has {} bytes, at most {} are taken", all.size(),
                                    limits::name_bytes_max));
  if (std::any_of(all.begin(), all.end(), [](char c) { return c >= '\0' && c < ' '; }))
    throw Broken(where, "must not hold control characters");
  return all;
}

std::vector<std::string> list_of(const json& value, const std::string& where) {
  if (!value.is_array()) throw Broken(where, "must be a list of strings");
  std::vector<std::string> all;
  for (const json& entry : value)
    all.push_back(string_of(entry, fmt::format("{}[{}]", where, all.size())));
  return all;
}

bool among(std::span<const Key> keys, const std::string& text) {
  return std::any_of(keys.begin(), keys.end(), [&](const Key& key) { return key.is(text); });
}

}  // namespace

Broken::Broken(const std::string& where, const std::string& rule)
    : std::runtime_error(fmt::format("{}: {}", where, rule)) {}

Fields::Fields(const json& value, std::string where) : object_(value), where_(std::move(where)) {
  if (!value.is_object()) throw Broken(where_, "must be an object");
}

void Fields::only(std::span<const Key> known, std::span<const Key> unused, const std::string& rule,
                  std::vector<std::string>& notes) const {
  for (const auto& [key, value] : object_.items()) {
    if (among(unused, key)) notes.push_back(where_ + "." + key);
    else if (!among(known, key)) throw Broken(where_ + "." + key, "is not known; " + rule);
  }
}

const json* Fields::find(const Key& key) const {
  for (const char* spelling : {key.name, key.api, key.old}) {
    // Go's clients write null for what they do not say.
    if (const auto found = object_.find(spelling); found != object_.end() && !found->is_null())
      return &*found;
  }
  return nullptr;
}

std::string Fields::word(const Key& key) const {
  const json* value = find(key);
  return value == nullptr ? "" : word_of(*value, where(key));
}

std::string Fields::text(const Key& key) const {
  const json* value = find(key);
  return value == nullptr ? "" : string_of(*value, where(key));
}

std::vector<std::string> Fields::words(const Key& key) const {
  const json* value = find(key);
  return value == nullptr ? std::vector<std::string>{} : list_of(*value, where(key));
}

std::map<std::string, std::string> Fields::map(const Key& key) const {
  std::map<std::string, std::string> all;
  const json* value = find(key);
  if (value == nullptr) return all;
  if (!value->is_object()) throw Broken(where(key), "must be an object of strings");
  for (const auto& [name, entry] : value->items())
    all[name] = word_of(entry, where(key) + "." + name);
  return all;
}

std::map<std::string, std::vector<std::string>> Fields::lists(const Key& key) const {
  std::map<std::string, std::vector<std::string>> all;
  const json* value = find(key);
  if (value == nullptr) return all;
  if (!value->is_object()) throw Broken(where(key), "must be an object of lists of strings");
  for (const auto& [name, entry] : value->items())
    all[name] = list_of(entry, where(key) + "." + name);
  return all;
}

std::uint64_t Fields::number(const Key& key, std::uint64_t most) const {
  const json* value = find(key);
  if (value == nullptr) return 0;
  if (!value->is_number_unsigned() || value->get<std::uint64_t>() > most)
    throw Broken(where(key), fmt::format("must be a number, 0..{}", most));
  return value->get<std::uint64_t>();
}

bool Fields::flag(const Key& key) const {
  const json* value = find(key);
  if (value == nullptr) return false;
  if (!value->is_boolean()) throw Broken(where(key), "must be true or false");
  return value->get<bool>();
}

milliseconds Fields::duration(const Key& key) const {
  const json* value = find(key);
  if (value == nullptr) return {};
  if (value->is_number_unsigned())
    return std::chrono::duration_cast<milliseconds>(
        std::chrono::nanoseconds(value->get<std::int64_t>()));
  const Result<Duration> parsed = parse_duration(string_of(*value, where(key)));
  if (!parsed) throw Broken(where(key), parsed.error().message);
  return std::chrono::duration_cast<milliseconds>(*parsed);
}

}  // namespace muster::definitions
