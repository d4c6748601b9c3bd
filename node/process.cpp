// process: a supervised command's pipes and reports in the reactor.
#include "node/process.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fmt/format.h>

namespace muster::node {
namespace {

using os::Report;

/// What the kernel takes as one argument (MAX_ARG_STRLEN); a longer line is run as a script.
constexpr std::size_t line_bytes_max = 128 * limits::KiB - 1;

/// A private file that can be run. Errors: unavailable.
Result<std::string> write_script(std::string_view text) {
  const char* folder = std::getenv("TMPDIR");
  std::string path = fmt::format("{}/muster-script-XXXXXX",
                                 folder == nullptr || *folder == '\0' ? "/tmp" : folder);
  const os::Fd file(::mkostemp(path.data(), O_CLOEXEC));
  if (!file)
    return Error{Code::unavailable,
                 fmt::format("no place for the script: {}", std::strerror(errno))};
  while (!text.empty()) {
    const ssize_t written = ::write(file.get(), text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) break;
    text.remove_prefix(static_cast<std::size_t>(written));
  }
  if (text.empty() && ::fchmod(file.get(), 0700) == 0) return path;
  const Error error{Code::unavailable,
                    fmt::format("cannot write the script: {}", std::strerror(errno))};
  ::unlink(path.c_str());
  return error;
}

std::string_view script_of(const proto::exec::Command& command) {
  return command.line.size() > line_bytes_max ? command.line : command.script.view();
}

std::vector<std::string> arguments(const proto::exec::Command& command, const std::string& script) {
  if (!command.args.empty()) return command.args;
  if (script.empty()) return os::shell_command(command.line);
  if (script_of(command).starts_with("#!")) return {script};
  return {os::shell_command(script).front(), script};
}

}  // namespace

/// Without reading, for which there may be no credit.
Process::Content Process::content_of(const os::Fd& pipe) {
  pollfd item{pipe.get(), POLLIN, 0};
  if (::poll(&item, 1, 0) <= 0) return Content::nothing;
  return (item.revents & POLLIN) != 0 ? Content::bytes : Content::end;
}

Result<std::unique_ptr<Process>> Process::start(net::Reactor& reactor,
                                                const proto::exec::Launch& launch,
                                                std::vector<std::string> environment,
                                                Events events) {
  std::string script;
  if (const std::string_view text = script_of(launch.command); !text.empty()) {
    Result<std::string> written = write_script(text);
    if (!written) return written.error();
    script = std::move(*written);
  }
  auto command = os::Supervised::start({.argv = arguments(launch.command, script),
                                        .environment = std::move(environment),
                                        .input = os::Stream::null,
                                        .output = os::Stream::pipe,
                                        .errors = os::Stream::pipe,
                                        .grace = milliseconds(launch.kill_grace_ms),
                                        .leftovers = os::Leftovers::keep});
  if (!command) {
    if (!script.empty()) ::unlink(script.c_str());
    return command.error();
  }
  return std::unique_ptr<Process>(
      new Process(reactor, std::move(*command), std::move(events), std::move(script)));
}

Process::Process(net::Reactor& reactor, os::Supervised command, Events events, std::string script)
    : reactor_(reactor),
      command_(std::move(command)),
      events_(std::move(events)),
      script_(std::move(script)) {
  pipes_[0].fd = std::move(command_.output());
  pipes_[1].fd = std::move(command_.errors());
  for (const std::uint64_t stream : {1U, 2U}) {
    Pipe& pipe = pipes_[stream - 1];
    pipe.source =
        reactor_.watch(pipe.fd.get(), net::Interest::none, [this, stream] { read(stream); });
  }
  control_ =
      reactor_.watch(command_.control(), net::Interest::readable, [this] { read_reports(); });
}

Process::~Process() {
  reactor_.forget(control_);
  reactor_.cancel(timer_);
  for (Pipe& pipe : pipes_) {
    if (pipe.open) reactor_.forget(pipe.source);
  }
  if (!script_.empty()) ::unlink(script_.c_str());
}

void Process::allow(std::uint64_t stream, std::size_t bytes) {
  Pipe& pipe = pipes_[stream - 1];
  pipe.allowed = bytes;
  if (pipe.open)
    reactor_.set_interest(pipe.source, bytes == 0 ? net::Interest::none : net::Interest::readable);
}

void Process::read_reports() {
  while (const std::optional<Report> report = command_.next()) {
    switch (report->kind) {
      case Report::Kind::started: events_.started(); break;
      case Report::Kind::refused:
        refusal_ = fmt::format("cannot be run: {}", std::strerror(report->number));
        break;
      case Report::Kind::exited:
      case Report::Kind::killed: {
        const bool by_signal = report->kind == Report::Kind::killed;
        ending_ = Ending{.code = by_signal ? 0 : report->number,
                         .signal = by_signal ? report->number : 0,
                         .duration = Duration(report->duration_us)};
        break;
      }
      case Report::Kind::gone: over(); return;
    }
  }
}

void Process::read(std::uint64_t stream) {
  Pipe& pipe = pipes_[stream - 1];
  if (pipe.allowed == 0) return;  // since this turn's poll
  std::array<char, limits::output_chunk_bytes> bytes{};
  const ssize_t got = ::read(pipe.fd.get(), bytes.data(), std::min(pipe.allowed, bytes.size()));
  if (got < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (got <= 0) {
    close(stream);
    return;
  }
  events_.output(stream, {bytes.data(), static_cast<std::size_t>(got)});
}

void Process::close(std::uint64_t stream) {
  Pipe& pipe = pipes_[stream - 1];
  if (!pipe.open) return;
  pipe.open = false;
  reactor_.forget(pipe.source);
  pipe.fd.reset();
  events_.ended_stream(stream);
}

/// Told only now, since whoever hears of it may let go of us, and of the supervisor with us. A
/// stream that a process left behind holds open, with nothing in it, ends a moment later by our
/// word.
void Process::over() {
  reactor_.set_interest(control_, net::Interest::none);
  if (!ending_) return events_.refused(refusal_);
  events_.exited(*ending_);
  close_unless([](Content content) { return content != Content::end; });
  timer_ = reactor_.every(limits::output_after_exit, [this] {
    close_unless([](Content content) { return content == Content::bytes; });
  });
}

void Process::close_unless(bool (*stays)(Content)) {
  for (const std::uint64_t stream : {1U, 2U}) {
    const Pipe& pipe = pipes_[stream - 1];
    if (pipe.open && !stays(content_of(pipe.fd))) close(stream);
  }
}

}  // namespace muster::node
