// lines: the text is parsed once more, counting; only ever after a mistake was found.
#include "common/definitions/lines.hpp"

#include <iterator>
#include <map>
#include <vector>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace muster::definitions {
namespace {

using nlohmann::json;

/// Characters of a text, counting lines on the way.
class Counting {
 public:
  using iterator_category = std::input_iterator_tag;
  using value_type = char;
  using difference_type = std::ptrdiff_t;
  using pointer = const char*;
  using reference = const char&;

  Counting(const char* at, std::size_t* line) : at_(at), line_(line) {}
  reference operator*() const { return *at_; }
  Counting& operator++() {
    if (*at_ == '\n') ++*line_;
    ++at_;
    return *this;
  }
  bool operator==(const Counting& other) const { return at_ == other.at_; }
  bool operator!=(const Counting& other) const { return at_ != other.at_; }

 private:
  const char* at_;
  std::size_t* line_;
};

std::string plain(std::string_view path) {
  std::string out;
  for (const char c : path) {
    if (c != '_') out += c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  }
  return out;
}

/// Follows the parser, and keeps the line of each key that errors name.
class Places {
 public:
  static constexpr std::size_t deepest = 8;

  bool on(json::parse_event_t event, const json& value, std::size_t line) {
    switch (event) {
      case json::parse_event_t::object_start: open_.push_back({}); break;
      case json::parse_event_t::array_start: open_.push_back({.is_list = true, .key = {}}); break;
      case json::parse_event_t::object_end:
      case json::parse_event_t::array_end:
        open_.pop_back();
        next();
        break;
      case json::parse_event_t::key:
        open_.back().key = value.get<std::string>();
        if (open_.size() <= deepest) lines_.emplace(plain(path()), line);
        break;
      case json::parse_event_t::value: next(); break;
    }
    return true;
  }

  std::size_t of(std::string path) const {
    while (!path.empty()) {
      if (const auto found = lines_.find(path); found != lines_.end()) return found->second;
      const std::size_t cut = path.find_last_of(".[");
      path.resize(cut == std::string::npos ? 0 : cut);
    }
    return 0;
  }

 private:
  struct Level {
    bool is_list = false;
    std::size_t index = 0;
    std::string key;
  };

  void next() {
    if (!open_.empty() && open_.back().is_list) ++open_.back().index;
  }
  std::string path() const {
    std::string out;
    for (const Level& level : open_) {
      if (level.is_list) out += fmt::format("[{}]", level.index);
      else out += (out.empty() ? "" : ".") + level.key;
    }
    return out;
  }

  std::map<std::string, std::size_t> lines_;
  std::vector<Level> open_;
};

}  // namespace

std::size_t line_of(std::string_view text, std::string_view path) {
  Places places;
  std::size_t line = 1;
  const char* const end = text.data() + text.size();
  try {
    const json read = json::parse(
        Counting(text.data(), &line), Counting(end, &line),
        [&](int, json::parse_event_t event, json& value) { return places.on(event, value, line); });
  } catch (const json::exception&) {
    return 0;  // what is wrong with the text itself says where it is
  }
  return places.of(plain(path));
}

}  // namespace muster::definitions
