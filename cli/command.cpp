// command: see command.hpp.
#include "cli/command.hpp"

#include <algorithm>
#include <charconv>
#include <map>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "cli/duration.hpp"
#include "cli/print.hpp"

namespace muster::cli {
namespace {

constexpr std::size_t help_column = 32;

/// As CLI11 wants it declared, and then given.
std::string dashed(std::string_view name) {
  return fmt::format("{}{}", name.size() == 1 ? "-" : "--", name);
}

/// As Go's literals: 0x, 0b and 0 (or 0o) in front; CLI11 would take -1 for the largest.
std::optional<std::uint64_t> parse_number(std::string_view text) {
  int base = 10;
  if (text.starts_with("0x") || text.starts_with("0X")) base = 16;
  else if (text.starts_with("0o") || text.starts_with("0O")) base = 8;
  else if (text.starts_with("0b") || text.starts_with("0B")) base = 2;
  if (base != 10) text.remove_prefix(2);
  else if (text.size() > 1 && text.front() == '0') base = 8;
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, base);
  if (text.empty() || error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::string help_of(const Command::Text& text, const CLI::App& app) {
  CLI::Formatter formatter;
  formatter.column_width(help_column);
  std::string out =
      fmt::format("Usage: muster {} {}\n\n{}\n", text.name, text.arguments, text.about);
  out += formatter.make_groups(&app, CLI::AppFormatMode::Normal);
  while (out.ends_with("\n\n")) out.pop_back();
  if (!text.examples.empty()) out += fmt::format("\nExamples:\n{}\n", text.examples);
  return out;
}

}  // namespace

Command::Command(const Text& command_text)
    : text_(command_text), app_(std::make_unique<CLI::App>()) {
  app_->set_help_flag();
}

Command::~Command() = default;

void Command::flag(std::string_view name, bool& target, std::string_view help) {
  known_.push_back({std::string(name), Takes::nothing});
  app_->add_flag(dashed(name), target, std::string(help))
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeLast);
}

void Command::text(std::string_view name, std::string& target, std::string_view help,
                   std::string_view shown) {
  known_.push_back({std::string(name), Takes::value});
  app_->add_option(dashed(name), target, std::string(help))
      ->type_name(std::string(shown))
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeLast);
}

void Command::texts(std::string_view name, std::vector<std::string>& target, std::string_view help,
                    std::string_view shown) {
  known_.push_back({std::string(name), Takes::value});
  app_->add_option(dashed(name), target, std::string(help))
      ->type_name(std::string(shown))
      ->allow_extra_args(false);
}

void Command::number(std::string_view name, std::uint64_t& target, std::string_view help,
                     std::string_view shown) {
  known_.push_back({std::string(name), Takes::value});
  const auto convert = [&target, option = std::string(name)](const std::string& given) {
    const std::optional<std::uint64_t> parsed = parse_number(given);
    if (!parsed) {
      throw CLI::ValidationError(
          fmt::format("invalid value \"{}\" for option -{}: a number from 0", given, option));
    }
    target = *parsed;
  };
  app_->add_option_function<std::string>(dashed(name), convert, std::string(help))
      ->type_name(std::string(shown))
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeLast);
}

void Command::duration(std::string_view name, Duration& target, std::string_view help) {
  known_.push_back({std::string(name), Takes::value});
  const auto convert = [&target](const std::string& given) {
    const Result<Duration> parsed = parse_duration(given);
    if (!parsed) throw CLI::ValidationError(parsed.error().message);
    target = *parsed;
  };
  app_->add_option_function<std::string>(dashed(name), convert, std::string(help))
      ->type_name("DURATION")
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeLast);
}

void Command::wait(std::string_view name, std::optional<Duration>& target, Duration usual,
                   std::string_view help) {
  known_.push_back({std::string(name), Takes::perhaps});
  const auto convert = [&target, usual](const std::string& given) {
    const Result<Duration> parsed = given.empty() ? Result<Duration>(usual) : parse_duration(given);
    if (!parsed) throw CLI::ValidationError(parsed.error().message);
    target = *parsed;
  };
  app_->add_option_function<std::string>(dashed(name), convert, std::string(help))
      ->type_name("[=DURATION]")
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeLast);
}

