// exec: credit, labels and the sum, as pure parts.
#include <fmt/format.h>

#include "cli/exec_flow.hpp"
#include "cli/exec_lines.hpp"
#include "test/support/catch.hpp"

using namespace muster;
using namespace muster::cli;

namespace {

const Source a_out{.node = "a", .stream = 1};
const Source b_out{.node = "b", .stream = 1};

std::string labelled(std::initializer_list<std::string_view> chunks) {
  ExecLines lines;
  std::string out;
  for (const std::string_view chunk : chunks) lines.add(a_out, chunk, out);
  lines.finish(a_out, out);
  return out;
}

proto::exec::Outcome outcome(std::string state, std::int64_t code = 0, std::string message = {}) {
  return {.node = "a", .state = std::move(state), .code = code, .message = std::move(message)};
}

}  // namespace

TEST_CASE(
    "exec: a line that came in pieces is one line, and nothing is labelled that is not there") {
  CHECK(labelled({"hel", "lo\n"}) == "    a: hello\n");
  CHECK(labelled({"one\ntwo\n"}) == "    a: one\n    a: two\n");
  CHECK(labelled({"one\n\n", "two"}) == "    a: one\n    a:\n    a: two\n");
  CHECK(labelled({}).empty());
}

TEST_CASE("exec: a line over 64 KiB comes in labelled parts, whole") {
  const std::string line(ExecLines::part_bytes_max + 3, 'x');
  const std::string out = labelled({line, "\nend\n"});
  CHECK(out == fmt::format("    a: {}\n    a: xxx\n    a: end\n", line.substr(3)));
}

TEST_CASE("exec: a line of exactly 64 KiB is not cut") {
  const std::string line(ExecLines::part_bytes_max, 'x');
  CHECK(labelled({line, "\n"}) == fmt::format("    a: {}\n", line));
}

TEST_CASE("exec: streams do not mix within a line") {
  ExecLines lines;
  std::string out;
  lines.add(a_out, "from ", out);
  lines.add({.node = "a", .stream = 2}, "error\n", out);
  lines.add(b_out, "other\n", out);
  lines.add(a_out, "a\n", out);
  CHECK(out == "    a: error\n    b: other\n    a: from a\n");
}

TEST_CASE("exec: how a node ended, in Consul's words where it has some") {
  CHECK(ending_line(outcome("exited", 3)) == "==> a: finished with exit code 3");
  proto::exec::Outcome killed = outcome("exited");
  killed.signal = 9;
  CHECK(ending_line(killed) == "==> a: ended by signal 9 (KILL)");
  CHECK(ending_line(outcome("refused", 0, "not allowed here")) ==
        "==> a: refused the command: not allowed here");
}

TEST_CASE("exec: the sum and the exit code") {
  const std::vector<proto::exec::Outcome> outcomes = {outcome("exited"), outcome("exited", 1),
                                                      outcome("lost"), outcome("refused")};
  CHECK(summary_line(outcomes) == "2 / 3 node(s) completed / acknowledged");
  CHECK(exit_of(outcomes) == Exit::nodes_lost);
  const auto exit_of_one = [](const char* state, std::int64_t code = 0) {
    return exit_of(std::vector<proto::exec::Outcome>{outcome(state, code), outcome("exited")});
  };
  CHECK(exit_of_one("exited") == Exit::ok);
  CHECK(exit_of_one("exited", 1) == Exit::command_failed);
  CHECK(exit_of_one("timeout") == Exit::timeout);
  CHECK(exit_of_one("cancelled") == Exit::interrupted);
  CHECK(exit_of_one("indeterminate") == Exit::nodes_lost);
  CHECK(exit_of_one("something new") == Exit::nodes_lost);
}

