// reactor_test: sources before timers, one shot and repeating timers, signals, stops.
#include "common/net/reactor.hpp"

#include <csignal>
#include <string>
#include <sys/eventfd.h>
#include <unistd.h>

#include "common/net/signals.hpp"
#include "common/net/socket.hpp"
#include "test/support/catch.hpp"

namespace muster::net {
namespace {

TimePoint in(Duration wait) { return BootClock::now() + wait; }

}  // namespace

TEST_CASE("reactor: timers fire in the order of their deadlines, a cancelled one never", "[net]") {
  Reactor reactor;
  std::string fired;
  reactor.after(milliseconds(6), [&] { reactor.stop(); });
  reactor.after(milliseconds(4), [&] { fired += 'b'; });
  const TimerId cancelled = reactor.after(milliseconds(3), [&] { fired += 'x'; });
  reactor.after(milliseconds(2), [&] { fired += 'a'; });
  reactor.cancel(cancelled);
  CHECK(reactor.run_until(in(seconds(5))) == Ended::stopped);
  CHECK(fired == "ab");
}

TEST_CASE("reactor: a repeating timer goes on until it is cancelled, by itself too", "[net]") {
  Reactor reactor;
  int ticks = 0;
  TimerId timer;
  timer = reactor.every(milliseconds(1), [&] {
    if (++ticks == 3) reactor.cancel(timer);
  });
  reactor.after(milliseconds(20), [&] { reactor.stop(); });
  reactor.run();
  CHECK(ticks == 3);
}

TEST_CASE("reactor: a deadline or a predicate ends the run", "[net]") {
  Reactor reactor;
  int turns = 0;
  reactor.every(milliseconds(1), [&] { ++turns; });
  CHECK(reactor.run_until(in(seconds(5)), [&] { return turns == 2; }) == Ended::satisfied);
  CHECK(reactor.run_until(in(milliseconds(3))) == Ended::deadline);
}

TEST_CASE("reactor: what is ready is handled before a timer that is due", "[net]") {
  Reactor reactor;
  const int event = eventfd(1, EFD_NONBLOCK | EFD_CLOEXEC);
  std::string order;
  SourceId source;
  source = reactor.watch(event, Interest::readable, [&] {
    order += "message ";
    reactor.forget(source);
  });
  reactor.at(BootClock::now() - seconds(1), [&] {
    order += "timer";
    reactor.stop();
  });
  CHECK(reactor.run_until(in(seconds(5))) == Ended::stopped);
  CHECK(order == "message timer");
  close(event);
}

TEST_CASE("reactor: after the loop stood still, timers wait until the sources are quiet", "[net]") {
  Reactor reactor;
  const int event = eventfd(3, EFD_NONBLOCK | EFD_CLOEXEC | EFD_SEMAPHORE);
  std::string order;
  Duration stall{};
  reactor.on_stall([&](Duration by) { stall = by; });
  bool stood = false;
  reactor.watch(event, Interest::readable, [&] {
    std::uint64_t one = 0;
    REQUIRE(read(event, &one, sizeof one) == sizeof one);
    order += "message ";
    const TimePoint until = in(limits::stall_max + milliseconds(50));
    while (!stood && BootClock::now() < until) {
    }
    stood = true;
  });
  bool armed = false;
  reactor.each_turn([&] {
    if (!armed)
      reactor.at(BootClock::now(), [&] {
        order += "timer";
        reactor.stop();
      });
    armed = true;
  });
  CHECK(reactor.run_until(in(seconds(5))) == Ended::stopped);
  CHECK(order == "message message message timer");
  CHECK(stall > milliseconds(0));
  close(event);
}

TEST_CASE("reactor: a signal is something to poll", "[net]") {
  Signals signals({SIGUSR1});
  Reactor reactor;
  std::optional<int> got;
  reactor.watch(signals.fd(), Interest::readable, [&] {
    got = signals.next();
    reactor.stop();
  });
  raise(SIGUSR1);
  CHECK(reactor.run_until(in(seconds(5))) == Ended::stopped);
  CHECK(got == SIGUSR1);
  CHECK(signals.next() == std::nullopt);
}

TEST_CASE("reactor: a handler that takes one message a turn still gets them all", "[net]") {
  zmq::context_t context;
  zmq::socket_t router = *bind_requests(context, "tcp://127.0.0.1:*");
  zmq::socket_t dealer = *connect_requests(context, bound_endpoint(router));
  Reactor reactor;
  int sent = 0;
  int got = 0;
  const SourceId writer = reactor.watch(dealer, Interest::writable, [&] {
    if (sent < 10) sent += send(dealer, {"header", "body"}) == Sent::sent ? 1 : 0;
    else reactor.set_interest(writer, Interest::none);
  });
  reactor.watch(router, Interest::readable, [&] {
    drain(router, 1, [&](Message message) { got += message.frames.size() == 3 ? 1 : 0; });
  });
  CHECK(reactor.run_until(in(seconds(5)), [&] { return got == 10; }) == Ended::satisfied);
}

}  // namespace muster::net
