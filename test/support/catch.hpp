// catch: Catch2 2.13 (Debian 12) or 3 (newer), under one include.
#pragma once

#if __has_include(<catch2/catch_all.hpp>)
#include <catch2/catch_all.hpp>  // IWYU pragma: export
#else
#include <catch2/catch.hpp>  // IWYU pragma: export
#endif

#include "common/error.hpp"

/// What a Result is, where a test says that it is something else.
template <class T>
struct Catch::StringMaker<muster::Result<T>> {
  static std::string convert(const muster::Result<T>& result) {
    if (result) return "a value";
    return std::string(muster::name_of(result.error().code)) + ": " + result.error().message;
  }
};
