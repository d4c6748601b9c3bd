// notices_test: what comes in at the notices port, and bytes on either that are no ZeroMQ at all.
#include <arpa/inet.h>
#include <random>
#include <sys/socket.h>
#include <unistd.h>

#include "common/net/endpoint.hpp"
#include "common/protocol/catalog.hpp"
#include "common/protocol/kv.hpp"
#include "common/protocol/watch.hpp"
#include "test/message/serving.hpp"
#include "test/support/catch.hpp"

namespace muster::test {
namespace {

using proto::kv::Put;
using proto::watch::Notice;
using proto::watch::topic;

/// A subscriber of the usual kind, or one that sends what it likes (XSUB).
class Listener {
 public:
  Listener(const Serving& serving, zmq::socket_type type) : socket_(context_, type) {
    socket_.set(zmq::sockopt::linger, 0);
    socket_.set(zmq::sockopt::sndhwm, 0);       // libzmq drops subscriptions beyond it
    socket_.set(zmq::sockopt::rcvtimeo, 2000);  // below the 5 s after which a sync would find it
    socket_.connect(serving.notices());
  }
  void subscribe(const std::string& text) { socket_.set(zmq::sockopt::subscribe, text); }
  void unsubscribe(const std::string& text) { socket_.set(zmq::sockopt::unsubscribe, text); }
  void say(const std::string& bytes, zmq::send_flags flags = zmq::send_flags::none) {
    REQUIRE(socket_.send(zmq::buffer(bytes), flags));
  }
  /// First byte 1: a subscription, 0: its end, else no word of the protocol.
  void say(char first, const std::string& text) {
    std::string bytes(1, first);
    bytes.append(text);
    say(bytes);
  }
  Notice hear() {
    zmq::message_t text;
    zmq::message_t body;
    REQUIRE(socket_.recv(text));
    REQUIRE(socket_.recv(body));
    const auto notice = codec::decode<Notice>(body.to_string_view());
    REQUIRE(notice);
    return *notice;
  }

 private:
  zmq::context_t context_;
  zmq::socket_t socket_;
};

struct Connected {
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

