// watch_order_test: what the options of a watch mean, and what is said where they mean nothing.
#include "cli/watch_order.hpp"

#include "cli/command.hpp"
#include "test/support/catch.hpp"

using namespace muster;
using namespace muster::cli;

namespace {

Result<WatchOrder> order_of(const std::vector<std::string>& words) {
  Command command({.name = "watch",
                   .arguments = "",
                   .about = "",
                   .examples = "",
                   .place = Place::before_arguments});
  WatchOptions options;
  options.declare(command);
  REQUIRE_FALSE(command.parse(words));
  return options.order(command);
}

std::string error_of(const std::vector<std::string>& words) {
  const auto order = order_of(words);
  return order ? "" : order.error().message;
}

}  // namespace

TEST_CASE("watch: errors are Consul's to the byte") {
  CHECK(error_of({}) == "Watch type must be specified");
  CHECK(error_of({"-type=frob"}) == "Unsupported watch type: frob");
  CHECK(error_of({"-type=key"}) == "Must specify a single key to watch");
  CHECK(error_of({"-type=keyprefix"}) == "Must specify a single prefix to watch");
  CHECK(error_of({"-type=service"}) == "Must specify a single service to watch");
  CHECK(error_of({"-type=key", "-key=k", "-prefix=p"}) == "Invalid parameters: [prefix]");
  CHECK(error_of({"-type=nodes", "-service=web"}) == "Invalid parameters: [service]");
  CHECK(error_of({"-type=checks", "-service=web", "-state=any"}) ==
        "Cannot specify service and state");
  CHECK(error_of({"-type=service", "-service=web", "-passingonly=maybe"}) ==
        "Failed to parse passingonly flag: strconv.ParseBool: parsing \"maybe\": invalid syntax");
}

TEST_CASE("watch: what is watched is a topic") {
  CHECK(handle::topic_of(order_of({"-type", "key", "-key", "/a/b"})->what.subject) ==
        proto::watch::topic("key:", "a/b"));
  CHECK(handle::topic_of(order_of({"-type=keyprefix", "-prefix=a/"})->what.subject) ==
        proto::watch::topic("keyprefix:", "a/"));
  CHECK(handle::topic_of(order_of({"-type=event"})->what.subject) == proto::watch::topic("event:"));
  CHECK(handle::topic_of(order_of({"-type=checks", "-state=critical"})->what.subject) ==
        proto::watch::topic("checks"));
  const auto service =
      order_of({"-type=service", "-service=web", "-tag=a", "-tag=b", "-passingonly=true", "cat"});
  CHECK(handle::topic_of(service->what.subject) == proto::watch::topic("service:", "web"));
  CHECK(service->what.subject.tags == std::vector<std::string>{"a", "b"});
  CHECK(service->what.subject.health == Subject::Health::passing);
  CHECK(service->program.back() == "cat");
}

TEST_CASE("watch: key and event are told change by change, lists as they are by now") {
  CHECK(order_of({"-type=key", "-key=k"})->what.policy.mode == handle::Mode::each);
  CHECK(order_of({"-type=event"})->what.policy.mode == handle::Mode::each);
  CHECK(order_of({"-type=keyprefix", "-prefix=p"})->what.policy.mode == handle::Mode::latest);
  CHECK(order_of({"-type=keyprefix", "-prefix=p", "-each"})->what.policy.mode ==
        handle::Mode::each);
  CHECK(order_of({"-type=key", "-key=k", "-latest"})->what.policy.mode == handle::Mode::latest);
  CHECK_FALSE(error_of({"-type=nodes", "-each"}).empty());
  CHECK_FALSE(error_of({"-type=key", "-key=k", "-each", "-latest"}).empty());
  CHECK_FALSE(error_of({"-type=key", "-key=k", "-debounce=1s"}).empty());
  CHECK(error_of({"-type=key", "-key=k", "-latest", "-debounce=1s"}).empty());
}

TEST_CASE("watch: the first call is the present state, but not of events and not behind -after") {
  using handle::Begin;
  CHECK(order_of({"-type=key", "-key=k"})->what.policy.begin == Begin::with_state);
  CHECK(order_of({"-type=event"})->what.policy.begin == Begin::with_changes);
  CHECK(order_of({"-type=event", "-initial=yes"})->what.policy.begin == Begin::with_state);
  CHECK(order_of({"-type=nodes", "-initial=no"})->what.policy.begin == Begin::with_changes);
  CHECK(order_of({"-type=key", "-key=k", "-after=7"})->what.policy.begin == Begin::with_changes);
  CHECK_FALSE(error_of({"-type=key", "-key=k", "-initial=maybe"}).empty());
  CHECK_FALSE(error_of({"-type=key", "-key=k", "-on-error=ignore"}).empty());
}
