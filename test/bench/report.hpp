// report: what was measured, as a table for people and as JSON for programs.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "test/bench/samples.hpp"

namespace muster::bench {

/// What a row has to reach.
struct Bar {
  enum class Wanted { at_most, at_least };
  std::string of;  ///< what `measured` is: "x (echo + append)", "ms", "MB"
  Wanted wanted = Wanted::at_most;
  double limit = 0;
  double measured = 0;

  bool met() const { return wanted == Wanted::at_most ? measured <= limit : measured >= limit; }
};

struct Row {
  std::string name;
  Samples samples;  ///< empty: only the bar has a figure
  std::optional<Bar> bar;
};

std::string as_table(const std::vector<Row>& rows);
std::string as_json(const std::vector<Row>& rows);

}  // namespace muster::bench
