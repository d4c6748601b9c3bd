// exec_run: see exec_run.hpp.
#include "cli/exec_run.hpp"

#include <cerrno>
#include <csignal>
#include <cstring>
#include <unistd.h>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "cli/print.hpp"

namespace muster::cli {
namespace {

using proto::exec::Outcome;
using proto::exec::Progress;

/// Labelled at once; more would only make memory larger.
constexpr std::size_t bytes_at_once = 64 * limits::KiB;
/// Requests for credit under way.
constexpr std::size_t credits_max = 128;
static_assert(credits_max < limits::outstanding_max);
/// How long a cancelled job may take to end beyond the grace that its commands have.
constexpr seconds cancel_patience{5};

}  // namespace

ExecRun::ExecRun(const Surroundings& surroundings, ExecOrder order)
    : surroundings_(surroundings),
      order_(std::move(order)),
      signals_({SIGINT, SIGTERM, SIGHUP, SIGQUIT}) {}

Exit ExecRun::run() {
  auto opened = open_client(reactor_, context_, surroundings_);
  if (!opened) {
    complain(fmt::format("muster exec: {}", opened.error().message));
    return Exit::usage;
  }
  client_ = *std::move(opened);
  out_ = std::make_unique<Outlet>(reactor_, STDOUT_FILENO, [this] { pump(); });
  err_ = std::make_unique<Outlet>(reactor_, STDERR_FILENO, [this] { pump(); });
  reactor_.watch(signals_.fd(), net::Interest::readable, [this] { on_signal(); });
  ask();
  reactor_.run();
  return exit_;
}

/// The job may take as long as it takes; that a broker is there must show in time.
void ExecRun::ask() {
  net::RequestOptions options = options_of(surroundings_);
  client_->request<proto::session::Ping>({}, options,
                                         [this](const Result<proto::session::Pong>& pong) {
                                           if (!pong && job_.empty()) on_done(pong.error());
                                         });
  options.timeout.reset();
  request_ = client_->request<proto::exec::Run>(
      order_.run, options,
      [this](Result<proto::exec::Finished> finished) { on_done(std::move(finished)); },
      [this](const Progress& progress) { on_progress(progress); });
}

void ExecRun::on_progress(const Progress& progress) {
  if (progress.kind == "created") on_created(progress);
  else if (progress.kind == "output") on_output(progress);
  else if (progress.kind == "exited") on_exited(progress.outcome);
  else if (progress.kind == "started" && order_.show == Show::verbose_lines)
    text() += fmt::format("==> {}: acknowledged\n", progress.node);
  send_credits();
  pump();
}

/// A second time after a reconnect: what was under way then may be lost.
void ExecRun::on_created(const Progress& progress) {
  if (!job_.empty()) {
    for (const std::string& node : progress.nodes) {
      if (!outcomes_.contains(node)) flow_.ask_again(node);
    }
    return;
  }
  job_ = progress.job;
  if (order_.show == Show::verbose_lines) {
    text() += fmt::format("Created remote execution session: {}\n", job_);
  }
  if (!progress.maintenance.empty()) {
    err_text_ +=
        fmt::format("muster exec: in maintenance: {}\n", fmt::join(progress.maintenance, ", "));
  }
  if (cancelled_) send_cancel();
}

void ExecRun::on_output(const Progress& progress) {
  const Source source{.node = progress.node, .stream = progress.stream};
  if (flow_.ended(source)) return;
  const std::string_view fresh = flow_.arrive(source, progress.offset, progress.bytes.view());
  if (!fresh.empty())
    pieces_.push_back({.kind = Piece::Kind::bytes, .source = source, .bytes = std::string(fresh)});
  if (progress.eof && progress.offset + progress.bytes.size() <= flow_.received(source)) {
    flow_.end(source);
    pieces_.push_back({.kind = Piece::Kind::end, .source = source});
  }
  settle(progress.node);
}

void ExecRun::on_exited(const Outcome& outcome) {
  outcomes_[outcome.node] = outcome;
  settle(outcome.node);
}

/// The line that says how a node ended comes behind all of its output.
void ExecRun::settle(const std::string& node) {
  const auto outcome = outcomes_.find(node);
  if (outcome == outcomes_.end() || told_.contains(node)) return;
  const auto complete = [&](std::uint64_t stream, std::uint64_t bytes) {
    const Source source{.node = node, .stream = stream};
    return flow_.ended(source) || flow_.received(source) >= bytes;
  };
  const bool all = complete(1, outcome->second.out_bytes) && complete(2, outcome->second.err_bytes);
  if (!all && !finished_) return;
  for (const std::uint64_t stream : {1U, 2U}) {
    const Source source{.node = node, .stream = stream};
    if (flow_.ended(source)) continue;
    flow_.end(source);
    pieces_.push_back({.kind = Piece::Kind::end, .source = source});
  }
  told_.insert(node);
  pieces_.push_back({.kind = Piece::Kind::ending, .source = {.node = node}});
}

void ExecRun::on_done(Result<proto::exec::Finished> finished) {
  if (finished_) return;
  client_->forget(request_);
  finished_ = std::move(finished);
  if (*finished_) {
    for (const Outcome& outcome : (*finished_)->outcomes) outcomes_[outcome.node] = outcome;
    for (const auto& [node, outcome] : outcomes_) settle(node);
    complain_of_gaps();
    pieces_.push_back({.kind = Piece::Kind::sum});
  }
  pump();
}

void ExecRun::complain_of_gaps() {
  for (const auto& [node, outcome] : outcomes_) {
    const std::uint64_t bytes = outcome.out_bytes + outcome.err_bytes;
    const std::uint64_t here = flow_.received({node, 1}) + flow_.received({node, 2});
    if (here < bytes)
      err_text_ +=
          fmt::format("muster exec: {}: {} bytes of output did not arrive\n", node, bytes - here);
  }
}

// --- signals ---

void ExecRun::on_signal() {
  while (const auto signal = signals_.next()) {
    if (cancelled_) reactor_.stop();  // the second one: at once
    else cancel(exit_of_signal(*signal));
  }
  pump();
}

void ExecRun::cancel(Exit exit) {
  cancelled_ = exit;
  exit_ = exit;
  if (finished_) return reactor_.stop();  // only the writing was left
  err_text_ += "muster exec: cancelling the command on all nodes\n";
  if (!job_.empty()) send_cancel();
  const milliseconds grace(static_cast<std::int64_t>(order_.run.kill_grace_ms));
  reactor_.after(grace + cancel_patience, [this] { reactor_.stop(); });
}

void ExecRun::send_cancel() {
  client_->request<proto::exec::Cancel>({.job = job_}, options_of(surroundings_),
                                        [](const Result<proto::Empty>&) {});
}

// --- output ---

/// As long as the outlets take more: what has left is acknowledged, what is queued is labelled. So
/// the queue holds bytes as they came, and only what fits the outlets as lines.
void ExecRun::pump() {
  while (out_->empty() && err_->empty()) {
    acknowledge();
    const bool nothing_left = pieces_.empty() && out_text_.empty() && err_text_.empty();
    if (nothing_left && finished_) over();
    if (nothing_left) return;
    print_some();
    if (!out_text_.empty()) out_->fill(std::exchange(out_text_, {}));
    if (!err_text_.empty()) err_->fill(std::exchange(err_text_, {}));
  }
}

void ExecRun::print_some() {
  std::size_t took = 0;
  while (!pieces_.empty() && took < bytes_at_once) {
    Piece& piece = pieces_.front();
    const std::size_t before = piece.used;
    print_piece(piece);
    took += piece.used - before;
    if (piece.used == piece.bytes.size()) pieces_.pop_front();
  }
}

void ExecRun::print_piece(Piece& piece) {
  switch (piece.kind) {
    case Piece::Kind::bytes: print_bytes(piece); break;
    case Piece::Kind::end: lines_.finish(piece.source, text()); break;
    case Piece::Kind::ending: text() += ending_line(outcomes_.at(piece.source.node)) + "\n"; break;
    case Piece::Kind::sum: print_sum(); break;
  }
}

void ExecRun::print_bytes(Piece& piece) {
  const std::string_view bytes = std::string_view(piece.bytes).substr(piece.used, bytes_at_once);
  const bool chosen = order_.show != Show::raw || piece.source.node == order_.raw_node;
  const bool raw = order_.show == Show::raw && piece.source.stream == 1;
  if (chosen && raw) out_text_.append(bytes);
  else if (chosen) lines_.add(piece.source, bytes, text());
  leaving_[piece.source] += bytes.size();
  piece.used += bytes.size();
}

void ExecRun::print_sum() {
  text() += summary_line((*finished_)->outcomes) + "\n";
  if (order_.show != Show::verbose_lines) return;
  const double took = std::chrono::duration<double>(BootClock::now() - began_).count();
  text() += fmt::format("Completed in {:.2f} seconds\n", took);
}

/// What was in the outlets has left: the nodes may send more.
void ExecRun::acknowledge() {
  for (const auto& [source, bytes] : std::exchange(leaving_, {})) flow_.leave(source, bytes);
  send_credits();
  if (out_->broken() == 0 || cancelled_) return;
  if (out_->broken() != EPIPE) {
    err_text_ +=
        fmt::format("muster exec: cannot write to stdout: {}\n", std::strerror(out_->broken()));
  }
  cancel(out_->broken() == EPIPE ? exit_of_signal(SIGPIPE) : Exit::failed);
}

void ExecRun::send_credits() {
  if (job_.empty()) return;
  for (proto::exec::Credit& credit : flow_.due(job_)) credits_.push_back(std::move(credit));
  while (!credits_.empty() && credits_asked_ < credits_max && !finished_) {
    ++credits_asked_;
    client_->request<proto::exec::Credit>(credits_.front(), options_of(surroundings_),
                                          [this](const Result<proto::Empty>&) {
                                            --credits_asked_;
                                            send_credits();
                                          });
    credits_.pop_front();
  }
}

/// The broker has answered and everything is written.
void ExecRun::over() {
  reactor_.stop();
  if (cancelled_) return;
  if (*finished_) {
    exit_ = exit_of((*finished_)->outcomes);
  } else {
    exit_ = report("muster exec: ", finished_->error(), *client_);
    if (exit_ == Exit::not_found) exit_ = Exit::no_target;
  }
}

}  // namespace muster::cli