TEST_CASE("credit: what was seen is cut off, what comes behind a gap is asked for again",
          "[cli][M29]") {
  ExecFlow flow;
  CHECK(flow.arrive(a_out, 0, "hello") == "hello");
  CHECK(flow.arrive(a_out, 3, "lo you") == " you");
  CHECK(flow.arrive(a_out, 0, "hello").empty());
  flow.due("j");
  CHECK(flow.arrive(a_out, 10, "later").empty());
  const auto due = flow.due("j");
  REQUIRE(due.size() == 1);
  CHECK(due[0].resend);
  CHECK(due[0].have == 9);
  CHECK(flow.received(a_out) == 9);
}

// [M28]
TEST_CASE("credit: nothing more is allowed until something has left") {
  ExecFlow flow;
  flow.arrive(a_out, 0, "x");
  auto due = flow.due("j");
  REQUIRE(due.size() == 1);
  const std::uint64_t allow = due[0].allow;
  CHECK(allow <= limits::output_budget_bytes);
  flow.arrive(a_out, 1, std::string(allow - 1, 'x'));
  CHECK(flow.due("j").empty());
  flow.leave(a_out, allow);
  due = flow.due("j");
  REQUIRE(due.size() == 1);
  CHECK(due[0].have == allow);
  CHECK(due[0].allow > allow);
}

TEST_CASE(
    "credit: a stream's last bytes are acknowledged when they are written, an empty one's never") {
  ExecFlow flow;
  flow.arrive(a_out, 0, "x");
  flow.due("j");
  flow.end(a_out);
  CHECK(flow.due("j").empty());
  flow.leave(a_out, 1);
  REQUIRE(flow.due("j").size() == 1);
  flow.end(b_out);
  CHECK(flow.due("j").empty());
}

TEST_CASE("credit: silent streams that were fast once do not starve the others") {
  ExecFlow flow;
  for (int i = 0; i < 8; ++i)
    flow.arrive({.node = std::string(1, static_cast<char>('c' + i)), .stream = 1}, 0, "x");
  flow.due("j");
  flow.arrive(a_out, 0, "x");
  std::uint64_t allow = flow.due("j").at(0).allow;
  CHECK(allow >= 16 * limits::KiB);
  for (int round = 0; round < 10; ++round) {
    const std::uint64_t have = flow.received(a_out);
    flow.arrive(a_out, have, std::string(allow - have, 'x'));
    flow.leave(a_out, flow.received(a_out) - (round == 0 ? 0 : have));
    const auto due = flow.due("j");
    REQUIRE(due.size() == 1);
    CHECK(due[0].allow > allow);
    allow = due[0].allow;
  }
}

TEST_CASE("credit: what is allowed and has not left stays within three budgets, whoever sends") {
  ExecFlow flow;
  std::map<Source, std::uint64_t> allowed;
  std::map<Source, std::uint64_t> left;
  const auto take = [&] {
    for (const proto::exec::Credit& credit : flow.due("j"))
      allowed[{credit.node, credit.stream}] = credit.allow;
  };
  for (int i = 0; i < 500; ++i) {
    const Source source{.node = fmt::format("n{}", i), .stream = 1};
    flow.arrive(source, 0, "x");
    take();
    for (int round = 0; round < i % 4; ++round) {
      const std::uint64_t have = flow.received(source);
      flow.arrive(source, have, std::string(allowed[source] - have, 'x'));
      flow.leave(source, flow.received(source) - left[source]);
      left[source] = flow.received(source);
      take();
    }
  }
  std::uint64_t under_way = 0;
  for (const auto& [source, allow] : allowed) under_way += allow - left[source];
  CHECK(under_way <= 3 * limits::output_budget_bytes);
}

TEST_CASE("credit: after a reconnect every stream that goes on is asked for from where it stands",
          "[cli][M29]") {
  ExecFlow flow;
  flow.arrive(a_out, 0, "xyz");
  flow.end({.node = "a", .stream = 2});
  flow.due("j");
  flow.ask_again("a");
  const auto due = flow.due("j");
  REQUIRE(due.size() == 1);
  CHECK(due[0].stream == 1);
  CHECK(due[0].have == 3);
  CHECK(due[0].resend);
}
