// patterns: regular expressions that come from outside: RE2, bounded, unanchored.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "common/error.hpp"

namespace re2 {
class RE2;
}

namespace muster::core {

class Pattern {
 public:
  /// `what` names it in the error ("node"). Errors: invalid, with RE2's words.
  static Result<Pattern> compile(std::string_view what, const std::string& text);
  Pattern(Pattern&&) noexcept;
  Pattern& operator=(Pattern&&) noexcept;
  ~Pattern();

  /// An empty pattern matches everything.
  bool matches(std::string_view text) const;

 private:
  explicit Pattern(std::unique_ptr<re2::RE2> regex);
  std::unique_ptr<re2::RE2> regex_;
};

}  // namespace muster::core
