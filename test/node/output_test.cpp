// output: credit: nothing is lost, nothing grows, nobody starves.
#include "node/output.hpp"

#include "test/node/play.hpp"
#include "test/support/catch.hpp"

namespace muster::node {
namespace {

std::string of_size(std::size_t bytes) { return std::string(bytes, 'x'); }

/// A task whose caller allows plenty, and that has just written as much as may be kept.
void fill(Play& play, const std::string& job) {
  play.run(job, 100 * limits::MiB);
  for (std::size_t kept = 0; kept < limits::output_kept_bytes; kept += limits::output_chunk_bytes)
    play.output(job, of_size(limits::output_chunk_bytes));
}

}  // namespace

TEST_CASE("output: no more is read than the caller allows", "[node]") {
  Play play;
  play.run("j", 10);
  CHECK(play.transcript().ends_with("allow j/1 10\nallow j/2 10\n"));
  play.output("j", "0123456789");
  CHECK(play.transcript() == "> j/1 @0 '0123456789'\nallow j/1 0\n");
  play.credit("j", 10, 25);
  CHECK(play.transcript() == "allow j/1 15\n");
  play.credit("j", 3, 12);  // late: lower numbers mean nothing
  CHECK(play.transcript().empty());
}

TEST_CASE("output: hundreds of small lines flow without an acknowledgement of each", "[node]") {
  // A bound in pieces instead of bytes stopped a command after 32 lines.
  Play play;
  play.run("j", limits::MiB);
  for (int i = 0; i < 500; ++i) {
    play.output("j", "line\n");
    play.taken("j");
  }
  const std::string last = play.transcript();
  CHECK(last.find("> j/1 @2495 'line\n'") != std::string::npos);
}

TEST_CASE("output: bytes are kept until the caller has them, and told again from there", "[node]") {
  Play play;
  play.run("j");
  play.output("j", "one ");
  play.output("j", "two ");
  play.transcript();
  play.credit("j", 4, 1000);
  play.ask_again("j", 4);
  CHECK(play.transcript() == "> j/1 @4 'two '\n");
  play.ask_again("j", 6);
  CHECK(play.transcript() == "> j/1 @6 'o '\n");
  play.streams_end("j");
  play.transcript();
  play.ask_again("j", 8);
  CHECK(play.transcript() == "> j/1 @8 '' eof\n");
}

TEST_CASE("output: what the broker did not take is told again, in order", "[node]") {
  Play play;
  play.run("j");
  play.output("j", "one ");
  play.output("j", "two ");
  play.transcript();
  play.missed("j", 0);
  play.missed("j", 4);
  CHECK(play.transcript().empty());
  play.pass(limits::report_again);
  CHECK(play.transcript() == "> j/1 @0 'one two '\n");
}

TEST_CASE("output: while no broker knows us nothing is said; then all of it", "[node]") {
  Play play;
  play.run("j");
  play.transcript();
  play.disconnect();
  play.output("j", "one ");
  play.output("j", "two");
  play.streams_end("j");
  play.exited("j");
  CHECK(play.transcript() == "allow j/1 996\nallow j/1 993\n");
  play.reconnect();
  CHECK(play.transcript() ==
        "> j/1 @0 'one two' eof\n"
        "> j/2 @0 '' eof\n");
}

TEST_CASE("output: few pieces are on their way; what a busy command adds travels together",
          "[node]") {
  Play play;
  play.run("j", limits::MiB);
  play.transcript();
  for (unsigned i = 0; i < limits::output_pieces_max + 100; ++i) play.output("j", "x");
  std::string said = play.transcript();
  CHECK(static_cast<unsigned>(std::count(said.begin(), said.end(), '>')) ==
        limits::output_pieces_max);
  play.taken("j");
  CHECK(play.transcript() == fmt::format("> j/1 @{} '(100)'\n", limits::output_pieces_max));
}

TEST_CASE("output: a stream keeps at most its share, then the command has to wait", "[node]") {
  Play play;
  fill(play, "j");
  CHECK(play.transcript().ends_with("allow j/1 0\n"));
  play.credit("j", limits::output_chunk_bytes, 100 * limits::MiB);
  CHECK(play.transcript().find(fmt::format("allow j/1 {}\n", limits::output_chunk_bytes)) !=
        std::string::npos);
}

TEST_CASE("output: past the node's bound each stream still has a little room", "[node]") {
  Play play;
  const std::size_t full = limits::output_node_bytes / limits::output_kept_bytes;
  for (std::size_t i = 0; i < full; ++i) fill(play, fmt::format("stuck{}", i));
  play.transcript();
  play.run("other", limits::MiB);
  CHECK(play.transcript().ends_with(
      fmt::format("allow other/1 {0}\nallow other/2 {0}\n", limits::output_floor_bytes)));
  play.credit("stuck0", limits::output_kept_bytes, 100 * limits::MiB);
  CHECK(play.transcript().find(fmt::format("allow other/1 {}\n", limits::output_chunk_bytes)) !=
        std::string::npos);
}

TEST_CASE("output: with the way full, tasks take turns", "[node]") {
  Play play;
  std::vector<std::string> jobs;
  for (unsigned i = 0; i < limits::output_pieces_node_max / limits::output_pieces_max; ++i) {
    jobs.push_back(fmt::format("busy{}", i));
    play.run(jobs.back(), limits::MiB);
    for (unsigned n = 0; n <= limits::output_pieces_max; ++n) play.output(jobs.back(), "x");
  }
  play.run("late", limits::MiB);
  play.transcript();
  play.output("late", "me too");
  CHECK(play.transcript().find('>') == std::string::npos);
  play.taken(jobs.front());
  CHECK(play.transcript() == "> late/1 @0 'me too'\n");
}

TEST_CASE("output: of a task that is over nothing is kept, and late answers do no harm", "[node]") {
  Play play;
  fill(play, "j");
  play.stop("j");
  play.exited("j");
  play.reported("j");
  play.transcript();
  for (std::size_t kept = 0; kept < 8; ++kept) play.taken("j");
  play.credit("j", 1, 1);
  play.output("j", "late");
  CHECK(play.transcript().empty());
  play.run("k", limits::MiB);
  play.transcript();
  for (unsigned i = 0; i < limits::output_pieces_max; ++i) play.output("k", "x");
  const std::string said = play.transcript();
  CHECK(static_cast<unsigned>(std::count(said.begin(), said.end(), '>')) ==
        limits::output_pieces_max);
}

}  // namespace muster::node
