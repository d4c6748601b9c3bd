// format: see format.hpp.
#include "cli/format.hpp"

#include <algorithm>
#include <ctime>

#include <fmt/chrono.h>
#include <fmt/format.h>

namespace muster::cli {
namespace {

/// Characters, not bytes, so that columns line up.
std::size_t width_of(std::string_view text) {
  return static_cast<std::size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return (c & 0xC0) != 0x80; }));
}

/// A key may hold a newline, an output what moves the cursor: a row stays a row.
std::string on_one_line(std::string text) {
  std::replace_if(
      text.begin(), text.end(), [](char c) { return (c >= 0 && c < ' ') || c == 127; }, '?');
  return text;
}

std::string line_of(const std::vector<std::string>& cells, const std::vector<std::size_t>& widths) {
  std::string line;
  for (std::size_t i = 0; i < cells.size(); ++i) {
    line += on_one_line(cells[i]);
    if (i + 1 < cells.size()) line.append(widths[i] - width_of(cells[i]) + 2, ' ');
  }
  return line + "\n";
}

}  // namespace

std::string format_table(const std::vector<std::string>& header,
                         const std::vector<std::vector<std::string>>& rows) {
  std::vector<std::size_t> widths;
  for (const std::string& title : header) widths.push_back(width_of(title));
  for (const std::vector<std::string>& row : rows) {
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], width_of(row[i]));
  }
  std::string out = line_of(header, widths);
  for (const std::vector<std::string>& row : rows) out += line_of(row, widths);
  return out;
}

std::string format_listing(const Listing& listing, Format format) {
  if (format == Format::table) return format_table(listing.header, listing.rows);
  if (format == Format::json) return indented(Json(listing.objects)) + "\n";
  std::string out;
  for (const Json& object : listing.objects) out += compact(object) + "\n";
  return out;
}

std::string format_one(const Listing& listing, Format format) {
  if (format != Format::json || listing.objects.empty()) return format_listing(listing, format);
  return indented(listing.objects[0]) + "\n";
}

std::string format_time(std::uint64_t ms) {
  if (ms == 0) return "-";
  return fmt::format("{:%Y-%m-%d %H:%M:%S}", fmt::localtime(static_cast<std::time_t>(ms / 1000)));
}

}  // namespace muster::cli
