// health_test: a node runs its checks, and everybody sees what it finds.
#include <csignal>
#include <filesystem>
#include <fstream>

#include <fmt/format.h>

#include "test/support/catch.hpp"
#include "test/support/cluster.hpp"

namespace muster::test {
namespace {

void wait_for_status(Cluster& cluster, const std::string& check, const std::string& status) {
  const std::string wanted = fmt::format("\"CheckID\":\"{}\"", check);
  wait_until(
      [&] {
        const std::string all = cluster.run({"muster", "check", "list", "-format=jsonl"});
        const std::size_t at = all.find(wanted);
        if (at == std::string::npos) return false;
        const std::string line = all.substr(at, all.find('\n', at) - at);
        return line.find(fmt::format("\"Status\":\"{}\"", status)) != std::string::npos;
      },
      fmt::format("{} to be {}", check, status), seconds(60));
}

TEST_CASE("health: a node runs a service's check; a watch and the lists see what it finds",
          "[system]") {
  Cluster cluster;
  cluster.start_broker();
  cluster.start_node("n1");
  const std::string file = cluster.folder("fine");
  std::ofstream(file) << "yes";
  cluster.run({"muster", "service", "register", "-node=n1", "-name=web",
               fmt::format("-check-script=test -e {}", file), "-check-interval=100ms"});
  wait_for_status(cluster, "service:web", "passing");
  const auto watching =
      cluster.start({"muster", "watch", "-type=service", "-service=web", "-passingonly=true",
                     "echo passing: $(grep -c '\"ID\":\"web\"')"});
  watching->wait_for_output("passing: 1");
  std::filesystem::remove(file);
  wait_for_status(cluster, "service:web", "warning");  // `test` exits with 1
  watching->wait_for_output("passing: 0");
  cluster.node("n1").signal(SIGKILL);
  wait_for_status(cluster, "serfHealth", "critical");
}

}  // namespace
}  // namespace muster::test
