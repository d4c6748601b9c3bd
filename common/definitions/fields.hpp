// fields: what stands in a JSON object, typed, with errors that name the key and the rule.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "common/types.hpp"

namespace muster::definitions {

using nlohmann::json;

/// A rule that was broken; `where` is the key's path in the file.
struct Broken : std::runtime_error {
  Broken(const std::string& where, const std::string& rule);
};

/// A key, by its spellings: as in Consul's files, as in its HTTP API, as one of them once was.
struct Key {
  const char* name = "";
  const char* api = "";
  const char* old = "";
  bool is(const std::string& text) const { return text == name || text == api || text == old; }
};

/// Everything throws Broken. What is not there is empty, 0 or false.
class Fields {
 public:
  /// `value` must outlive it.
  Fields(const json& value, std::string where);

  /// Each key must be one of these; what is among `unused` is noted.
  void only(std::span<const Key> known, std::span<const Key> unused, const std::string& rule,
            std::vector<std::string>& notes) const;

  const json* find(const Key& key) const;
  /// As long as a name may be, without control characters.
  std::string word(const Key& key) const;
  /// Any length and characters: a body, a note.
  std::string text(const Key& key) const;
  std::vector<std::string> words(const Key& key) const;
  std::map<std::string, std::string> map(const Key& key) const;
  /// Lists of strings by name.
  std::map<std::string, std::vector<std::string>> lists(const Key& key) const;
  std::uint64_t number(const Key& key, std::uint64_t most) const;
  bool flag(const Key& key) const;
  /// "10s"; a bare number counts nanoseconds, as in Consul.
  milliseconds duration(const Key& key) const;

  std::string where(const Key& key) const { return where_ + "." + key.name; }
  const std::string& where() const { return where_; }

 private:
  const json& object_;
  const std::string where_;
};

}  // namespace muster::definitions
