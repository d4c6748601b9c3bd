// muster-bench: muster beside what the machine gives, in one run.
//
//   muster-bench                  all themes: a table
//   muster-bench --only kv        one
//   muster-bench --json           the same figures for programs
//
// Absolute figures hold for this machine and minute; the ratios carry over.
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <filesystem>
#include <sys/resource.h>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "common/os/supervised.hpp"
#include "test/bench/bare.hpp"
#include "test/bench/bench.hpp"
#include "test/support/temporary.hpp"

namespace muster::bench {
namespace {

struct Theme {
  const char* name;
  void (*measure)(Bench&);
};
constexpr Theme themes[] = {{"kv", &measure_kv},
                            {"past", &measure_past},
                            {"lock", &measure_locks},
                            {"watch", &measure_watches},
                            {"flood", &measure_floods},
                            {"exec", &measure_exec},
                            {"process", &measure_processes}};

/// A thousand subscribers are two thousand descriptors.
void raise_descriptors() {
  rlimit limit{};
  getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
}

struct Arguments {
  std::vector<std::string> only;
  std::string folder = std::filesystem::temp_directory_path();
  std::string role;
  std::string endpoint;
  bool json = false;
  bool quick = false;
};

int run(const Arguments& arguments) {
  const test::TemporaryFolder folder(arguments.folder);
  Bench bench{.folder = folder.path()};
  if (arguments.quick) bench.rounds = 3;
  if (arguments.quick) bench.share = 10;
  for (const Theme& theme : themes) {
    const auto& only = arguments.only;
    if (!only.empty() && std::find(only.begin(), only.end(), theme.name) == only.end()) continue;
    const std::size_t first = bench.rows.size();
    fmt::print(stderr, "{}...\n", theme.name);
    theme.measure(bench);
    if (arguments.json) continue;
    fmt::print("{}\n", as_table({bench.rows.begin() + static_cast<std::ptrdiff_t>(first),
                                 bench.rows.end()}));
    std::fflush(stdout);
  }
  if (arguments.json) fmt::print("{}", as_json(bench.rows));
  return 0;
}

}  // namespace
}  // namespace muster::bench

int main(int argc, char** argv) {
  using namespace muster::bench;
  CLI::App app("muster-bench: muster beside bare sockets, a bare log and bare spawns, in one run");
  Arguments arguments;
  app.add_option("--only", arguments.only, "these themes: kv past lock watch flood exec process");
  app.add_option("--folder", arguments.folder, "where to work: the disk that is measured")
      ->capture_default_str();
  app.add_flag("--json", arguments.json, "for programs");
  app.add_flag("--quick", arguments.quick, "a tenth of the samples: less to be trusted");
  app.add_option("--serve", arguments.role)->group("");
  app.add_option("--endpoint", arguments.endpoint)->group("");
  CLI11_PARSE(app, argc, argv);
  try {
    setenv("MUSTER_BIN", muster::os::program_folder().c_str(), 1);
    raise_descriptors();
    if (!arguments.role.empty()) serve(arguments.role, arguments.endpoint);
    return run(arguments);
  } catch (const std::exception& error) {
    fmt::print(stderr, "muster-bench: {}\n", error.what());
    return 1;
  }
}
