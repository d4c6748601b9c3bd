// muster-sim: runs of a broker and its clients from seeds, under lost and repeated messages,
// reconnects, stalls and crashes between any two steps.
//
//   muster-sim --seeds 5000 --jobs 4        seeds 1 to 5000, over four processes
//   muster-sim --first 17 --seeds 1         one seed again: the same run
#include <chrono>
#include <cstdio>
#include <memory>
#include <string>
#include <sys/wait.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "test/sim/checker.hpp"

namespace muster::sim {
namespace {

struct Options {
  std::uint64_t first = 1;
  std::uint64_t seeds = 1000;
  std::uint64_t jobs = 1;
  std::uint64_t steps = 400;
};

struct Total {
  std::uint64_t messages = 0;
  std::uint64_t records = 0;
  std::uint64_t crashes = 0;
};

class Run {
 public:
  Run(std::uint64_t seed, const Options& options)
      : random_(seed), broker_(random_), steps_(options.steps) {
    for (const char* name : {"ann", "bob", "cat", "dan"})
      clients_.push_back(std::make_unique<Client>(name, broker_, random_));
  }

  std::string go() {
    for (std::uint64_t i = 0; i < steps_; ++i) guarded([&] { step(); });
    for (const auto& client : clients_) client->stop_wishing();
    if (!settle()) return "not all requests were answered";
    return check(broker_, clients_);
  }

  void add_to(Total& total) const {
    total.messages += broker_.messages();
    total.records += broker_.history().size();
    total.crashes += crashes_;
  }

 private:
  Client& any() { return *clients_[pick(random_, clients_.size())]; }

  void guarded(const std::function<void()>& act) {
    try {
      act();
    } catch (const Crash&) {
      crash();
    } catch (const Failure&) {  // deposed: the process ends, and starts again
      crash();
    }
  }

  void crash() {
    ++crashes_;
    broker_.crash_and_restart();
    for (const auto& client : clients_) client->lost_everything();
  }

  void step() {
    std::uint64_t dice = pick(random_, 200);
    if (calm_ && dice >= 196 && !chance(random_, 10))
      dice = 0;  // half of the seeds have long lives
    if (dice < 70) any().wish();
    else if (dice < 110) broker_.turn();
    else if (dice < 160) any().pump();
    else if (dice < 172) deliver_notice();
    else if (dice < 182) broker_.checkpoint_step();
    else if (dice < 192) pass(milliseconds(pick(random_, 1500)));
    else if (dice < 196) any().lose_connection(chance(random_, 50));
    else if (dice < 198) broker_.die_at(static_cast<At>(pick(random_, 5)));
    else if (dice < 199) broker_.core().stalled(milliseconds(pick(random_, 3000)));
    else crash();
    for (const auto& client : clients_) client->tick();
  }

  void pass(Duration time) {
    broker_.advance(time);
    broker_.turn();
  }

  /// PUB may drop for one subscriber and repeat for none; a duplicate does no harm either.
  void deliver_notice() {
    if (broker_.notices().empty()) return;
    const core::Publication publication = broker_.notices().front();
    if (!chance(random_, 10)) broker_.notices().pop_front();
    for (const auto& client : clients_) {
      if (!chance(random_, 25)) client->notice(publication);
    }
  }

  /// No more faults: everything must come to an end, and every watcher must know all.
  bool settle() {
    broker_.die_at(At::never);
    for (int round = 0; round < 4000; ++round) {
      guarded([&] {
        broker_.turn();
        while (!broker_.notices().empty()) {
          for (const auto& client : clients_) client->notice(broker_.notices().front());
          broker_.notices().pop_front();
        }
        for (const auto& client : clients_) client->pump(), client->tick();
        if (round % 8 == 7) broker_.advance(milliseconds(500));
      });
      bool settled = round > 200 && broker_.quiet();
      for (const auto& client : clients_) settled = settled && client->settled();
      if (settled && ++quiet_rounds_ > 120) return true;
      if (!settled) quiet_rounds_ = std::min(quiet_rounds_, 100);
    }
    return false;
  }

  Random random_;
  Broker broker_;
  const bool calm_ = chance(random_, 50);
  const std::uint64_t steps_;
  std::vector<std::unique_ptr<Client>> clients_;
  std::uint64_t crashes_ = 0;
  int quiet_rounds_ = 0;
};

/// The seeds of one process: first, first + jobs, ... 0: none failed.
int run_seeds(const Options& options, std::uint64_t job) {
  Total total;
  const auto start = std::chrono::steady_clock::now();
  for (std::uint64_t seed = options.first + job; seed < options.first + options.seeds;
       seed += options.jobs) {
    Run run(seed, options);
    std::string wrong;
    try {
      wrong = run.go();
    } catch (const std::exception& error) {
      wrong = error.what();
    }
    if (!wrong.empty()) {
      fmt::print("seed {} fails: {}\n  again: muster-sim --first {} --seeds 1 --steps {}\n", seed,
                 wrong, seed, options.steps);
      return 1;
    }
    run.add_to(total);
  }
  const double seconds =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  const std::uint64_t count = (options.seeds - job + options.jobs - 1) / options.jobs;
  fmt::print("{} seeds, {} messages a seed, {} records, {} crashes, {:.0f} seeds a minute\n", count,
             total.messages / std::max<std::uint64_t>(1, count), total.records, total.crashes,
             static_cast<double>(count) * 60 / seconds);
  return 0;
}

int run_jobs(const Options& options) {
  std::vector<pid_t> children;
  for (std::uint64_t job = 0; job < options.jobs; ++job) {
    std::fflush(stdout);
    const pid_t child = ::fork();
    if (child == 0) {
      const int failed = run_seeds(options, job);
      std::fflush(stdout);
      ::_exit(failed);
    }
    children.push_back(child);
  }
  int failed = 0;
  for (const pid_t child : children) {
    int status = 0;
    ::waitpid(child, &status, 0);
    if (status != 0) failed = 1;
  }
  return failed;
}

}  // namespace
}  // namespace muster::sim

int main(int argc, char** argv) {
  muster::sim::Options options;
  CLI::App app("muster-sim: a broker and its clients from seeds");
  app.add_option("--first", options.first, "the first seed");
  app.add_option("--seeds", options.seeds, "how many");
  app.add_option("--jobs", options.jobs, "processes")->check(CLI::Range(1, 256));
  app.add_option("--steps", options.steps, "of the adversary, a seed");
  CLI11_PARSE(app, argc, argv);
  return options.jobs == 1 ? muster::sim::run_seeds(options, 0) : muster::sim::run_jobs(options);
}
