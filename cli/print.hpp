// print: data goes to stdout, everything else to stderr.
//
// Stdout is buffered; `flush` at the end says whether all of it arrived, since a full disk must not
// look like success.
#pragma once

#include <string_view>

#include "common/error.hpp"

namespace muster::cli {

/// To stdout, as it is.
void print(std::string_view bytes);
/// To stdout, with a newline.
void print_line(std::string_view line);
/// One line to stderr, after everything printed so far.
void complain(std::string_view line);

/// Errors: internal (stdout did not take everything).
Result<Done> flush();

}  // namespace muster::cli
