// client_test: a client against a scripted broker on loopback.
#include "common/net/client.hpp"

#include <algorithm>

#include "common/protocol/exec.hpp"
#include "common/protocol/kv.hpp"
#include "test/net/fake_broker.hpp"
#include "test/support/catch.hpp"

namespace muster::net {
namespace {

using proto::kv::Get;
using proto::kv::Put;

struct Fixture {
  zmq::context_t context;
  Reactor reactor;
  FakeBroker broker{reactor, context};
  std::unique_ptr<Client> client =
      *Client::open(reactor, context, {.broker = broker.endpoint(), .kind = "test"});

  bool wait(const std::function<bool()>& done) {
    return reactor.run_until(BootClock::now() + seconds(15), done) == Ended::satisfied;
  }
};

}  // namespace

TEST_CASE("client: a call is answered", "[net]") {
  Fixture f;
  f.broker.on<Put>(
      [](const Put& put) { return proto::kv::Written{.rev = Revision{put.value.size()}}; });
  const auto written = f.client->call(Put{.key = "k", .value = Bytes("four")});
  REQUIRE(written);
  CHECK(written->rev == Revision{4});
  CHECK(f.client->reached());
  CHECK(f.broker.heard == std::vector<std::string>{"session.hello", "kv.put"});
}

TEST_CASE("client: the broker's error arrives as it was said", "[net]") {
  Fixture f;
  f.broker.on<Get>([](const Get&) -> Result<proto::kv::Entry> {
    return Error{Code::not_found, "no key k", "none"};
  });
  const auto got = f.client->call(Get{.key = "k"});
  REQUIRE(!got);
  CHECK(got.error().code == Code::not_found);
  CHECK(got.error().message == "no key k");
  CHECK(got.error().hint == "none");
}

TEST_CASE("client: an endpoint that is none is refused at once", "[net]") {
  zmq::context_t context;
  Reactor reactor;
  CHECK(Client::open(reactor, context, {.broker = "localhost"}).error().code == Code::invalid);
}

TEST_CASE("client: where no broker is, a call says so in its time", "[net]") {
  Fixture f;
  f.broker.stop();
  const auto got = f.client->call(Get{.key = "k"}, {.timeout = milliseconds(50)});
  REQUIRE(!got);
  CHECK(got.error().code == Code::unavailable);
  CHECK(got.error().message == "no broker answered at " + f.broker.endpoint() + " within 0.05 s");
  CHECK(!f.client->reached());
}

TEST_CASE("client: a broker that only listens is nobody either", "[net]") {
  Fixture f;
  f.broker.silent = true;
  const auto got = f.client->call(Get{.key = "k"}, {.timeout = milliseconds(50)});
  CHECK(got.error().code == Code::unavailable);
  CHECK(!f.client->reached());
}

TEST_CASE("client: a request outlives a restart of the broker, and is asked again under its number",
          "[net][M13]") {
  Fixture f;
  std::vector<std::uint64_t> numbers;
  f.broker.on("kv.get", [&](const FakeBroker::Request& request) {
    numbers.push_back(request.header.no.value);
  });
  bool answered = false;
  f.client->request(Get{.key = "k"}, {.timeout = {}},
                    [&](Result<proto::kv::Entry> entry) { answered = entry && entry->key == "k"; });
  REQUIRE(f.wait([&] { return numbers.size() == 1; }));
  const TimePoint restarted = BootClock::now();
  f.broker.restart();
  f.broker.on("kv.get", [&](const FakeBroker::Request& request) {
    numbers.push_back(request.header.no.value);
    f.broker.answer(request, "reply", codec::encode(proto::kv::Entry{.key = "k"}));
  });
  REQUIRE(f.wait([&] { return answered; }));
  CHECK(BootClock::now() - restarted < seconds(2));
  CHECK(numbers == std::vector<std::uint64_t>{numbers[0], numbers[0]});
}

TEST_CASE("client: a broker that hangs gets another connection, and the request again", "[net]") {
  Fixture f;
  f.broker.on<Get>([](const Get& get) { return proto::kv::Entry{.key = get.key}; });
  REQUIRE(f.client->call(Get{.key = "k"}));
  f.broker.silent = true;
  bool answered = false;
  f.client->request(Get{.key = "k"}, {.timeout = {}},
                    [&](Result<proto::kv::Entry> entry) { answered = entry && entry->key == "k"; });
  const auto hellos = [&] {
    return std::count(f.broker.heard.begin(), f.broker.heard.end(), "session.hello");
  };
  REQUIRE(f.wait([&] { return hellos() == 2; }));
  f.broker.silent = false;
  REQUIRE(f.wait([&] { return answered; }));
  CHECK(hellos() == 3);
}

TEST_CASE("client: each welcome is told, with what it says", "[net]") {
  Fixture f;
  std::vector<std::uint64_t> epochs;
  f.client->on_hello(
      [&](const proto::session::Welcome& welcome) { epochs.push_back(welcome.epoch.value); });
  REQUIRE(f.wait([&] { return epochs.size() == 1; }));
  f.broker.restart();
  REQUIRE(f.wait([&] { return epochs.size() == 2; }));
  CHECK(epochs == std::vector<std::uint64_t>{1, 2});
}

TEST_CASE("client: what comes before the reply is handed on in order", "[net]") {
  Fixture f;
  f.broker.on("exec.run", [&](const FakeBroker::Request& request) {
    f.broker.answer(request, "more", codec::encode(proto::exec::Progress{.kind = "started"}));
    f.broker.answer(request, "more", codec::encode(proto::exec::Progress{.kind = "output"}));
    f.broker.answer(request, "reply", codec::encode(proto::exec::Finished{.job = "j"}));
  });
  std::string said;
  f.client->request(
      proto::exec::Run{}, {.timeout = {}},
      [&](Result<proto::exec::Finished> finished) { said += finished->job; },
      [&](proto::exec::Progress progress) { said += progress.kind + " "; });
  REQUIRE(f.wait([&] { return said.ends_with("j"); }));
  CHECK(said == "started output j");
}

TEST_CASE("client: garbage from the broker is passed over", "[net][M6]") {
  Fixture f;
  f.broker.on("kv.get", [&](const FakeBroker::Request& request) {
    f.broker.raw(request.route, "\xc1\xc1", "x");
    f.broker.raw(request.route, "", "");
    f.broker.raw(request.route, proto::encode_answer("reply", RequestNo{99}), "x");
    f.broker.answer(request, "reply", codec::encode(proto::kv::Entry{.key = "k"}));
  });
  CHECK(f.client->call(Get{.key = "k"}));
  f.broker.on("kv.get", [&](const FakeBroker::Request& request) {
    f.broker.answer(request, "reply", "\xc1");
  });
  CHECK(f.client->call(Get{.key = "k"}).error().code == Code::internal);
}

TEST_CASE("client: the broker asks and is answered", "[net]") {
  Fixture f;
  std::string launched;
  f.client->on_request<proto::exec::Launch>(
      [&](const proto::Header&, const proto::exec::Launch& launch) {
        launched = launch.job;
        return proto::Empty{};
      });
  f.broker.on("kv.get", [&](const FakeBroker::Request& request) {
    const auto header = [](const char* verb) {
      return proto::encode_header({.verb = verb, .no = RequestNo{1}, .options = {}});
    };
    f.broker.raw(request.route, header("exec.launch"),
                 codec::encode(proto::exec::Launch{.job = "j"}));
    f.broker.raw(request.route, header("no.such"), "\x80");
  });
  f.client->request(Get{}, {.timeout = {}}, [](Result<proto::kv::Entry>) {});
  REQUIRE(f.wait([&] { return f.broker.answers.size() == 2; }));
  CHECK(launched == "j");
  CHECK(f.broker.answers == std::vector<std::string>{"reply", "error"});
}

TEST_CASE("client: thousands of requests in flight are all answered once", "[net]") {
  Fixture f;
  f.broker.on<Get>([](const Get& get) { return proto::kv::Entry{.key = get.key}; });
  int answered = 0;
  int asked = 0;
  std::function<void()> ask = [&] {
    ++asked;
    f.client->request(Get{.key = "k"}, {}, [&](Result<proto::kv::Entry> entry) {
      answered += entry ? 1 : 0;
      if (asked < 5000) ask();
    });
  };
  for (int i = 0; i < 64; ++i) ask();
  REQUIRE(f.wait([&] { return answered == 5000; }));
  CHECK(f.client->outstanding() == 0);
}

}  // namespace muster::net
