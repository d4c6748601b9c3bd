// kv_text: see kv_text.hpp.
#include "cli/kv_text.hpp"

#include <fmt/format.h>

#include "cli/payload.hpp"

namespace muster::cli {
namespace {

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

Listing kv_listing(std::span<const proto::kv::Entry> entries) {
  Listing listing{
      .header = {"Key", "Bytes", "Revision", "Changed", "Author"}, .rows = {}, .objects = {}};
  for (const proto::kv::Entry& entry : entries) {
    listing.rows.push_back({entry.key, fmt::format("{}", entry.bytes),
                            fmt::format("{}", entry.mod_rev.value), format_time(entry.time_ms),
                            entry.author.empty() ? "-" : entry.author});
    listing.objects.push_back({{"key", entry.key},
                               {"bytes", entry.bytes},
                               {"flags", entry.flags},
                               {"create_rev", entry.create_rev.value},
                               {"mod_rev", entry.mod_rev.value},
                               {"version", entry.version},
                               {"author", entry.author},
                               {"time_ms", entry.time_ms}});
  }
  return listing;
}

}  // namespace muster::cli
