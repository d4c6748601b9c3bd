// main: the program muster-node: options, signals, exit codes, what it says.
#include <csignal>
#include <fstream>

#include "test/node/program.hpp"
#include "test/node/stage.hpp"
#include "test/support/catch.hpp"

namespace muster::node {
namespace {

/// What a call with these options is answered; each is one line that says how to see help.
std::string refusal(const std::vector<std::string>& options) {
  net::Reactor reactor;
  std::vector<std::string> argv{"muster-node"};
  argv.insert(argv.end(), options.begin(), options.end());
  Program program(reactor, std::move(argv));
  CHECK(program.code() == exit_usage);
  CHECK(program.out.empty());
  const std::string head = "muster-node: ";
  const std::string tail = "; see muster-node --help\n";
  REQUIRE(program.err.starts_with(head));
  REQUIRE(program.err.ends_with(tail));
  return program.err.substr(head.size(), program.err.size() - head.size() - tail.size());
}

/// A daemon beside the stage's own, on the same broker.
struct Daemon {
  explicit Daemon(Stage& stage, const std::string& data)
      : program(stage.reactor,
                {"muster-node", "--name", "n2", "--data", data, "--broker", stage.broker.endpoint(),
                 "--tag", "a", "--tag", "b", "--meta", "rack=7"}) {}
  Program program;
};

}  // namespace

TEST_CASE("main: bad options are one line that says what is wrong", "[node]") {
  const std::vector<std::string> good{"--name", "n", "--data", "/tmp/none"};
  const auto with = [&](std::initializer_list<std::string> more) {
    std::vector<std::string> all = good;
    all.insert(all.end(), more);
    return refusal(all);
  };
  CHECK(refusal({"--data", "/tmp/none"}) == "--name is required");
  CHECK(refusal({"--name", "n"}) == "--data is required");
  CHECK(refusal({"--data", "/tmp/none", "--name", "a b"}) ==
        "--name: a name has 1..255 bytes, no blanks and no control characters");
  CHECK(with({"--broker", "nowhere"}).starts_with("--broker: 'nowhere' is not an endpoint"));
  CHECK(with({"--meta", "rack"}) == "--meta: wants KEY=VALUE, not rack");
  CHECK(with({"--definitions", "/no/such"}) == "--definitions: Directory does not exist: /no/such");
  CHECK(with({"--config", "/no/such"}) == "/no/such was not readable (missing?)");
  CHECK(with({"--nonsense"}) == "The following argument was not expected: --nonsense");
}

TEST_CASE("main: it says ready, offers what it was told, stops on SIGTERM with its commands",
          "[node]") {
  Stage stage;
  const test::TemporaryFolder data;
  Daemon daemon(stage, data.path());
  daemon.program.wait_for(" ready node=n2 ");
  CHECK(stage.enrolled.node.name == "n2");
  CHECK(stage.enrolled.node.tags == std::vector<std::string>{"a", "b"});
  CHECK(stage.enrolled.node.meta.at("rack") == "7");
  stage.run("j", "echo $$; sleep 1000");
  const int pid = std::stoi(stage.line("j"));
  daemon.program.signal(SIGTERM);
  CHECK(daemon.program.code() == 0);
  CHECK(stage.outcomes["j"].state == "lost");
  CHECK_FALSE(alive(pid));
}

TEST_CASE("main: kill -9 of the daemon ends its commands; the next one says they are lost",
          "[node]") {
  Stage stage;
  const test::TemporaryFolder data;
  int pid = 0;
  {
    Daemon daemon(stage, data.path());
    daemon.program.wait_for(" ready ");
    stage.run("j", "echo $$; (setsid sleep 1000 &) ; sleep 1000");
    pid = std::stoi(stage.line("j"));
    daemon.program.signal(SIGKILL);
    CHECK(daemon.program.code() == -SIGKILL);
  }
  Daemon daemon(stage, data.path());
  CHECK(stage.outcome("j").state == "lost");
  CHECK_FALSE(alive(pid));
}

TEST_CASE("main: a folder in use, a damaged definition, a taken name: one line, and its code",
          "[node]") {
  Stage stage;
  {
    Daemon second(stage, stage.folder.path());
    CHECK(second.program.code() == 1);
    CHECK(second.program.err ==
          "muster-node: another muster-node runs on " + stage.folder.path() + "\n");
  }
  {
    const test::TemporaryFolder data;
    std::ofstream(stage.definitions.path() + "/a.json") << "{\n}}";
    Program program(stage.reactor,
                    {"muster-node", "--name", "n2", "--data", data.path(), "--broker",
                     stage.broker.endpoint(), "--definitions", stage.definitions.path()});
    CHECK(program.code() == 1);
    CHECK(program.err.ends_with("muster-node: " + stage.definitions.path() +
                                "/a.json: line 2: is not JSON there\n"));
  }
  stage.refuse_enrol = Error{Code::conflict, "a live node has the name n2 and another id",
                             "give this one another name, or stop the other"};
  const test::TemporaryFolder data;
  Daemon daemon(stage, data.path());
  CHECK(daemon.program.code() == 7);
  CHECK(daemon.program.err.ends_with(
      "muster-node: a live node has the name n2 and another id; give this one another name, or "
      "stop the other\n"));
}

}  // namespace muster::node
