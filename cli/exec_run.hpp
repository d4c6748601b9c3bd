// exec_run: one run of `muster exec`: from the request to the last written byte.
//
//   asked     -- created ---> running     the nodes are known, each gets its window
//   asked     -- error -----> over        nobody matches, a pattern that does not compile, denied
//   running   -- output ----> running     queued; written as stdout takes it; credit as it leaves
//   running   -- exited ----> running     that node's line waits until its output is out
//   running   -- reply -----> over        when everything queued is written
//   any       -- signal ----> cancelling  exec.cancel; the same as before until a deadline
//   cancelling- signal -----> over        at once
//
// Nothing here waits for a fixed time: the broker knows who was asked.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "cli/exec_flow.hpp"
#include "cli/exec_lines.hpp"
#include "cli/inquiry.hpp"
#include "common/handle/outlet.hpp"
#include "common/net/signals.hpp"

namespace muster::cli {

/// How the output is shown.
enum class Show { lines, verbose_lines, raw };

struct ExecOrder {
  proto::exec::Run run;
  Show show = Show::lines;
  std::string raw_node;  ///< with Show::raw: whose stdout
};

class ExecRun {
 public:
  ExecRun(const Surroundings& surroundings, ExecOrder order);

  Exit run();

 private:
  /// What is to be printed, in order: bytes of a source, its end, how a node ended, the sum.
  struct Piece {
    enum class Kind { bytes, end, ending, sum };
    Kind kind = Kind::bytes;
    Source source = {};
    std::string bytes = {};
    std::size_t used = 0;
  };

  void ask();
  void on_progress(const proto::exec::Progress& progress);
  void on_created(const proto::exec::Progress& progress);
  void on_output(const proto::exec::Progress& progress);
  void on_exited(const proto::exec::Outcome& outcome);
  void on_done(Result<proto::exec::Finished> finished);
  void on_signal();
  void cancel(Exit exit);
  void send_cancel();
  void settle(const std::string& node);
  void complain_of_gaps();

  void pump();
  void print_some();
  void print_piece(Piece& piece);
  void print_bytes(Piece& piece);
  void print_sum();
  std::string& text() { return order_.show == Show::raw ? err_text_ : out_text_; }
  void acknowledge();
  void send_credits();
  void over();

  const Surroundings& surroundings_;
  const ExecOrder order_;
  const TimePoint began_ = BootClock::now();

  net::Signals signals_;
  zmq::context_t context_;
  net::Reactor reactor_;
  std::unique_ptr<net::Client> client_;
  std::unique_ptr<Outlet> out_;
  std::unique_ptr<Outlet> err_;

  std::string job_;
  RequestNo request_;
  ExecFlow flow_;
  ExecLines lines_;
  std::deque<Piece> pieces_;
  std::map<std::string, proto::exec::Outcome> outcomes_;  ///< by node
  std::set<std::string> told_;               ///< nodes whose ending is among the pieces
  std::map<Source, std::uint64_t> leaving_;  ///< bytes in the outlets' buffers
  std::string out_text_;
  std::string err_text_;
  std::deque<proto::exec::Credit> credits_;
  std::size_t credits_asked_ = 0;
  std::optional<Result<proto::exec::Finished>> finished_;
  std::optional<Exit> cancelled_;
  Exit exit_ = Exit::ok;
};

}  // namespace muster::cli
