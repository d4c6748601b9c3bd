// error: what can go wrong for a caller, and Result, which carries a value or that.
//
// Trouble has three kinds (STYLE section 5): what the caller can act on is an Error in a Result and
// travels the wire; a promise the process cannot keep is an exception (Failure) caught in main;
// a wrong program fails an ENSURE, on in every build.
#pragma once

#include <array>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

namespace muster {

/// The codes of the wire, in the order of protocol/README.md.
enum class Code {
  hello,
  invalid,
  not_found,
  conflict,
  denied,
  busy,
  too_large,
  gone,
  timeout,
  unavailable,
  fenced,
  deadlock,
  version,
  internal,
};

inline constexpr std::array<std::string_view, 14> code_names = {
    "hello", "invalid", "not_found",   "conflict", "denied",   "busy",    "too_large",
    "gone",  "timeout", "unavailable", "fenced",   "deadlock", "version", "internal"};
static_assert(code_names.size() == static_cast<std::size_t>(Code::internal) + 1);

constexpr std::string_view name_of(Code code) {
  return code_names.at(static_cast<std::size_t>(code));
}

/// None: a word that this version does not know.
constexpr std::optional<Code> code_of(std::string_view name) {
  for (std::size_t i = 0; i < code_names.size(); ++i) {
    if (code_names.at(i) == name) return static_cast<Code>(i);
  }
  return std::nullopt;
}

/// One line in the user's words: what, where, which rule; `hint` says what to do next.
struct Error {
  Code code = Code::internal;
  std::string message;
  std::string hint = {};
};

/// A value or an Error. `if (!found) return found.error();`
template <class T>
class [[nodiscard]] Result {
 public:
  Result(T value) : held_(std::in_place_index<0>, std::move(value)) {}
  Result(Error error) : held_(std::in_place_index<1>, std::move(error)) {}

  explicit operator bool() const { return held_.index() == 0; }
  T& operator*() & { return std::get<0>(held_); }
  const T& operator*() const& { return std::get<0>(held_); }
  T&& operator*() && { return std::get<0>(std::move(held_)); }
  T* operator->() { return &std::get<0>(held_); }
  const T* operator->() const { return &std::get<0>(held_); }
  const Error& error() const { return std::get<1>(held_); }

 private:
  std::variant<T, Error> held_;
};

/// Success without a value.
struct Done {};

/// The process cannot keep its promise: caught in main only; the message is the last line it says.
struct Failure : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// The disk has no room: nothing was written, and it can be tried again when there is some.
struct DiskFull : Failure {
  using Failure::Failure;
};

[[noreturn]] void ensure_failed(const char* condition, const char* file, int line);

}  // namespace muster

/// The program is wrong if this does not hold. On in every build.
#define ENSURE(condition) \
  (static_cast<bool>(condition) ? void(0) : ::muster::ensure_failed(#condition, __FILE__, __LINE__))
