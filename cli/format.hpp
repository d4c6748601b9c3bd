// format: rows for people (a table) and for programs (json, jsonl).
#pragma once

#include <string>
#include <vector>

#include "cli/command.hpp"
#include "common/consul/json.hpp"

namespace muster::cli {

/// Columns are as wide as their widest cell, two blanks apart; the last one is not padded.
std::string format_table(const std::vector<std::string>& header,
                         const std::vector<std::vector<std::string>>& rows);

/// What a list command found, in both shapes; row by row the same.
struct Listing {
  std::vector<std::string> header;
  std::vector<std::vector<std::string>> rows;
  std::vector<Json> objects;
};

/// The whole output with its last newline.
std::string format_listing(const Listing& listing, Format format);

/// The same of what a show command found: as JSON the thing itself, not a list of one.
std::string format_one(const Listing& listing, Format format);

/// Wall clock, local time: "2026-11-23 08:51:07"; "-" for 0.
std::string format_time(std::uint64_t ms);

}  // namespace muster::cli
