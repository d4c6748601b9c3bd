// main: the command line tool `muster`.
#include <string>
#include <vector>

#include <fmt/format.h>

#include "cli/nouns.hpp"
#include "cli/print.hpp"

int main(int argc, char** argv) {
  using namespace muster;
  try {
    const std::vector<std::string> words(argv + 1, argv + argc);
    const cli::Exit exit = cli::run_muster(words);
    const Result<Done> flushed = cli::flush();
    if (flushed) return cli::number_of(exit);
    cli::complain(fmt::format("muster: {}", flushed.error().message));
  } catch (const std::exception& failure) {
    cli::complain(fmt::format("muster: {}", failure.what()));
  }
  return cli::number_of(cli::Exit::failed);
}
