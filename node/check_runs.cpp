// check_runs: see check_runs.hpp.
#include "node/check_runs.hpp"

#include <cerrno>
#include <cstring>
#include <unistd.h>

#include <fmt/format.h>
#include <spdlog/spdlog.h>

namespace muster::node {
namespace {

using proto::health::Check;
using proto::health::Definition;

std::vector<std::string> probe_of(const Check& check) {
  const Definition& definition = check.definition;
  std::vector<std::string> argv{os::program_folder() + "/muster-probe", "--timeout",
                                timeout_text(check)};
  if (!definition.tcp.empty()) {
    argv.insert(argv.end(), {"--tcp", definition.tcp});
    return argv;
  }
  argv.insert(argv.end(), {"--http", definition.http});
  if (!definition.method.empty()) argv.insert(argv.end(), {"--method", definition.method});
  for (const auto& [name, values] : definition.header) {
    for (const std::string& value : values)
      argv.insert(argv.end(), {"--header", fmt::format("{}: {}", name, value)});
  }
  if (!definition.body.empty()) argv.insert(argv.end(), {"--body", definition.body});
  if (definition.tls_skip_verify) argv.emplace_back("--skip-verify");
  return argv;
}

/// 0 active, 1 on its way there, 2 anything else, with what systemctl said.
constexpr const char* unit_script =
    "state=$(systemctl is-active -- \"$1\" 2>&1); echo \"$1: $state\"; "
    "case $state in active) exit 0;; activating|reloading) exit 1;; *) exit 2;; esac";

void log(const Checks::Note& note) {
  const auto level =
      note.status == proto::health::passing ? spdlog::level::info : spdlog::level::warn;
  spdlog::log(level, "check={} status={} was={}", note.id, note.status,
              note.was.empty() ? "unknown" : note.was);
}

}  // namespace

std::vector<std::string> program_of(const Check& check) {
  if (!check.definition.args.empty()) return check.definition.args;
  if (!check.definition.unit.empty())
    return {"/bin/sh", "-c", unit_script, "sh", check.definition.unit};
  return probe_of(check);
}

// --- capture ---

Result<std::unique_ptr<Capture>> Capture::start(net::Reactor& reactor,
                                                std::vector<std::string> argv,
                                                std::vector<std::string> environment,
                                                std::function<void(CheckEnd)> done) {
  auto command = os::Supervised::start({.argv = std::move(argv),
                                        .environment = std::move(environment),
                                        .input = os::Stream::null,
                                        .output = os::Stream::pipe,
                                        .errors = os::Stream::pipe,
                                        .grace = seconds(1),
                                        .leftovers = os::Leftovers::kill});
  if (!command) return command.error();
  return std::unique_ptr<Capture>(new Capture(reactor, std::move(*command), std::move(done)));
}

Capture::Capture(net::Reactor& reactor, os::Supervised command, std::function<void(CheckEnd)> done)
    : reactor_(reactor), command_(std::move(command)), done_(std::move(done)) {
  pipes_[0].fd = std::move(command_.output());
  pipes_[1].fd = std::move(command_.errors());
  for (std::size_t stream = 0; stream < pipes_.size(); ++stream) {
    pipes_[stream].source =
        reactor_.watch(pipes_[stream].fd.get(), net::Interest::readable, [this, stream] {
          if (!read(stream)) close(stream);
        });
  }
  control_ =
      reactor_.watch(command_.control(), net::Interest::readable, [this] { read_reports(); });
}

Capture::~Capture() {
  reactor_.forget(control_);
  for (std::size_t stream = 0; stream < pipes_.size(); ++stream) close(stream);
}

void Capture::close(std::size_t stream) {
  if (!pipes_[stream].open) return;
  pipes_[stream].open = false;
  reactor_.forget(pipes_[stream].source);
}

/// False: the stream has ended.
bool Capture::read(std::size_t stream) {
  if (!pipes_[stream].open) return true;
  std::array<char, 16 * limits::KiB> bytes{};
  const ssize_t got = ::read(pipes_[stream].fd.get(), bytes.data(), bytes.size());
  if (got < 0) return errno == EAGAIN || errno == EINTR;
  if (got == 0) return false;
  end_.output_bytes += static_cast<std::uint64_t>(got);
  end_.output.append(bytes.data(), static_cast<std::size_t>(got));
  if (end_.output.size() > limits::check_output_bytes)
    end_.output.erase(0, end_.output.size() - limits::check_output_bytes);
  return true;
}

void Capture::read_reports() {
  while (const auto report = command_.next()) {
    switch (report->kind) {
      case os::Report::Kind::started: break;
      case os::Report::Kind::refused:
        end_.refused = fmt::format("cannot be run: {}", std::strerror(report->number));
        break;
      case os::Report::Kind::exited: end_.code = report->number; break;
      case os::Report::Kind::killed: end_.signal = report->number; break;
      case os::Report::Kind::gone: {
        // Nobody is left to write: what stands in the pipes is all.
        for (std::size_t stream = 0; stream < pipes_.size(); ++stream) {
          for (std::uint64_t before = end_.output_bytes + 1; before != end_.output_bytes;) {
            before = end_.output_bytes;
            if (!read(stream)) break;
          }
          close(stream);
        }
        const auto done = std::move(done_);
        done(std::move(end_));
        return;
      }
    }
  }
}

// --- runs ---

CheckRuns::CheckRuns(net::Reactor& reactor, std::vector<std::string> environment,
                     std::uint64_t seed, Tell tell)
    : reactor_(reactor),
      environment_(std::move(environment)),
      tell_(std::move(tell)),
      checks_(seed) {}

CheckRuns::~CheckRuns() {
  reactor_.cancel(timer_);
  reactor_.cancel(drop_timer_);
}

void CheckRuns::define(const std::vector<Check>& checks) {
  checks_.define(checks, BootClock::now());
  perform();
}

void CheckRuns::registered() {
  checks_.registered(BootClock::now());
  perform();
}

void CheckRuns::stop() {
  stopping_ = true;
  reactor_.cancel(timer_);
  for (const auto& [id, run] : runs_) run->end();
}

void CheckRuns::perform() {
  std::vector<proto::health::Finding> findings;
  for (auto effects = checks_.take(); !effects.empty(); effects = checks_.take()) {
    for (const Checks::Effect& effect : effects) {
      if (const auto* start = std::get_if<Checks::Start>(&effect)) perform(*start);
      else if (const auto* end = std::get_if<Checks::End>(&effect)) perform(*end);
      else if (const auto* note = std::get_if<Checks::Note>(&effect)) log(*note);
      else findings.push_back(std::get<Checks::Tell>(effect).finding);
    }
  }
  if (!findings.empty() && !stopping_) tell_(std::move(findings));
  arm();
}

void CheckRuns::perform(const Checks::Start& effect) {
  if (stopping_) return;
  std::vector<std::string> environment = environment_;
  environment.push_back("MUSTER_CHECK=" + effect.id);
  auto run = Capture::start(reactor_, program_of(effect.check), std::move(environment),
                            [this, id = effect.id](const CheckEnd& end) { ended(id, end); });
  if (run) {
    runs_[effect.id] = std::move(*run);
    return;
  }
  checks_.ended(effect.id, {.refused = run.error().message}, BootClock::now());
}

void CheckRuns::perform(const Checks::End& effect) {
  if (const auto run = runs_.find(effect.id); run != runs_.end()) run->second->end();
}

/// The last one goes when its events are over.
void CheckRuns::ended(const std::string& id, const CheckEnd& end) {
  const auto run = runs_.find(id);
  dropped_.push_back(std::move(run->second));
  runs_.erase(run);
  reactor_.cancel(drop_timer_);
  drop_timer_ = reactor_.after(Duration(0), [this] { dropped_.clear(); });
  if (stopping_) return;
  checks_.ended(id, end, BootClock::now());
  perform();
}

void CheckRuns::arm() {
  reactor_.cancel(timer_);
  const auto due = checks_.next_due();
  if (!due || stopping_) return;
  timer_ = reactor_.at(*due, [this] {
    checks_.tick(BootClock::now());
    perform();
  });
}

}  // namespace muster::node
