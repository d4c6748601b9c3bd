// program: pipes and reports into a reactor.
#include "test/node/program.hpp"

#include <array>
#include <unistd.h>

#include "test/support/catch.hpp"

namespace muster::node {
namespace {

os::Supervised started(std::vector<std::string> argv) {
  argv.front() = os::program_folder() + "/" + argv.front();
  auto command = os::Supervised::start({.argv = std::move(argv),
                                        .environment = os::environment_with({}),
                                        .output = os::Stream::pipe,
                                        .errors = os::Stream::pipe,
                                        .grace = seconds(1)});
  REQUIRE(command);
  return std::move(*command);
}

}  // namespace

Program::Program(net::Reactor& reactor, std::vector<std::string> argv)
    : reactor_(reactor), command_(started(std::move(argv))) {
  watch(command_.output(), out);
  watch(command_.errors(), err);
  sources_.push_back(reactor_.watch(command_.control(), net::Interest::readable, [this] {
    while (const auto report = command_.next()) {
      if (report->kind == os::Report::Kind::exited) code_ = report->number;
      if (report->kind == os::Report::Kind::killed) code_ = -report->number;
      if (report->kind != os::Report::Kind::gone) continue;
      gone_ = true;
      reactor_.set_interest(sources_[2], net::Interest::none);
    }
  }));
}

Program::~Program() {
  command_.end();
  reactor_.run_until(BootClock::now() + seconds(30), [this] { return gone_; });
  for (const net::SourceId source : sources_) reactor_.forget(source);
}

void Program::watch(os::Fd& fd, std::string& text) {
  ++open_;
  const std::size_t index = sources_.size();
  sources_.push_back(reactor_.watch(fd.get(), net::Interest::readable, [this, index, &fd, &text] {
    std::array<char, 4096> piece{};
    const ssize_t got = ::read(fd.get(), piece.data(), piece.size());
    if (got > 0) text.append(piece.data(), static_cast<std::size_t>(got));
    if (got != 0) return;
    reactor_.set_interest(sources_[index], net::Interest::none);
    --open_;
  }));
}

void Program::wait(const std::function<bool()>& done) {
  const auto how = reactor_.run_until(BootClock::now() + seconds(30), done);
  INFO(out << err);
  REQUIRE(how == net::Ended::satisfied);
}

int Program::code() {
  wait([this] { return gone_ && open_ == 0; });
  return *code_;
}

void Program::wait_for(const std::string& text) {
  wait([&] { return err.find(text) != std::string::npos; });
}

}  // namespace muster::node
