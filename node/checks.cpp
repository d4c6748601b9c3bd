// checks: see checks.hpp.
#include "node/checks.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "common/limits.hpp"
#include "common/protocol/codec.hpp"

namespace muster::node {
namespace {

using proto::health::Check;

Duration of_ms(std::uint64_t ms) { return milliseconds(static_cast<std::int64_t>(ms)); }

Duration interval_of(const Check& check) { return of_ms(check.definition.interval_ms); }

bool same(const Check& a, const Check& b) {
  return codec::encode(a.definition) == codec::encode(b.definition);
}

std::string_view status_of(int code) {
  if (code == 0) return proto::health::passing;
  return code == 1 ? proto::health::warning : proto::health::critical;
}

/// What it wrote, and in front of it what it could not say itself.
std::string output_of(const CheckEnd& end) {
  if (!end.refused.empty()) return end.refused;
  std::string output;
  if (end.output_bytes > end.output.size())
    output = fmt::format("Captured {} of {} bytes\n...\n", end.output.size(), end.output_bytes);
  output += end.output;
  if (end.signal != 0) output = fmt::format("killed by signal {}\n{}", end.signal, output);
  return output;
}

}  // namespace

Duration timeout_of(const Check& check) {
  if (check.definition.timeout_ms != 0) return of_ms(check.definition.timeout_ms);
  return check.definition.args.empty() ? limits::check_probe_timeout : limits::check_script_timeout;
}

std::string timeout_text(const Check& check) {
  const auto ms = std::chrono::duration_cast<milliseconds>(timeout_of(check)).count();
  return ms % 1000 == 0 ? fmt::format("{}s", ms / 1000) : fmt::format("{}ms", ms);
}

void Checks::define(const std::vector<Check>& checks, TimePoint now) {
  for (auto& [id, entry] : checks_) entry.gone = true;
  for (const Check& check : checks) {
    if (check.definition.ttl_ms != 0) continue;  // it is told, not run
    const auto [place, fresh] = checks_.try_emplace(check.id);
    Entry& entry = place->second;
    entry.gone = false;
    const bool as_before = !fresh && same(entry.check, check);
    entry.check = check;
    if (as_before) continue;
    entry.successes = entry.failures = 0;
    entry.status.clear();
    if (entry.state == State::waits) schedule(entry, now);
    else entry.again = true, give_up(check.id, entry);
  }
  for (auto check = checks_.begin(); check != checks_.end();) {
    Entry& entry = check->second;
    if (entry.gone && entry.state != State::waits) give_up(check->first, entry);
    check = entry.gone && entry.state == State::waits ? checks_.erase(check) : std::next(check);
  }
}

/// The first run, somewhere in the interval but soon.
void Checks::schedule(Entry& entry, TimePoint now) {
  const Duration most = std::min<Duration>(interval_of(entry.check), limits::check_spread);
  const auto part = std::uniform_int_distribution<Duration::rep>(0, most.count())(random_);
  entry.due = now + Duration(part);
}

void Checks::tick(TimePoint now) {
  std::multimap<TimePoint, const std::string*> waiting;  // who waited longest is first
  for (auto& [id, entry] : checks_) {
    if (entry.due > now || entry.state == State::ending) continue;
    if (entry.state == State::runs) give_up(id, entry);
    else waiting.emplace(entry.due, &id);
  }
  for (const auto& [due, id] : waiting) {
    if (running_ >= limits::checks_running_max) break;
    start(*id, checks_.at(*id), now);
  }
}

void Checks::start(const std::string& id, Entry& entry, TimePoint now) {
  entry.state = State::runs;
  entry.started = now;
  entry.due = now + timeout_of(entry.check);
  ++running_;
  effects_.emplace_back(Start{id, entry.check});
}

void Checks::give_up(const std::string& id, Entry& entry) {
  if (entry.state != State::runs) return;
  entry.state = State::ending;
  effects_.emplace_back(End{id});
}

void Checks::ended(const std::string& id, const CheckEnd& end, TimePoint now) {
  const auto found = checks_.find(id);
  if (found == checks_.end() || found->second.state == State::waits) return;
  Entry& entry = found->second;
  const bool timed_out = entry.state == State::ending;
  --running_;
  entry.state = State::waits;
  if (entry.gone) {
    checks_.erase(found);
    return;
  }
  entry.due = std::max(now, entry.started + interval_of(entry.check));
  if (std::exchange(entry.again, false)) {
    entry.due = now;
    return;
  }
  std::string status(proto::health::critical);
  if (!timed_out && end.refused.empty() && end.signal == 0) status = status_of(end.code);
  std::string output = output_of(end);
  if (timed_out)
    output = fmt::format("timed out after {}\n{}", timeout_text(entry.check), end.output);
  entry.output = std::move(output);
  const bool changed = judge(id, entry, status);
  if (changed || (!entry.status.empty() && entry.output != entry.told &&
                  now - entry.told_at >= limits::check_output_interval))
    tell(id, entry, now);
}

/// True: the status is another one now.
bool Checks::judge(const std::string& id, Entry& entry, const std::string& found) {
  const proto::health::Definition& rules = entry.check.definition;
  std::string next = entry.status;
  if (found == proto::health::critical) {
    entry.successes = 0;
    ++entry.failures;
    if (entry.failures >= rules.failures_before_critical) next = found;
    else if (rules.failures_before_warning != 0 && entry.failures >= rules.failures_before_warning)
      next = proto::health::warning;
  } else {
    entry.failures = 0;
    ++entry.successes;
    if (entry.successes >= rules.success_before_passing) next = found;
  }
  if (entry.status == next) return false;
  effects_.emplace_back(Note{.id = id, .status = next, .was = entry.status});
  entry.status = std::move(next);
  return true;
}

void Checks::tell(const std::string& id, Entry& entry, TimePoint now) {
  if (!registered_) return;  // it comes with the registration
  entry.told = entry.output;
  entry.told_at = now;
  effects_.emplace_back(Tell{{.id = id, .status = entry.status, .output = Bytes(entry.output)}});
}

void Checks::registered(TimePoint now) {
  registered_ = true;
  for (auto& [id, entry] : checks_) {
    if (!entry.gone && !entry.status.empty()) tell(id, entry, now);
  }
}

std::optional<TimePoint> Checks::next_due() const {
  std::optional<TimePoint> due;
  for (const auto& [id, entry] : checks_) {
    if (entry.state == State::ending) continue;
    if (entry.state == State::waits && running_ >= limits::checks_running_max) continue;
    if (!due || entry.due < *due) due = entry.due;
  }
  return due;
}

}  // namespace muster::node
