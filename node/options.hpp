// options: how a node daemon is told what it is: command line, then MUSTER_*, then a TOML file.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

namespace muster::node {

struct Options {
  std::string name;
  std::string data;
  std::string broker = "tcp://127.0.0.1:7700";
  std::string definitions;
  std::string address;
  std::vector<std::string> tags;
  std::map<std::string, std::string> meta;
};

inline constexpr int exit_usage = 64;

/// An exit code: help or the version was printed (0), or what is wrong, in one line (64).
std::optional<int> read_options(int argc, char** argv, Options& options);

}  // namespace muster::node
