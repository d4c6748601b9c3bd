// stage: the scripted broker's part of it.
#include "test/node/stage.hpp"

#include <csignal>

#include <spdlog/spdlog.h>

#include "test/support/catch.hpp"

namespace muster::node {

Stage::Stage() {
  spdlog::set_level(spdlog::level::off);
  broker.on("catalog.register", [this](const net::FakeBroker::Request& request) {
    if (refuse_enrol) {
      ++refused;
      return broker.answer(request, "error", proto::encode_error(*refuse_enrol));
    }
    route = request.route;
    enrolled = *codec::decode<proto::catalog::Register>(request.body);
    ++registrations;
    broker.answer(request, "reply", codec::encode(proto::catalog::Registered{.attach_gen = 1}));
  });
  broker.on("exec.output", [this](const net::FakeBroker::Request& request) {
    if (refuse_output || request.route != route) {
      const Error denied{Code::denied, "no node has registered on this connection"};
      return broker.answer(request, "error", proto::encode_error(refuse_output.value_or(denied)));
    }
    take_output(*codec::decode<proto::exec::Output>(request.body));
    broker.answer(request, "reply", codec::encode(proto::Empty{}));
  });
  broker.on<proto::exec::Started>([](const auto&) { return proto::Empty{}; });
  broker.on<proto::exec::Exited>([this](const proto::exec::Exited& exited) {
    outcomes[exited.job] = exited.outcome;
    return proto::Empty{};
  });
  start_node();
  REQUIRE(wait_registered());
}

Stage::~Stage() { stop_node(); }

void Stage::start_node() {
  registrations = 0;
  journal = std::make_unique<Journal>(folder.path(), "id-of-n1");
  agent = std::make_unique<Agent>(reactor, context,
                                  Options{.name = "n1",
                                          .data = folder.path(),
                                          .broker = broker.endpoint(),
                                          .definitions = definitions.path(),
                                          .tags = {"blue"}},
                                  *journal);
}

void Stage::stop_node() {
  agent.reset();
  journal.reset();
}

void Stage::restart_node() {
  stop_node();
  start_node();
  REQUIRE(wait_registered());
}

bool Stage::wait(const std::function<bool()>& done) {
  return reactor.run_until(BootClock::now() + seconds(30), done) == net::Ended::satisfied;
}

/// As a caller does: what is new at the end of what it has.
void Stage::take_output(const proto::exec::Output& output) {
  std::string& text = output.stream == 1 ? stdouts[output.job] : stderrs[output.job];
  if (output.offset <= text.size())
    text += output.bytes.data.substr(
        std::min<std::size_t>(text.size() - output.offset, output.bytes.size()));
  if (!acknowledging) return;
  ask(proto::exec::Credit{.job = output.job, .stream = output.stream, .have = text.size()});
}

proto::exec::Outcome Stage::outcome(const std::string& job) {
  REQUIRE(wait([&] { return outcomes.contains(job); }));
  return outcomes[job];
}

std::string& Stage::out(const std::string& job, std::size_t at_least) {
  REQUIRE(wait([&] { return stdouts[job].size() >= at_least; }));
  return stdouts[job];
}

std::string Stage::line(const std::string& job) {
  REQUIRE(wait([&] { return stdouts[job].find('\n') != std::string::npos; }));
  return stdouts[job].substr(0, stdouts[job].find('\n'));
}

bool alive(int pid) { return ::kill(pid, 0) == 0; }

}  // namespace muster::node
