// patterns: RE2 behind a small door.
#include "broker/core/patterns.hpp"

#include <fmt/format.h>
#include <re2/re2.h>

#include "common/limits.hpp"

namespace muster::core {

Pattern::Pattern(std::unique_ptr<re2::RE2> regex) : regex_(std::move(regex)) {}
Pattern::Pattern(Pattern&&) noexcept = default;
Pattern& Pattern::operator=(Pattern&&) noexcept = default;
Pattern::~Pattern() = default;

Result<Pattern> Pattern::compile(std::string_view what, const std::string& text) {
  if (text.size() > limits::pattern_bytes_max) {
    return Error{Code::invalid, fmt::format("the {} pattern has {} bytes, at most {} are taken",
                                            what, text.size(), limits::pattern_bytes_max)};
  }
  if (text.empty()) return Pattern(nullptr);
  re2::RE2::Options options;
  options.set_log_errors(false);
  auto regex = std::make_unique<re2::RE2>(text, options);
  if (!regex->ok()) {
    return Error{Code::invalid, fmt::format("Failed to compile {} filter regexp: {}: {}", what,
                                            regex->error(), regex->error_arg())};
  }
  return Pattern(std::move(regex));
}

bool Pattern::matches(std::string_view text) const {
  return !regex_ || re2::RE2::PartialMatch(re2::StringPiece(text.data(), text.size()), *regex_);
}

}  // namespace muster::core
