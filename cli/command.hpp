// command: one command's options, arguments and help; what a noun declares and then asks.
//
// The only place that knows CLI11. Options are declared without dashes and given with one or two.
#pragma once

#include <initializer_list>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "cli/consul_flags.hpp"
#include "cli/exit_code.hpp"
#include "cli/surroundings.hpp"

namespace CLI {
class App;
}

namespace muster::cli {

enum class Format { table, json, jsonl };

class Command {
 public:
  struct Text {
    std::string_view name;       ///< "kv get"
    std::string_view arguments;  ///< "[options] KEY"
    std::string_view about;      ///< what it does: whole sentences
    std::string_view examples;   ///< one a line
    Place place = Place::anywhere;
  };

  /// Every command has --broker and --config.
  explicit Command(const Text& text);
  ~Command();
  Command(const Command&) = delete;
  Command& operator=(const Command&) = delete;

  /// Targets must outlive `parse`. A name of one letter is given with one dash.
  void flag(std::string_view name, bool& target, std::string_view help);
  void text(std::string_view name, std::string& target, std::string_view help,
            std::string_view shown = "TEXT");
  void texts(std::string_view name, std::vector<std::string>& target, std::string_view help,
             std::string_view shown = "TEXT");
  void number(std::string_view name, std::uint64_t& target, std::string_view help,
              std::string_view shown = "N");
  void duration(std::string_view name, Duration& target, std::string_view help);
  /// `-wait`, or `-wait=5s`; without a value it is `usual`.
  void wait(std::string_view name, std::optional<Duration>& target, Duration usual,
            std::string_view help);
  void format(Format& target);
  /// --timeout: how long the broker may take to answer.
  void timeout();
  /// Consul's options that muster does not need: taken, and help says so.
  void without_effect(std::initializer_list<std::string_view> names, Takes takes);

  /// Nothing: go on. Otherwise all is said (help, or what is wrong) and this is the exit.
  std::optional<Exit> parse(std::span<const std::string> words);

  bool given(std::string_view name) const;
  const std::vector<std::string>& arguments() const { return arguments_; }
  const Surroundings& surroundings() const { return surroundings_; }

  /// Says what is wrong with the options and how to see help.
  Exit misuse(std::string_view what) const;
  /// The same in a line of Consul's, which scripts may look for: it stands alone.
  Exit misuse_as_consul(std::string_view line) const;

 private:
  void declare_common();

  const Text text_;
  std::unique_ptr<CLI::App> app_;
  std::vector<Known> known_;
  std::vector<std::string> arguments_;
  Asked asked_;
  bool has_timeout_ = false;
  Surroundings surroundings_;
};

/// The words after the noun and verb.
using Arguments = std::span<const std::string>;

}  // namespace muster::cli
