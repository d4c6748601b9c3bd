// consul_flags: see consul_flags.hpp.
#include "cli/consul_flags.hpp"

#include <algorithm>
#include <array>

#include <fmt/format.h>

namespace muster::cli {
namespace {

/// `-` is standard input, `-5` is a number: neither is an option.
bool looks_like_option(std::string_view word) {
  if (word.size() < 2 || word.front() != '-') return false;
  const char second = word[1];
  return !(second >= '0' && second <= '9') && second != '.';
}

struct Option {
  std::string_view name;
  std::optional<std::string_view> value;
};

Option parts_of(std::string_view word) {
  word.remove_prefix(word.starts_with("--") ? 2 : 1);
  const std::size_t equals = word.find('=');
  if (equals == std::string_view::npos) return {.name = word, .value = std::nullopt};
  return {.name = word.substr(0, equals), .value = word.substr(equals + 1)};
}

bool asks_for_help(std::string_view name) { return name == "h" || name == "help"; }

/// A switch's value is only ever behind an equals sign: `-shell false` would be an argument.
Result<Given> switch_of(const Option& option) {
  const std::optional<bool> on = parse_switch(option.value.value_or("true"));
  if (!on) {
    return Error{Code::invalid, fmt::format("invalid value \"{}\" for option -{}: true or false",
                                            *option.value, option.name)};
  }
  return Given{.name = std::string(option.name), .value = *on ? "true" : "false"};
}

}  // namespace

std::optional<bool> parse_switch(std::string_view text) {
  constexpr std::array<std::string_view, 6> yes = {"1", "t", "T", "TRUE", "true", "True"};
  constexpr std::array<std::string_view, 6> no = {"0", "f", "F", "FALSE", "false", "False"};
  if (std::find(yes.begin(), yes.end(), text) != yes.end()) return true;
  if (std::find(no.begin(), no.end(), text) != no.end()) return false;
  return std::nullopt;
}

Result<Words> split_words(std::span<const std::string> words, std::span<const Known> known,
                          Place place) {
  Words out;
  for (std::size_t i = 0; i < words.size(); ++i) {
    const std::string& word = words[i];
    const bool ends_options =
        word == "--" || (place == Place::before_arguments && !looks_like_option(word));
    if (ends_options) {
      const std::size_t first = word == "--" ? i + 1 : i;
      out.arguments.insert(out.arguments.end(), words.begin() + static_cast<std::ptrdiff_t>(first),
                           words.end());
      break;
    }
    if (!looks_like_option(word)) {
      out.arguments.push_back(word);
      continue;
    }
    const Option option = parts_of(word);
    const auto found = std::find_if(known.begin(), known.end(),
                                    [&](const Known& k) { return k.name == option.name; });
    if (found == known.end() && asks_for_help(option.name)) {
      out.help = true;
    } else if (found == known.end()) {
      return Error{
          Code::invalid,
          fmt::format(
              "unknown option -{}{}", option.name,
              place == Place::anywhere ? "; a value that begins with a dash goes behind --" : "")};
    } else if (found->takes == Takes::nothing) {
      Result<Given> given = switch_of(option);
      if (!given) return given.error();
      out.options.push_back(*std::move(given));
    } else if (option.value || found->takes == Takes::perhaps) {
      out.options.push_back(
          {.name = std::string(option.name), .value = std::string(option.value.value_or(""))});
    } else if (i + 1 < words.size()) {
      out.options.push_back({.name = std::string(option.name), .value = words[++i]});
    } else {
      return Error{Code::invalid, fmt::format("option -{} needs a value", option.name)};
    }
  }
  return out;
}

}  // namespace muster::cli
