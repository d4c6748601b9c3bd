// conversation_test: the client's side of the protocol, as short plays.
#include "common/net/conversation.hpp"

#include "test/net/play.hpp"
#include "test/support/catch.hpp"

namespace muster::net {

TEST_CASE("conversation: the first request follows the hello without waiting", "[net]") {
  Play play;
  play.ask("kv.put");
  play.connect();
  play.welcome(2);
  play.hear("reply", 1);
  CHECK(play.transcript() ==
        "> session.hello 2 me\n"
        "> kv.put 1\n"
        "welcomed h\n"
        "1 done\n");
}

TEST_CASE("conversation: acked is the number up to which every answer has come", "[net][M14]") {
  Play play;
  play.connect();
  play.welcome(1);
  play.ask("a");
  play.ask("b");
  play.hear("reply", 3);
  play.ask("c");
  play.hear("reply", 2);
  play.ask("d");
  CHECK(play.transcript() ==
        "> session.hello 1 me\n"
        "welcomed h\n"
        "> a 2 acked 1\n"
        "> b 3 acked 1\n"
        "3 done\n"
        "> c 4 acked 1\n"
        "2 done\n"
        "> d 5 acked 3\n");
}

TEST_CASE(
    "conversation: a connection that the broker does not know gets a hello, then all that is unanswered",
    "[net]") {
  Play play;
  play.connect();
  play.welcome(1);
  play.ask("a");
  play.ask("b");
  play.pass(seconds(1));
  play.transcript();
  play.hear_error(Code::hello, 2);
  play.hear_error(Code::hello, 3);  // the echo of the second says nothing new
  play.welcome(4, "h", 2);
  play.hear("reply", 2);
  play.hear("reply", 3);
  CHECK(play.transcript() ==
        "> session.hello 4 me\n"
        "welcomed h\n"
        "> a 2 acked 1\n"
        "> b 3 acked 1\n"
        "2 done\n"
        "3 done\n");
}

TEST_CASE("conversation: a lost connection is greeted again before anything is repeated",
          "[net][M8]") {
  Play play;
  play.connect();
  play.welcome(1);
  play.ask("a");
  play.lose();
  play.ask("b");
  play.connect();
  play.transcript();
  play.welcome(4);
  CHECK(play.transcript() ==
        "welcomed h\n"
        "> a 2 acked 1\n"
        "> b 3 acked 1\n");
}

TEST_CASE("conversation: a ping every 2 s while something is outstanding, and none when idle",
          "[net][M12]") {
  Play play;
  play.connect();
  play.welcome(1);
  play.pass(seconds(10));
  play.ask_for_ever("lock.acquire");
  play.transcript();
  play.pass(milliseconds(1900));
  CHECK(play.transcript().empty());
  play.pass(milliseconds(200));
  play.hear("reply", 3);
  play.pass(seconds(2));
  play.hear_error(Code::hello, 4);  // the ping finds that the broker was restarted
  CHECK(play.transcript() ==
        "> session.ping 3\n"
        "> session.ping 4\n"
        "> session.hello 5 me\n");
}

TEST_CASE("conversation: one that is to notice a restart pings when idle too", "[net]") {
  Play play({.broker = "tcp://b:1", .client_id = "me", .pings = Pings::always});
  play.connect();
  play.welcome(1);
  play.transcript();
  play.pass(milliseconds(2100));
  play.hear("reply", 2);
  play.pass(milliseconds(4800));
  CHECK(play.transcript() == "> session.ping 2\n");
  play.pass(milliseconds(200));
  CHECK(play.transcript() == "> session.ping 3\n");
}

TEST_CASE("conversation: after three unanswered pings the connection is made anew", "[net]") {
  Play play;
  play.connect();
  play.welcome(1);
  play.ask_for_ever("lock.acquire");
  play.transcript();
  play.pass(seconds(9));
  CHECK(play.transcript() ==
        "> session.ping 3\n"
        "> session.ping 4\n"
        "> session.ping 5\n"
        "reconnect\n");
  play.connect();
  play.welcome(6);
  CHECK(play.transcript() ==
        "> session.hello 6 me\n"
        "welcomed h\n"
        "> lock.acquire 2 acked 1\n");
}

TEST_CASE("conversation: a hello that nobody answers is said again, then the connection made anew",
          "[net]") {
  Play play;
  play.connect();
  play.pass(seconds(7));
  CHECK(play.transcript() ==
        "> session.hello 1 me\n"
        "> session.hello 2 me\n"
        "> session.hello 3 me\n"
        "reconnect\n");
}

TEST_CASE("conversation: a deadline passes with an error that says whether anybody was there",
          "[net]") {
  Play play;
  play.ask("kv.get", seconds(5));
  play.pass(seconds(5));
  CHECK(play.transcript() == "1 unavailable\n");
  CHECK(play.last_error.message == "no broker answered at tcp://b:1 within 5 s");
  play.connect();
  play.welcome(2);
  play.ask("kv.get", milliseconds(1500));
  play.pass(seconds(2));
  CHECK(play.last_error.code == Code::timeout);
  CHECK(play.last_error.message == "the broker at tcp://b:1 did not answer kv.get within 1.5 s");
}

TEST_CASE("conversation: an answer that comes too late, twice, or for nobody means nothing",
          "[net][M6]") {
  Play play;
  play.connect();
  play.welcome(1);
  play.ask("a");
  play.hear("more", 2);
  play.hear("reply", 2);
  play.hear("reply", 2);
  play.hear("more", 2);
  play.hear("reply", 99);
  play.client.received("garbage", "", play.now);
  play.client.received("", "", play.now);
  CHECK(play.transcript() ==
        "> session.hello 1 me\n"
        "welcomed h\n"
        "> a 2 acked 1\n"
        "2 more\n"
        "2 done\n");
  CHECK(play.client.strays() == 5);
}

TEST_CASE("conversation: a request over the broker's bound is refused here, with both numbers",
          "[net][M15]") {
  Play play;
  play.ask("kv.put", seconds(5), std::string(limits::envelope_bytes_max + 1001, 'x'));
  play.connect();  // a large one waits for the bound that the welcome tells
  CHECK(play.transcript() == "> session.hello 2 me\n");
  play.welcome(2);
  play.pass(milliseconds(1));
  CHECK(play.transcript() ==
        "welcomed h\n"
        "1 too_large\n");
  CHECK(play.last_error.message == "kv.put has 66537 bytes, the broker takes at most 66536");
}

TEST_CASE("conversation: a large request that lost its connection twice is not sent a third time",
          "[net]") {
  Play play;
  play.connect();
  play.welcome(1);
  play.ask("kv.put", seconds(5), std::string(limits::envelope_bytes_max + 1, 'x'));
  play.ask("kv.get");
  play.lose();
  play.connect();
  play.welcome(4);
  play.lose();
  play.pass(milliseconds(1));
  play.transcript();
  play.connect();
  play.welcome(5);
  CHECK(play.transcript() ==
        "> session.hello 5 me\n"
        "welcomed h\n"
        "> kv.get 3 acked 2\n");
  CHECK(play.last_error.message.find("lost twice") != std::string::npos);
}

TEST_CASE("conversation: more than may wait is busy, at the next tick", "[net]") {
  Play play;
  for (std::size_t i = 0; i < limits::outstanding_max; ++i) play.ask("a", seconds(60));
  play.ask("one too many");
  CHECK(play.transcript().empty());
  play.pass(milliseconds(0));
  CHECK(play.transcript() == std::to_string(limits::outstanding_max + 1) + " busy\n");
}

TEST_CASE("conversation: a broker of a lower epoch of the same history is refused", "[net][M11]") {
  Play play;
  play.connect();
  play.welcome(1, "h", 5);
  play.lose();
  play.ask("kv.get");
  play.connect();
  play.transcript();
  play.welcome(3, "h", 4);
  CHECK(play.transcript().empty());
  CHECK(!play.client.welcomed());
  play.pass(seconds(2));
  play.welcome(4, "h", 5);
  CHECK(play.transcript() ==
        "> session.hello 4 me\n"
        "welcomed h\n"
        "> kv.get 2 acked 1\n");
}

TEST_CASE("conversation: another history is followed, and told", "[net]") {
  Play play;
  play.connect();
  play.welcome(1, "old", 5);
  play.lose();
  play.connect();
  play.welcome(2, "new", 1);
  CHECK(play.transcript() ==
        "> session.hello 1 me\n"
        "welcomed old\n"
        "> session.hello 2 me\n"
        "welcomed new\n");
}

TEST_CASE("conversation: a hello refused for good fails what waits; one refused for now does not",
          "[net]") {
  Play play;
  play.ask("kv.get");
  play.connect();
  play.transcript();
  play.hear_error(Code::busy, 2);
  play.pass(milliseconds(1));
  CHECK(play.transcript().empty());
  play.pass(seconds(2));
  play.hear_error(Code::version, 3);
  play.pass(milliseconds(1));
  CHECK(play.transcript() ==
        "> session.hello 3 me\n"
        "1 version\n");
}

TEST_CASE("conversation: after half the time that answers are kept, a client is another one",
          "[net][M10]") {
  Play play;
  play.connect();
  play.welcome(1);
  play.ask_for_ever("lock.acquire");
  play.lose();
  play.pass(limits::client_id_age + seconds(1));
  play.ask("kv.put");
  play.transcript();
  play.connect();
  play.pass(milliseconds(1));
  play.welcome(4);
  CHECK(play.transcript() ==
        "> session.hello 4 me.1\n"
        "2 gone\n"
        "welcomed h\n"
        "> kv.put 3 acked 2\n");
}

TEST_CASE("conversation: an idle client that speaks after a long silence is another one too",
          "[net]") {
  Play play;
  play.connect();
  play.welcome(1);
  play.pass(limits::client_id_age + seconds(1));
  play.transcript();
  play.ask("kv.put");
  play.welcome(3);
  CHECK(play.transcript() ==
        "> session.hello 3 me.1\n"
        "welcomed h\n"
        "> kv.put 2 acked 1\n");
}

TEST_CASE("conversation: a broker that forgets every hello at once does not make it spin",
          "[net]") {
  Play play;
  play.connect();
  play.welcome(1);
  play.ask("a");
  play.transcript();
  play.hear_error(Code::hello, 2);
  CHECK(play.transcript().empty());
  play.pass(limits::reconnect_min);
  CHECK(play.transcript() == "> session.hello 3 me\n");
}

TEST_CASE("conversation: the broker asks, and is answered under its own number", "[net]") {
  Play play;
  play.connect();
  play.welcome(1);
  play.client.received(
      proto::encode_header({.verb = "exec.launch", .no = RequestNo{1}, .options = {}}), "\x80",
      play.now);
  play.client.answer(RequestNo{1}, std::string("\x80"));
  play.client.answer(RequestNo{2}, Error{Code::conflict, "no"});
  play.pass(milliseconds(0));
  CHECK(play.client.take().size() == 3);
}

}  // namespace muster::net
