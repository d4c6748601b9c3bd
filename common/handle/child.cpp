// child: see child.hpp.
#include "common/handle/child.hpp"

#include <cctype>
#include <cstring>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace muster {
namespace {

std::string lower(std::string text) {
  if (!text.empty()) text.front() = static_cast<char>(std::tolower(text.front()));
  return text;
}

}  // namespace

std::vector<std::string> program_of(std::span<const std::string> words, Shell shell) {
  if (shell == Shell::yes) return os::shell_command(fmt::format("{}", fmt::join(words, " ")));
  return {words.begin(), words.end()};
}

std::string words_for(const ChildEnd& end) {
  if (end.refused != 0) return lower(std::strerror(end.refused));
  if (end.signal != 0) return fmt::format("signal: {}", lower(strsignal(end.signal)));
  return fmt::format("exit status {}", end.code);
}

Result<std::unique_ptr<Child>> Child::start(net::Reactor& reactor, const os::Command& command,
                                            std::string input,
                                            std::function<void(const ChildEnd&)> on_gone) {
  Result<os::Supervised> supervised = os::Supervised::start(command);
  if (!supervised) return supervised.error();
  std::unique_ptr<Child> child(new Child(reactor, *std::move(supervised), std::move(on_gone)));
  if (child->supervised_.input()) child->feed(std::move(input));
  return child;
}

Child::Child(net::Reactor& reactor, os::Supervised supervised,
             std::function<void(const ChildEnd&)> on_gone)
    : reactor_(reactor), supervised_(std::move(supervised)), on_gone_(std::move(on_gone)) {
  control_ =
      reactor_.watch(supervised_.control(), net::Interest::readable, [this] { read_reports(); });
}

Child::~Child() { reactor_.forget(control_); }

/// A child that does not read its stdin holds nobody up: what is left is dropped with the pipe.
void Child::feed(std::string input) {
  const auto close = [this] {
    input_.reset();
    supervised_.input().reset();
  };
  if (input.empty()) return close();
  input_ = std::make_unique<Outlet>(reactor_, supervised_.input().get(), close);
  input_->fill(std::move(input));
}

void Child::read_reports() {
  while (const std::optional<os::Report> report = supervised_.next()) {
    switch (report->kind) {
      case os::Report::Kind::started: pid_ = report->number; break;
      case os::Report::Kind::refused: end_.refused = report->number; break;
      case os::Report::Kind::exited: end_.code = report->number; break;
      case os::Report::Kind::killed: end_.signal = report->number; break;
      case os::Report::Kind::gone: {
        reactor_.forget(std::exchange(control_, {}));
        const auto on_gone = std::move(on_gone_);
        on_gone(end_);
        return;
      }
    }
  }
}

}  // namespace muster
