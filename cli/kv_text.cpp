// kv_text: see kv_text.hpp.
#include "cli/kv_text.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "cli/duration.hpp"
#include "cli/payload.hpp"

namespace muster::cli {
namespace {

constexpr std::size_t line_value_bytes = 60;

/// A value for a line of text.
std::string brief(const proto::kv::Entry& entry) {
  const std::string& text = entry.value.data;
  const bool plain = text.size() <= line_value_bytes && codec::is_utf8(text) &&
                     std::none_of(text.begin(), text.end(),
                                  [](char c) { return (c >= 0 && c < ' ') || c == '\x7f'; });
  return plain ? fmt::format("\"{}\"", text) : fmt::format("({} bytes)", text.size());
}

std::string remaining(const proto::kv::Entry& entry, WallTime now) {
  if (entry.expires_ms == 0) return "-";
  const std::uint64_t left = entry.expires_ms > now.ms ? entry.expires_ms - now.ms : 0;
  return format_age(milliseconds(static_cast<std::int64_t>(left)));
}

std::string age(const proto::kv::Entry& entry, WallTime now) {
  const std::uint64_t ago = now.ms > entry.time_ms ? now.ms - entry.time_ms : 0;
  return format_age(milliseconds(static_cast<std::int64_t>(ago)));
}

std::string shown(const proto::kv::Entry& entry, Encoding encoding) {
  return encoding == Encoding::base64 ? to_base64(entry.value.view()) : entry.value.data;
}

}  // namespace

std::string value_text(const proto::kv::Entry& entry, Encoding encoding) {
  return shown(entry, encoding) + "\n";
}

std::string detailed_text(const proto::kv::Entry& entry, Encoding encoding) {
  constexpr std::string_view row = "{:<17}{}\n";
  std::string out;
  out += fmt::format(row, "CreateIndex", entry.create_rev.value);
  out += fmt::format(row, "Flags", entry.flags);
  out += fmt::format(row, "Key", entry.key);
  out += fmt::format(row, "LockIndex", entry.lock_index);
  out += fmt::format(row, "ModifyIndex", entry.mod_rev.value);
  out += fmt::format(row, "Session", entry.session.empty() ? "-" : entry.session);
  out += fmt::format(row, "Value", shown(entry, encoding));
  return out;
}

std::string pair_text(const proto::kv::Entry& entry, Encoding encoding) {
  return fmt::format("{}:{}\n", entry.key, shown(entry, encoding));
}

std::vector<std::string> cut_keys(std::span<const proto::kv::Entry> entries,
                                  std::string_view prefix, std::string_view separator) {
  std::vector<std::string> out;
  for (const proto::kv::Entry& entry : entries) {
    std::string name = entry.key;
    const std::size_t found =
        separator.empty() ? std::string::npos : name.find(separator, prefix.size());
    if (found != std::string::npos) name.resize(found + separator.size());
    if (out.empty() || out.back() != name) out.push_back(std::move(name));
  }
  return out;
}

Listing kv_listing(std::span<const proto::kv::Entry> entries, WallTime now) {
  Listing listing{.header = {"Key", "Bytes", "Revision", "Age", "Expires", "Author"},
                  .rows = {},
                  .objects = {}};
  for (const proto::kv::Entry& entry : entries) {
    listing.rows.push_back({entry.key, fmt::format("{}", entry.bytes),
                            fmt::format("{}", entry.mod_rev.value), age(entry, now),
                            remaining(entry, now), entry.author.empty() ? "-" : entry.author});
    listing.objects.push_back({{"key", entry.key},
                               {"bytes", entry.bytes},
                               {"flags", entry.flags},
                               {"create_rev", entry.create_rev.value},
                               {"mod_rev", entry.mod_rev.value},
                               {"version", entry.version},
                               {"author", entry.author},
                               {"cause", entry.cause},
                               {"time_ms", entry.time_ms},
                               {"ttl_ms", entry.ttl_ms},
                               {"expires_ms", entry.expires_ms},
                               {"lock_index", entry.lock_index},
                               {"session", entry.session},
                               {"ends_with", entry.ends_with}});
  }
  return listing;
}

std::string difference_text(const proto::kv::Difference& difference) {
  const auto& [key, before, after] = difference;
  if (!before) return fmt::format("+ {}  {}\n", key, brief(*after));
  if (!after) return fmt::format("- {}  {}\n", key, brief(*before));
  if (before->value == after->value)
    return fmt::format("~ {}  flags {} -> {}\n", key, before->flags, after->flags);
  return fmt::format("~ {}  {} -> {}\n", key, brief(*before), brief(*after));
}

}  // namespace muster::cli
