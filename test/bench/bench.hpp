// bench: what all themes share: where to work, how much, and the rows so far.
#pragma once

#include <string>
#include <vector>

#include "test/bench/report.hpp"

namespace muster::bench {

struct Bench {
  std::string folder;  ///< on the disk that is to be measured
  std::size_t rounds = 5;
  std::size_t share = 1;  ///< one of so many samples is taken
  std::vector<Row> rows;

  std::size_t scaled(std::size_t count) const { return count / share; }
  void add(std::string name, Samples samples, std::optional<Bar> bar = std::nullopt) {
    rows.push_back({std::move(name), std::move(samples), std::move(bar)});
  }
};

// The themes. Each starts what it needs and ends it.
void measure_kv(Bench& bench);
void measure_past(Bench& bench);
void measure_locks(Bench& bench);
void measure_watches(Bench& bench);
void measure_floods(Bench& bench);
void measure_exec(Bench& bench);
void measure_processes(Bench& bench);

}  // namespace muster::bench