  explicit Connected(const std::string& endpoint) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(net::parse_endpoint(endpoint)->port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    REQUIRE(connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
  }
  Connected(const Connected&) = delete;
  Connected& operator=(const Connected&) = delete;
  ~Connected() { close(fd); }

  void say(const std::string& bytes) const {
    // The other end may have closed after a part of it: that is its good right.
    static_cast<void>(send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL));
  }
};

/// A put is told to a subscriber at once, after the tail that its subscription got.
void check_told(Listener& listener, Peer& peer, const std::string& key) {
  const Notice tail = listener.hear();
  CHECK(tail.items.empty());
  CHECK(tail.prev == tail.rev);
  const auto written = peer.ask(Put{.key = key, .value = Bytes("1")});
  const Notice notice = listener.hear();
  CHECK(notice.rev == written.rev);
  CHECK(notice.prev <= tail.rev);
  REQUIRE(notice.items.size() == 1);
  CHECK(notice.items[0].name == key);
}

TEST_CASE("notices: a subscription is answered by a tail, a put by a notice that links to it",
          "[message][M17]") {
  const Serving serving;
  Peer peer(serving, "ann");
  Listener listener(serving, zmq::socket_type::sub);
  listener.subscribe(topic("key:", "a"));
  check_told(listener, peer, "a");
}

TEST_CASE("notices: one of two subscribers leaves, the other goes on hearing", "[message][M17]") {
  const Serving serving;
  Peer peer(serving, "ann");
  Listener stays(serving, zmq::socket_type::sub);
  stays.subscribe(topic("key:", "a"));
  check_told(stays, peer, "a");
  {
    Listener says_so(serving, zmq::socket_type::sub);
    says_so.subscribe(topic("key:", "a"));
    says_so.hear();
    stays.hear();  // a tail is told to all
    says_so.unsubscribe(topic("key:", "a"));
    says_so.subscribe(topic("key:", "b"));
    says_so.hear();
    CHECK(peer.counter("topics") == 2);
    const auto written = peer.ask(Put{.key = "a", .value = Bytes("2")});
    CHECK(stays.hear().rev == written.rev);
  }
  REQUIRE(eventually([&] { return peer.counter("topics") == 1; }));
  const auto written = peer.ask(Put{.key = "a", .value = Bytes("3")});
  CHECK(stays.hear().rev == written.rev);
}

TEST_CASE("notices: what is no topic is refused and counted, topics beside it are served",
          "[message][M16][M31]") {
  const Serving serving;
  Peer peer(serving, "ann");
  Listener listener(serving, zmq::socket_type::sub);
  const std::string wrong[] = {"",
                               "key:a",
                               "nonsense",
                               std::string(100'000, 'k'),
                               topic("key:", "a").append("b"),
                               topic("service:")};
  for (const std::string& text : wrong) listener.subscribe(text);
  listener.subscribe(topic("key:", "a"));
  check_told(listener, peer, "a");
  CHECK(peer.counter("refused_subscriptions") == std::size(wrong));
}

TEST_CASE("notices: ten thousand who watch absent keys are told nothing of another key",
          "[message]") {
  const Serving serving;
  Peer peer(serving, "ann");
  Listener many(serving, zmq::socket_type::sub);
  constexpr int watched = 10'000;
  for (int n = 0; n < watched; ++n) many.subscribe(topic("key:", "absent/" + std::to_string(n)));
  REQUIRE(eventually([&] { return peer.counter("topics") == watched; }));
  const std::uint64_t before = peer.counter("notices");
  CHECK(before == watched);  // a tail each, of the subscription
  peer.ask(Put{.key = "other", .value = Bytes("1")});
  CHECK(peer.counter("notices") == before);
  peer.ask(Put{.key = "absent/7", .value = Bytes("1")});
  CHECK(peer.counter("notices") == before + 1);
}

TEST_CASE("notices: what an XSUB says beside subscriptions disturbs nobody", "[message][M31]") {
  const Serving serving;
  Peer peer(serving, "ann");
  Listener stays(serving, zmq::socket_type::sub);
  stays.subscribe(topic("key:", "a"));
  check_told(stays, peer, "a");
  Listener wild(serving, zmq::socket_type::xsub);
  std::mt19937 random(7);
  for (int n = 0; n < 500; ++n) {
    std::string bytes(random() % 40, '\0');
    for (char& byte : bytes) byte = static_cast<char>(random());
    wild.say(bytes);
    wild.say('x', topic("key:", "a"));
    wild.say('\0', topic("key:", "a"));
  }
  for (const std::string key : {"c", "d", "e"}) {
    Listener late(serving, zmq::socket_type::sub);
    wild.say("no word");
    late.subscribe(topic("key:", key));
    check_told(late, peer, key);
  }
  const auto written = peer.ask(Put{.key = "a", .value = Bytes("2")});
  CHECK(stays.hear().rev == written.rev);
}

bool is_up(Peer& peer, const std::string& node) {
  return peer.ask(proto::catalog::Nodes{.name = node, .matching = {}}).nodes.at(0).up;
}

/// Nobody has marked the node down when the time for that is over.
bool stays_up(Peer& peer, const std::string& node) {
  const TimePoint end = BootClock::now() + limits::down_grace + milliseconds(300);
  while (is_up(peer, node) && BootClock::now() < end) {
  }
  return is_up(peer, node);
}

TEST_CASE("presence: nobody else can say of a node that it has gone", "[message][M31]") {
  const Serving serving;
  Peer node(serving, "node");
  Listener present(serving, zmq::socket_type::sub);
  node.ask(proto::catalog::Register{.node = {.name = "n1", .id = "id"}});
  present.subscribe(topic("node:", "n1"));
  present.hear();
  Listener wild(serving, zmq::socket_type::xsub);
  wild.say('x', topic("node:", "n1"));
  wild.say('\0', topic("node:", "n1"));
  wild.say('\1', topic("key:", "b"));
  wild.hear();
  CHECK(stays_up(node, "n1"));
}

TEST_CASE("presence: a node that came back before its old connection ended is up, then down",
          "[message]") {
  const Serving serving;
  Peer node(serving, "node");
  node.ask(proto::catalog::Register{.node = {.name = "n1", .id = "id"}});
  auto old = std::make_unique<Listener>(serving, zmq::socket_type::sub);
  old->subscribe(topic("node:", "n1"));
  old->hear();
  auto young = std::make_unique<Listener>(serving, zmq::socket_type::sub);
  young->subscribe(topic("node:", "n1"));
  young->hear();
  old.reset();
  CHECK(stays_up(node, "n1"));
  young.reset();
  CHECK(eventually([&] { return !is_up(node, "n1"); }));
}

TEST_CASE("notices: a word is heard behind the beginning of a message, whoever began it",
          "[message][M31]") {
  const Serving serving;
  Peer peer(serving, "ann");
  Listener listener(serving, zmq::socket_type::xsub);
  listener.say("begun", zmq::send_flags::sndmore);
  listener.say('\1', topic("key:", "a"));
  check_told(listener, peer, "a");
}

TEST_CASE("ports: bytes that are no ZeroMQ, on either, disturb nobody", "[message][M31]") {
  const Serving serving;
  Peer peer(serving, "ann");
  Listener listener(serving, zmq::socket_type::sub);
  std::mt19937 random(11);
  std::string noise(200'000, '\0');
  for (char& byte : noise) byte = static_cast<char>(random());
  const std::string greeting = std::string("\xff\0\0\0\0\0\0\0\1\x7f\3\0NULL", 16);
  for (const std::string& endpoint : {serving.requests(), serving.notices()}) {
    const Connected silent(endpoint);
    for (const std::string& bytes :
         {noise, std::string("GET / HTTP/1.1\r\n\r\n"), greeting, greeting + noise,
          greeting + std::string(48, '\0') + noise,
          greeting + std::string(48, '\0') + "\x04\x29\x05READY" + noise}) {
      Connected(endpoint).say(bytes);
    }
  }
  listener.subscribe(topic("key:", "a"));
  check_told(listener, peer, "a");
}

}  // namespace
}  // namespace muster::test
