// runner: tasks as short plays: what comes in, what is to be done.
#include "node/runner.hpp"

#include "test/node/play.hpp"
#include "test/support/catch.hpp"

namespace muster::node {

// [M30]
TEST_CASE("runner: a task is on disk before it is forked", "[node]") {
  Play play;
  play.launch("j");
  CHECK(play.transcript() == "note accepted j\n");
  play.noted("j");
  CHECK(play.transcript() == "fork j\n");
  play.started("j");
  CHECK(play.transcript() ==
        "> started j\n"
        "allow j/1 1000\n"
        "allow j/2 1000\n");
}

TEST_CASE("runner: a task is started once, whatever is sent again and when", "[node]") {
  Play play;
  play.launch("j");
  play.launch("j");
  play.noted("j");
  play.launch("j");
  CHECK(play.transcript() == "note accepted j\nfork j\n");
  play.started("j");
  play.streams_end("j");
  play.exited("j");
  play.launch("j");
  play.reported("j");
  play.transcript();
  play.launch("j");
  CHECK(play.transcript() == "launch j: gone\n");
}

TEST_CASE("runner: a task that cannot be noted is not forked and says so", "[node]") {
  Play play;
  play.launch("j");
  play.runner.not_started("j", "disk full");
  play.note();
  CHECK(play.transcript() ==
        "note accepted j\n"
        "note ended j not_started 0 0 0 0 0 disk full\n"
        "drop j\n"
        "> exited j: not_started 0, disk full\n");
}

TEST_CASE("runner: a program that cannot be run ends once, though its process reports an end too",
          "[node]") {
  Play play;
  play.launch("j");
  play.noted("j");
  play.runner.not_started("j", "no such file");
  play.exited("j", 127);
  play.note();
  CHECK(play.transcript() ==
        "note accepted j\n"
        "fork j\n"
        "note ended j not_started 0 0 0 0 0 no such file\n"
        "drop j\n"
        "> exited j: not_started 0, no such file\n");
}

TEST_CASE("runner: the end is told when both streams' ends were told and all is acknowledged",
          "[node]") {
  Play play;
  play.run("j");
  play.transcript();
  play.output("j", "hello");
  play.exited("j", 3);
  play.streams_end("j");
  CHECK(play.transcript() ==
        "> j/1 @0 'hello'\n"
        "allow j/1 995\n"
        "> j/1 @5 '' eof\n"
        "> j/2 @0 '' eof\n");
  play.credit("j", 5, 2000);
  CHECK(play.transcript() ==
        "note ended j exited 3 0 7 5 0 \n"
        "drop j\n"
        "> exited j: exited 3\n");
  play.reported("j");
  CHECK(play.transcript() == "note done j\n");
  CHECK(play.runner.idle());
}

TEST_CASE("runner: a report that the broker did not take is told again", "[node]") {
  Play play;
  play.run("j");
  play.streams_end("j");
  play.exited("j");
  play.transcript();
  play.not_reported("j");
  play.pass(seconds(1));
  CHECK(play.transcript().empty());
  play.pass(seconds(1));
  CHECK(play.transcript() == "> exited j: exited 0\n");
  play.disconnect();
  play.not_reported("j");
  play.pass(seconds(10));
  CHECK(play.transcript().empty());
  play.reconnect();
  CHECK(play.transcript() == "> exited j: exited 0\n");
}

TEST_CASE("runner: stop ends a running task, and its output is not waited for", "[node]") {
  Play play;
  play.run("j");
  play.output("j", "hello");
  play.transcript();
  play.stop("j");
  play.stop("j");
  CHECK(play.transcript() == "end j\n");
  play.runner.exited("j", {.signal = 15}, play.now);
  play.note();
  CHECK(play.transcript() ==
        "note ended j cancelled 0 15 0 5 0 \n"
        "drop j\n"
        "> exited j: cancelled 0\n");
}

TEST_CASE("runner: stop of a task that has exited by itself leaves its code, and waits no longer",
          "[node]") {
  Play play;
  play.run("j");
  play.output("j", "hello");
  play.exited("j", 4);
  play.transcript();
  play.stop("j");
  CHECK(play.transcript() ==
        "note ended j exited 4 0 7 5 0 \n"
        "drop j\n"
        "> exited j: exited 4\n");
}

TEST_CASE("runner: stop of an unknown task leaves a tombstone: a late launch is refused",
          "[node]") {
  Play play;
  play.stop("j");
  play.launch("j");
  CHECK(play.transcript() ==
        "note stopped j\n"
        "launch j: conflict\n");
}

TEST_CASE("runner: a task stopped between its note and its fork is never forked", "[node]") {
  Play play;
  play.launch("j");
  play.stop("j");
  play.noted("j");
  CHECK(play.transcript() ==
        "note accepted j\n"
        "note ended j cancelled 0 0 0 0 0 \n"
        "drop j\n"
        "> exited j: cancelled 0\n");
}

TEST_CASE("runner: a timeout ends the task, whose output is told before its end", "[node]") {
  Play play;
  play.run("j", 1000, 500);
  play.output("j", "hi");
  play.transcript();
  play.pass(milliseconds(499));
  CHECK(play.transcript().empty());
  play.pass(milliseconds(1));
  CHECK(play.transcript() == "end j\n");
  play.streams_end("j");
  play.runner.exited("j", {.signal = 15}, play.now);
  play.transcript();
  play.credit("j", 2, 1000);
  CHECK(play.transcript() ==
        "note ended j timeout 0 15 0 2 0 \n"
        "drop j\n"
        "> exited j: timeout 0\n");
}

TEST_CASE("runner: output that nobody takes is given up, and its end says how much", "[node]") {
  Play play;
  play.run("j");
  play.output("j", "hello");
  play.streams_end("j");
  play.exited("j");
  play.pass(limits::output_patience - seconds(1));
  play.credit("j", 1, 1000);  // slow, but there
  play.transcript();
  play.pass(limits::output_patience - seconds(1));
  CHECK(play.transcript().empty());
  play.pass(seconds(1));
  CHECK(play.transcript() ==
        "note ended j exited 0 0 7 5 0 of its output 4 bytes were not taken\n"
        "drop j\n"
        "> exited j: exited 0, of its output 4 bytes were not taken\n");
}

TEST_CASE("runner: tasks of an earlier life are lost, those that had ended say how", "[node]") {
  Runner before;
  before.remember(
      {{.what = Fact::What::accepted, .job = "ran"},
       {.what = Fact::What::accepted, .job = "over"},
       {.what = Fact::What::ended, .job = "over", .outcome = {.state = "exited", .code = 5}},
       {.what = Fact::What::accepted, .job = "told"},
       {.what = Fact::What::done, .job = "told"},
       {.what = Fact::What::stopped, .job = "never"}});
  Runner runner;
  runner.remember(before.facts());  // written anew, it is the same
  Play play;
  play.runner = std::move(runner);
  play.reconnect();
  CHECK(play.transcript() ==
        "> exited over: exited 5\n"
        "> exited ran: lost 0, the node's daemon was restarted\n");
  play.launch("ran");
  play.launch("told");
  play.launch("never");
  CHECK(play.transcript() ==
        "launch told: gone\n"
        "launch never: conflict\n");
}

TEST_CASE("runner: a registration lists tasks by what became of them", "[node]") {
  Play play;
  play.launch("a");
  play.run("b");
  play.run("c");
  play.streams_end("c");
  play.exited("c");
  std::string all;
  for (const auto& task : play.runner.known()) all += task.job + " " + task.state + "\n";
  CHECK(all == "a accepted\nb running\nc exited\n");
}

TEST_CASE("runner: a daemon that stops ends all and takes nothing", "[node]") {
  Play play;
  play.run("j");
  play.transcript();
  play.runner.stop_all();
  play.launch("k");
  play.note();
  CHECK(play.transcript() == "launch k: unavailable\nend j\n");
  CHECK_FALSE(play.runner.quiet());
  play.exited("j");
  CHECK(play.runner.quiet());
  CHECK(play.transcript() ==
        "note ended j lost 0 0 7 0 0 the node's daemon was stopped\n"
        "drop j\n"
        "> exited j: lost 0, the node's daemon was stopped\n");
}

TEST_CASE("runner: more tasks than the bound are refused, not queued", "[node]") {
  Play play;
  for (std::size_t i = 0; i < limits::tasks_running_max; ++i) play.launch(std::to_string(i));
  play.transcript();
  play.launch("one-more");
  CHECK(play.transcript() == "launch one-more: busy\n");
}

TEST_CASE("runner: what is long over is forgotten, what runs never is", "[node]") {
  Play play;
  play.run("long");
  for (std::size_t i = 0; i <= limits::tasks_known_max; ++i) play.stop(fmt::format("x{}", i));
  play.transcript();
  play.launch("long");
  play.launch("x1");
  CHECK(play.transcript() == "launch x1: conflict\n");
  CHECK(play.runner.facts().size() == limits::tasks_known_max + 1);
}

TEST_CASE("runner: an id that a journal cannot hold is invalid", "[node]") {
  Play play;
  for (const std::string& id : {std::string(), std::string("a b"), std::string("a\nb"),
                                std::string(limits::job_id_bytes_max + 1, 'x')}) {
    play.launch(id);
    play.stop(id);
    CHECK(play.transcript() == fmt::format("launch {0}: invalid\nstop {0}: invalid\n", id));
  }
}

TEST_CASE("runner: times beyond all measure are cut to what a clock holds", "[node]") {
  Play play;
  play.launch(proto::exec::Launch{
      .job = "j", .timeout_ms = ~std::uint64_t{0}, .kill_grace_ms = ~std::uint64_t{0}});
  CHECK(play.runner.next_due() == play.now + limits::task_time_max);
}

}  // namespace muster::node
