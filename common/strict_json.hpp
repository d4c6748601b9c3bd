// strict_json: JSON that people wrote: no key twice in one object, no deeper than anybody nests.
#pragma once

#include <set>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace muster {

/// What is wrong, with the key where there is one.
struct NotStrict : std::runtime_error {
  NotStrict(std::string key_of_it, const char* rule)
      : std::runtime_error(rule), key(std::move(key_of_it)) {}
  std::string key;
};

/// A callback for Json::parse, one a parse. Throws NotStrict.
template <class Json>
class StrictJson {
 public:
  static constexpr int depth_max = 64;

  bool operator()(int depth, typename Json::parse_event_t event, Json& value) {
    using Event = typename Json::parse_event_t;
    if (depth > depth_max) throw NotStrict("", "is nested deeper than 64 levels");
    if (event == Event::object_start) open_.emplace_back();
    if (event == Event::object_end) open_.pop_back();
    if (event != Event::key) return true;
    std::string key = value.template get<std::string>();
    // The first of the two would vanish silently.
    if (!open_.back().insert(key).second)
      throw NotStrict(std::move(key), "is there twice in one object");
    return true;
  }

 private:
  std::vector<std::set<std::string>> open_;
};

/// As Json::parse. Throws NotStrict, and what that throws.
template <class Json, class Text>
Json parse_strictly(const Text& text) {
  StrictJson<Json> strict;
  return Json::parse(text, [&](int depth, typename Json::parse_event_t event, Json& value) {
    return strict(depth, event, value);
  });
}

}  // namespace muster
