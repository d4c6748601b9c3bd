// watch_handler_test: what handlers of each type are told, and what becomes of those that fail.
#include <csignal>

#include <fmt/format.h>

#include "test/support/catch.hpp"
#include "test/support/cluster.hpp"

namespace muster::test {
namespace {

/// A watch whose handler writes one line a call: the operation, what it was, and its stdin.
std::unique_ptr<Process> watch(
    Cluster& cluster, std::vector<std::string> options,
    const std::string& handler = "echo \"call op=$MUSTER_OP key=$MUSTER_KEY $(cut -c1-60)\"") {
  std::vector<std::string> words{"muster", "watch"};
  words.insert(words.end(), options.begin(), options.end());
  words.push_back(handler);
  return cluster.start(std::move(words));
}

TEST_CASE("watch: a prefix with -each is told what changed, a delete with its key", "[system]") {
  Cluster cluster;
  cluster.start_broker();
  cluster.run({"muster", "kv", "put", "p/a", "1"});
  const auto each = watch(cluster, {"-type=keyprefix", "-prefix=p/", "-each"});
  each->wait_for_output("call op= key= [{\"Key\":\"p/a\"");
  cluster.run({"muster", "kv", "put", "p/b", "1"});
  each->wait_for_output("call op=put key=p/b [{\"Key\":\"p/b\"");
  cluster.run({"muster", "kv", "delete", "p/b"});
  each->wait_for_output("call op=delete key=p/b null");
}

TEST_CASE("watch: a prefix, services, nodes and checks are told whole, a node's death too",
          "[system]") {
  Cluster cluster;
  cluster.start_broker();
  const auto prefix = watch(cluster, {"-type=keyprefix", "-prefix=p/"});
  const auto services = watch(cluster, {"-type=services"});
  const auto nodes = watch(cluster, {"-type=nodes"}, "echo nodes $(grep -o Node.:.n1)");
  const auto checks = watch(cluster, {"-type=checks", "-state=critical"});
  prefix->wait_for_output("call op= key= null");
  services->wait_for_output("call op= key= {}");
  nodes->wait_for_output("nodes");
  checks->wait_for_output("call op= key= []");
  cluster.run({"muster", "kv", "put", "p/a", "1"});
  prefix->wait_for_output("[{\"Key\":\"p/a\"");
  cluster.start_node("n1");
  nodes->wait_for_output("n1");
  cluster.node("n1").signal(SIGKILL);
  checks->wait_for_output("[{\"Node\":\"n1\",\"CheckID\":\"serfHealth\"");
}

TEST_CASE("watch: a prefix that fits no reply is told whole, at the start and later", "[system]") {
  Cluster cluster;
  cluster.start_broker();
  const std::string large = fmt::format("@{}", cluster.folder("large"));
  cluster.run(
      {"sh", "-c", fmt::format("head -c 900000 /dev/zero | tr '\\0' x > {}", large.substr(1))});
  for (const char* key : {"p/a", "p/b", "p/c"}) cluster.run({"muster", "kv", "put", key, large});
  const auto watching = watch(cluster, {"-type=keyprefix", "-prefix=p/"}, "echo bytes $(wc -c).");
  watching->wait_for_output("bytes 3600");
  cluster.run({"muster", "kv", "put", "p/d", large});
  watching->wait_for_output("bytes 4800");
}

TEST_CASE("watch: without a handler the present state is printed, with four blanks a level",
          "[system]") {
  Cluster cluster;
  cluster.start_broker();
  CHECK(cluster.run({"muster", "watch", "-type=key", "-key=none"}) == "null\n");
  CHECK(cluster.run({"muster", "watch", "-type=keyprefix", "-prefix=none"}) == "null\n");
  CHECK(cluster.run({"muster", "watch", "-type=services"}) == "{}\n");
  CHECK(cluster.run({"muster", "watch", "-type=service", "-service=none"}) == "[]\n");
  CHECK(cluster.run({"muster", "watch", "-type=event"}) == "[]\n");
  cluster.run({"muster", "kv", "put", "k", "v"});
  CHECK(
      cluster.run({"muster", "watch", "-type=key", "-key=k"}).starts_with("{\n    \"Key\": \"k\""));
}

TEST_CASE("watch: -latest merges what comes while the handler runs", "[system]") {
  Cluster cluster;
  cluster.start_broker();
  const std::string gate = cluster.folder("gate");
  cluster.run({"mkfifo", gate});
  const auto latest =
      watch(cluster, {"-type=key", "-key=k", "-latest"},
            fmt::format("echo began $MUSTER_REV; read -r line < {}; echo ended", gate));
  latest->wait_for_output("began");
  for (const char* value : {"1", "2", "3"}) cluster.run({"muster", "kv", "put", "k", value});
  cluster.run({"sh", "-c", fmt::format("echo > {}", gate)});
  latest->wait_for_output("ended\nbegan 4\n");
  cluster.run({"sh", "-c", fmt::format("echo > {}", gate)});
}

TEST_CASE("watch: -on-error=exit ends with 1, a handler over its -timeout has failed", "[system]") {
  Cluster cluster;
  cluster.start_broker();
  const auto strict = watch(cluster, {"-type=key", "-key=k", "-on-error=exit"}, "exit 3");
  CHECK(strict->wait() == 1);
  CHECK(strict->output() == "Error executing handler: exit status 3 (revision 1)\n");
  const auto late = watch(cluster, {"-type=key", "-key=k", "-on-error=exit", "-timeout=100ms"},
                          "tail -f /dev/null");
  CHECK(late->wait() == 1);
  CHECK(late->output().starts_with("Error executing handler: it took longer than 100ms"));
}

TEST_CASE("watch: a handler that is to be tried again gets the same change until it succeeds",
          "[system]") {
  Cluster cluster;
  cluster.start_broker();
  const auto watching =
      watch(cluster, {"-type=event", "-name=e", "-initial=yes", "-on-error=retry", "-once"},
            fmt::format("echo x >> {0}; [ $(wc -l < {0}) = 2 ]", cluster.folder("tries")));
  CHECK(watching->wait() == 0);
  CHECK(watching->output().starts_with("Error executing handler: exit status 1"));
}

TEST_CASE("watch: a cursor goes on where the handler has come to, with no call again", "[system]") {
  Cluster cluster;
  cluster.start_broker();
  cluster.run({"muster", "kv", "put", "k", "1"});
  const std::vector<std::string> options{"-type=key", "-key=k", "-cursor=c", "-once"};
  CHECK(watch(cluster, options)->wait() == 0);
  cluster.run({"muster", "kv", "put", "k", "2"});
  cluster.kill_broker();
  cluster.start_broker();
  const auto second = watch(cluster, options);
  CHECK(second->wait() == 0);
  CHECK(
      second->output().starts_with("call op=put key=k {\"Key\":\"k\",\"CreateIndex\":2,\"Modify"));
  CHECK(second->output().find("call", 1) == std::string::npos);
}

}  // namespace
}  // namespace muster::test
