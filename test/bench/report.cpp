// report: a table, and JSON.
#include "test/bench/report.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace muster::bench {
namespace {

/// Three digits that matter.
std::string figure(double value) {
  if (value >= 1000) return fmt::format("{:.0f}", value);
  return fmt::format("{:.3g}", value);
}

std::string duration(double us) {
  if (us <= 0) return "";
  return us < 1000 ? figure(us) + " us" : figure(us / 1000) + " ms";
}

std::string words(const Bar& bar) {
  return fmt::format("{:>6} {} {:>4} {:<20}{}", figure(bar.measured),
                     bar.wanted == Bar::Wanted::at_most ? "<=" : ">=", figure(bar.limit), bar.of,
                     bar.met() ? "" : " MISSED");
}

}  // namespace

std::string as_table(const std::vector<Row>& rows) {
  std::string table = fmt::format("{:<44}{:>8}{:>10}{:>10}{:>9}   {}\n", "", "n", "p50", "p99",
                                  "per s", "measured, bar");
  for (const Row& row : rows) {
    const double rate = row.samples.per_second();
    table += fmt::format("{:<44}{:>8}{:>10}{:>10}{:>9}   {}\n", row.name,
                         row.samples.size() == 0 ? "" : std::to_string(row.samples.size()),
                         duration(row.samples.p50()), duration(row.samples.quantile(0.99)),
                         rate > 0 ? figure(rate) : "", row.bar ? words(*row.bar) : "");
  }
  return table;
}

std::string as_json(const std::vector<Row>& rows) {
  auto all = nlohmann::json::array();
  for (const Row& row : rows) {
    nlohmann::json one{{"name", row.name}};
    if (row.samples.size() > 0) {
      one["n"] = row.samples.size();
      one["p50_us"] = row.samples.p50();
      one["p99_us"] = row.samples.quantile(0.99);
      one["per_second"] = row.samples.per_second();
    }
    if (row.bar) {
      one["bar"] = {{"of", row.bar->of},
                    {"measured", row.bar->measured},
                    {"limit", row.bar->limit},
                    {"wanted", row.bar->wanted == Bar::Wanted::at_most ? "at_most" : "at_least"},
                    {"met", row.bar->met()}};
    }
    all.push_back(std::move(one));
  }
  return all.dump(2) + "\n";
}

}  // namespace muster::bench