void Command::format(Format& target) {
  known_.push_back({"format", Takes::value});
  static const std::map<std::string, Format> names = {
      {"table", Format::table}, {"json", Format::json}, {"jsonl", Format::jsonl}};
  const auto convert = [&target](const std::string& given) {
    const auto found = names.find(given);
    if (found == names.end()) throw CLI::ValidationError("-format is table, json or jsonl");
    target = found->second;
  };
  app_->add_option_function<std::string>("--format", convert,
                                         "table, json (one array) or jsonl (one object a line)")
      ->type_name("FORMAT")
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeLast);
}

void Command::timeout() { has_timeout_ = true; }

/// Last, so that help begins with what the command is about.
void Command::declare_common() {
  text("broker", asked_.broker,
       "where the broker listens (MUSTER_BROKER; default tcp://127.0.0.1:7700)", "ENDPOINT");
  if (has_timeout_)
    text("timeout", asked_.timeout, "how long the broker may take (MUSTER_TIMEOUT; default 5s)",
         "DURATION");
  text("config", asked_.config, "read settings from this file only (MUSTER_CONFIG)", "FILE");
  const std::initializer_list<std::string_view> of_every_command = {
      "token",      "token-file",      "ca-file",    "ca-path",  "client-cert",
      "client-key", "tls-server-name", "datacenter", "namespace"};
  without_effect(of_every_command, Takes::value);
  without_effect({"stale"}, Takes::nothing);
  for (const std::string_view name : of_every_command) app_->get_option(dashed(name))->group("");
  app_->get_option(dashed("stale"))->group("");
}

void Command::without_effect(std::initializer_list<std::string_view> names, Takes takes) {
  for (const std::string_view name : names) {
    known_.push_back({std::string(name), takes});
    const auto ignore = [](const std::string&) {};
    app_->add_option_function<std::string>(dashed(name), ignore,
                                           "as in Consul; accepted, without effect")
        ->type_name("")
        ->multi_option_policy(CLI::MultiOptionPolicy::TakeLast);
  }
}

std::optional<Exit> Command::parse(std::span<const std::string> words) {
  declare_common();
  Result<Words> split = split_words(words, known_, text_.place);
  if (!split) return misuse(split.error().message);
  if (split->help) {
    print(help_of(text_, *app_));
    return Exit::ok;
  }
  arguments_ = std::move(split->arguments);
  std::vector<std::string> given;
  for (const Given& option : split->options) {
    given.push_back(dashed(option.name));
    const auto known = std::find_if(known_.begin(), known_.end(),
                                    [&](const Known& k) { return k.name == option.name; });
    // A switch takes its value behind "=", an option as the next word, whatever that looks like.
    if (known->takes == Takes::nothing &&
        app_->get_option(dashed(option.name))->get_expected_max() == 0) {
      given.back() += "=" + option.value;
    } else {
      given.push_back(option.value);
    }
  }
  std::reverse(given.begin(), given.end());  // CLI11 takes them from the back
  try {
    app_->parse(std::move(given));
  } catch (const CLI::ParseError& error) {
    return misuse(error.what());
  }
  Result<Surroundings> found = find_surroundings(asked_);
  if (!found) return misuse(found.error().message);
  surroundings_ = *std::move(found);
  return std::nullopt;
}

bool Command::given(std::string_view name) const { return app_->count(dashed(name)) > 0; }

Exit Command::misuse(std::string_view what) const {
  complain(fmt::format("muster {}: {} (help: muster {} -help)", text_.name, what, text_.name));
  return Exit::usage;
}

Exit Command::misuse_as_consul(std::string_view line) const {
  complain(line);
  complain(fmt::format("help: muster {} -help", text_.name));
  return Exit::usage;
}

}  // namespace muster::cli
