// fact: "accepted JOB", "stopped JOB", "done JOB",
// "ended JOB STATE CODE SIGNAL DURATION_MS OUT_BYTES ERR_BYTES MESSAGE".
#include "node/fact.hpp"

#include <algorithm>
#include <array>
#include <charconv>

#include <fmt/format.h>

#include "common/limits.hpp"

namespace muster::node {
namespace {

constexpr std::array<std::string_view, 4> words = {"accepted", "stopped", "ended", "done"};
static_assert(words.size() == static_cast<std::size_t>(Fact::What::done) + 1);

bool is_word(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return static_cast<unsigned char>(c) > ' ' && c != '\x7f';
  });
}

std::string_view next_word(std::string_view& line) {
  const std::size_t end = std::min(line.find(' '), line.size());
  const std::string_view word = line.substr(0, end);
  line.remove_prefix(std::min(end + 1, line.size()));
  return word;
}

template <class Number>
bool take_number(std::string_view& line, Number& number) {
  const std::string_view word = next_word(line);
  const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), number);
  return error == std::errc() && end == word.data() + word.size();
}

bool take_outcome(std::string_view line, proto::exec::Outcome& outcome) {
  const std::string_view state = next_word(line);
  if (!is_word(state)) return false;
  outcome.state = state;
  const bool whole = take_number(line, outcome.code) && take_number(line, outcome.signal) &&
                     take_number(line, outcome.duration_ms) &&
                     take_number(line, outcome.out_bytes) && take_number(line, outcome.err_bytes);
  outcome.message = line;
  return whole;
}

std::string one_line(std::string text) {
  std::replace(text.begin(), text.end(), '\n', ' ');
  return text;
}

}  // namespace

bool is_job_id(std::string_view id) { return id.size() <= limits::job_id_bytes_max && is_word(id); }

std::string line_of(const Fact& fact) {
  const std::string_view word = words.at(static_cast<std::size_t>(fact.what));
  if (fact.what != Fact::What::ended) return fmt::format("{} {}\n", word, fact.job);
  const proto::exec::Outcome& o = fact.outcome;
  return fmt::format("{} {} {} {} {} {} {} {} {}\n", word, fact.job, o.state, o.code, o.signal,
                     o.duration_ms, o.out_bytes, o.err_bytes, one_line(o.message));
}

std::optional<Fact> fact_of(std::string_view line) {
  const auto* word = std::find(words.begin(), words.end(), next_word(line));
  if (word == words.end()) return std::nullopt;
  Fact fact{.what = static_cast<Fact::What>(word - words.begin())};
  fact.job = next_word(line);
  if (!is_job_id(fact.job)) return std::nullopt;
  if (fact.what != Fact::What::ended) return line.empty() ? std::optional(fact) : std::nullopt;
  return take_outcome(line, fact.outcome) ? std::optional(fact) : std::nullopt;
}

}  // namespace muster::node
