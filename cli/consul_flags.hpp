// consul_flags: one pass over the words of a command line, before CLI11 sees them.
//
// People arrive with Consul's habits, and Consul's options are Go's: `-type=key`, `--type=key`,
// `-type key`, `-shell=false`. CLI11 cannot declare `-type` and reads `-n=2` as "=2"; it also takes
// apart positional arguments that look like lists. So this pass tells options from arguments; CLI11
// converts and checks the options' values and never sees an argument.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "common/error.hpp"

namespace muster::cli {

/// `perhaps`: behind an equals sign only.
enum class Takes { nothing, value, perhaps };

/// An option that the command has, without its dashes.
struct Known {
  std::string name;
  Takes takes = Takes::value;
};

/// Where options may stand.
enum class Place {
  anywhere,          ///< `-5` is a value, `--` ends them
  before_arguments,  ///< the first word that is no option ends them (exec, lock, watch)
};

/// An option as it was given. A switch has "true" or "false".
struct Given {
  std::string name;
  std::string value;
};

struct Words {
  std::vector<Given> options;          ///< in the order given
  std::vector<std::string> arguments;  ///< untouched
  bool help = false;                   ///< -h, -help or --help was among them
};

/// Errors: invalid (an unknown option, a value missing, a switch that is neither true nor false).
Result<Words> split_words(std::span<const std::string> words, std::span<const Known> known,
                          Place place);

/// As Go's strconv.ParseBool: 1 t T TRUE true True 0 f F FALSE false False.
std::optional<bool> parse_switch(std::string_view text);

}  // namespace muster::cli
