// agent: a node daemon, real commands, a scripted broker.
#include "node/agent.hpp"

#include <algorithm>
#include <csignal>
#include <filesystem>
#include <fstream>

#include "test/node/stage.hpp"
#include "test/support/catch.hpp"

namespace muster::node {
namespace {

void put(const std::string& path, std::string_view text) { std::ofstream(path) << text; }

}  // namespace

TEST_CASE("agent: it registers, and its subscription is the sign that it lives", "[node]") {
  Stage stage;
  CHECK(stage.enrolled.node.name == "n1");
  CHECK(stage.enrolled.node.id == "id-of-n1");
  CHECK(stage.enrolled.node.tags == std::vector<std::string>{"blue"});
  CHECK(stage.wait([&] { return stage.broker.topics.contains(std::string("node:n1\0", 8)); }));
}

TEST_CASE("agent: a command runs, its output and its end arrive", "[node]") {
  Stage stage;
  stage.run("j", "echo out; echo err >&2; exit 3");
  const auto outcome = stage.outcome("j");
  CHECK(outcome.state == "exited");
  CHECK(outcome.code == 3);
  CHECK(outcome.out_bytes == 4);
  CHECK(outcome.err_bytes == 4);
  CHECK(stage.out("j") == "out\n");
  CHECK(stage.stderrs["j"] == "err\n");
}

TEST_CASE("agent: a command finds broker, node, job, the programs of muster, and no input",
          "[node]") {
  Stage stage;
  stage.run("j", "echo $MUSTER_BROKER $MUSTER_NODE $MUSTER_JOB; command -v muster-supervise; cat");
  stage.outcome("j");
  CHECK(stage.out("j") ==
        stage.broker.endpoint() + " n1 j\n" + os::program_folder() + "/muster-supervise\n");
}

TEST_CASE("agent: the three forms of a command", "[node]") {
  Stage stage;
  stage.launch(
      {.job = "args", .command = {.args = {"printf", "%s|", "a b", "$HOME"}}, .credit = 99});
  stage.launch({.job = "none", .command = {.args = {"/no/such/program"}}, .credit = 99});
  stage.launch({.job = "script", .command = {.script = Bytes("echo $0\nexit 4\n")}, .credit = 99});
  stage.launch(
      {.job = "other", .command = {.script = Bytes("#!/usr/bin/env cat\n")}, .credit = 99});
  CHECK(stage.outcome("args").code == 0);
  CHECK(stage.out("args") == "a b|$HOME|");
  CHECK(stage.outcome("none").state == "not_started");
  CHECK(stage.outcome("none").message == "cannot be run: No such file or directory");
  CHECK(stage.outcome("script").code == 4);
  CHECK_FALSE(std::filesystem::exists(stage.line("script")));
  CHECK(stage.outcome("other").code == 0);
  CHECK(stage.out("other") == "#!/usr/bin/env cat\n");
}

TEST_CASE("agent: a line longer than one argument can be runs all the same", "[node]") {
  Stage stage;
  stage.run("j", "echo " + std::string(200'000, 'x') + " | wc -c");
  CHECK(stage.outcome("j").code == 0);
  CHECK(stage.out("j") == "200001\n");
}

TEST_CASE("agent: a launch that is sent again starts nothing", "[node]") {
  Stage stage;
  const std::string file = stage.folder.path() + "/runs";
  const auto launch = Stage::line_of("j", "echo run >> " + file);
  for (int i = 0; i < 3; ++i) stage.launch(launch);
  stage.outcome("j");
  stage.launch(launch);
  stage.restart_node();
  stage.launch(launch);
  stage.run("later", "wc -l < " + file);
  stage.outcome("later");
  CHECK(stage.out("later") == "1\n");
}

TEST_CASE("agent: a cancel ends every process of the command, double-forked ones too", "[node]") {
  Stage stage;
  stage.run("j", "(setsid sleep 1000 & echo $!); trap '' TERM; sleep 1000");
  const int pid = std::stoi(stage.line("j"));
  CHECK(alive(pid));
  stage.stop("j");
  CHECK(stage.outcome("j").state == "cancelled");
  CHECK_FALSE(alive(pid));
}

TEST_CASE("agent: a cancel that comes before the launch wins", "[node]") {
  Stage stage;
  stage.stop("j");
  REQUIRE(stage.wait([&] { return stage.broker.answers.size() == 1; }));
  stage.restart_node();
  stage.run("j", "echo never");
  REQUIRE(stage.wait([&] { return stage.broker.answers.size() == 2; }));
  CHECK(stage.broker.answers == std::vector<std::string>{"reply", "error"});
}

TEST_CASE("agent: a timeout ends the command", "[node]") {
  Stage stage;
  auto launch = Stage::line_of("j", "echo begun; sleep 1000");
  launch.timeout_ms = 200;
  stage.launch(launch);
  CHECK(stage.outcome("j").state == "timeout");
  CHECK(stage.out("j") == "begun\n");
}

TEST_CASE("agent: without credit a command waits, with it no byte is missing", "[node]") {
  Stage stage;
  stage.acknowledging = false;
  auto launch = Stage::line_of("j", "seq 100000");
  launch.credit = 1000;
  stage.launch(launch);
  stage.out("j", 1000);
  stage.run("meanwhile", "seq 100000 | tail -1");  // all that could come has come before its end
  stage.out("meanwhile", 7);
  CHECK(stage.out("j").size() == 1000);
  CHECK_FALSE(stage.outcomes.contains("j"));
  std::uint64_t allow = 1000;
  while (stage.out("j", allow).size() < 588895) {
    allow = std::min<std::uint64_t>(allow + 50'000, 588895);
    stage.credit("j", stage.out("j").size(), allow);
  }
  CHECK_FALSE(stage.outcomes.contains("j"));
  stage.credit("j", allow, allow + 1);
  CHECK(stage.outcome("j").out_bytes == 588895);
  CHECK(stage.out("j").ends_with("\n99999\n100000\n"));
}

TEST_CASE("agent: over a restart of the broker output goes on without a gap", "[node]") {
  Stage stage;
  stage.run("j", "for i in $(seq 2000); do echo $i; done; read x < " + stage.folder.path() +
                     "/go; seq 5");
  REQUIRE(std::system(("mkfifo " + stage.folder.path() + "/go").c_str()) == 0);
  stage.out("j", 100);
  stage.broker.restart();
  stage.registrations = 0;
  REQUIRE(stage.wait_registered());
  REQUIRE(stage.enrolled.tasks.size() == 1);
  CHECK(stage.enrolled.tasks[0].job == "j");
  CHECK(stage.enrolled.tasks[0].state == "running");
  stage.run("go", "echo > " + stage.folder.path() + "/go");
  CHECK(stage.outcome("j").out_bytes == 8903);
  CHECK(stage.out("j").size() == 8903);
  CHECK(stage.out("j").ends_with("\n2000\n1\n2\n3\n4\n5\n"));
}

TEST_CASE("agent: output that a broker could not take is told again", "[node]") {
  Stage stage;
  stage.refuse_output = Error{Code::busy, "not now"};
  stage.run("j", "echo hello");
  REQUIRE(stage.wait([&] {
    return std::count(stage.broker.heard.begin(), stage.broker.heard.end(), "exec.output") > 0;
  }));
  stage.refuse_output.reset();
  CHECK(stage.outcome("j").code == 0);
  CHECK(stage.out("j") == "hello\n");
}

TEST_CASE("agent: a daemon that dies takes its commands along, and reports them lost", "[node]") {
  Stage stage;
  stage.run("j", "echo $$; sleep 1000");
  const int pid = std::stoi(stage.line("j"));
  stage.restart_node();
  REQUIRE(stage.enrolled.tasks.size() == 1);
  CHECK(stage.enrolled.tasks[0].state == "lost");
  CHECK(stage.outcome("j").state == "lost");
  CHECK(stage.wait([&] { return !alive(pid); }));
}

TEST_CASE("agent: a daemon that is stopped ends its commands and says so", "[node]") {
  Stage stage;
  stage.run("j", "echo $$; sleep 1000");
  const int pid = std::stoi(stage.line("j"));
  stage.agent->stop();
  REQUIRE(stage.wait([&] { return stage.agent->done(); }));
  CHECK(stage.outcome("j").state == "lost");
  CHECK(stage.outcome("j").message == "the node's daemon was stopped");
  CHECK_FALSE(alive(pid));
}

TEST_CASE("agent: a process left behind with the output open does not hold the job", "[node]") {
  Stage stage;
  stage.run("j", "sleep 1000 & echo $!");
  CHECK(stage.outcome("j").state == "exited");
  const int pid = std::stoi(stage.line("j"));
  CHECK(alive(pid));
  ::kill(pid, SIGKILL);
}

TEST_CASE("agent: definitions are read again; with a mistake in them what was there stays",
          "[node]") {
  Stage stage;
  const std::string file = stage.definitions.path() + "/web.json";
  put(file, R"({"service": {"name": "web"}})");
  stage.registrations = 0;
  stage.agent->reload();
  REQUIRE(stage.wait_registered());
  REQUIRE(stage.enrolled.node.services.size() == 1);
  CHECK(stage.enrolled.node.services[0].name == "web");
  put(file, "{");
  stage.agent->reload();
  stage.broker.restart();
  stage.registrations = 0;
  REQUIRE(stage.wait_registered());
  CHECK(stage.enrolled.node.services.size() == 1);
}

// The daemon ran the new checks, registered the old services, and did not start again.
TEST_CASE("agent: definitions that the broker refuses after a reload are given up for those before",
          "[node]") {
  Stage stage;
  const std::string file = stage.definitions.path() + "/web.json";
  put(file, R"({"service": {"name": "web"}})");
  stage.registrations = 0;
  stage.agent->reload();
  REQUIRE(stage.wait_registered());
  // The answer to that one may come after the next reload.
  stage.refuse_enrol = Error{Code::too_large, "node n: too much"};
  stage.refused = 0;
  put(file, R"({"services": [{"name": "web"}, {"name": "db"}]})");
  stage.agent->reload();
  REQUIRE(stage.wait([&] { return stage.refused > 1; }));
  stage.refuse_enrol.reset();
  stage.registrations = 0;
  REQUIRE(stage.wait_registered());
  CHECK(stage.enrolled.node.services.size() < 2);
  CHECK(stage.enrolled.node.problem == "node n: too much");
  CHECK_FALSE(stage.agent->failed());
}

// A broker without room refused a restarted node once, and never heard of it again.
TEST_CASE("agent: a broker that cannot take a registration now is asked again", "[node]") {
  Stage stage;
  stage.refuse_enrol = Error{Code::unavailable, "disk full"};
  stage.refused = 0;
  stage.broker.restart();
  REQUIRE(stage.wait([&] { return stage.refused > 1; }));
  stage.registrations = 0;
  stage.refuse_enrol.reset();
  REQUIRE(stage.wait_registered());
  CHECK_FALSE(stage.agent->failed());
}

TEST_CASE("agent: a daemon whose place is taken, or its name, gives up with a conflict", "[node]") {
  Stage stage;
  stage.ask(proto::catalog::Superseded{.node = "n1"});
  REQUIRE(stage.wait([&] { return stage.agent->failed().has_value(); }));
  CHECK(stage.agent->failed()->code == Code::conflict);
  stage.stop_node();
  stage.refuse_enrol = Error{Code::conflict, "a live node has the name n1 and another id"};
  stage.start_node();
  REQUIRE(stage.wait([&] { return stage.agent->failed().has_value(); }));
  CHECK(stage.agent->failed()->message == "a live node has the name n1 and another id");
}

TEST_CASE("agent: what an older leader of the same history says does not count", "[node]") {
  Stage stage;
  stage.broker.epoch = 5;
  stage.broker.restart();
  stage.registrations = 0;
  REQUIRE(stage.wait_registered());
  auto launch = Stage::line_of("old", "echo never");
  launch.history = "h";
  launch.epoch = Epoch{5};
  stage.launch(launch);
  REQUIRE(stage.wait([&] { return !stage.broker.answers.empty(); }));
  CHECK(stage.broker.answers == std::vector<std::string>{"error"});
  launch.job = "new";
  launch.epoch = Epoch{6};
  stage.launch(launch);
  CHECK(stage.outcome("new").code == 0);
}

}  // namespace muster::node
