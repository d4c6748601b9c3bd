// snapshot: the whole state as a file: saved, looked into, restored.
#include "common/protocol/snapshot.hpp"

#include <array>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <optional>
#include <unistd.h>

#include <fmt/format.h>

#include "cli/file_sink.hpp"
#include "cli/format.hpp"
#include "cli/inquiry.hpp"
#include "cli/nouns.hpp"
#include "cli/print.hpp"
#include "common/net/client.hpp"
#include "common/protocol/session.hpp"
#include "common/snapshot/file.hpp"

namespace muster::cli {
namespace {

using snapshot::Head;

/// A broker that is asked for a snapshot, piece by piece.
class Transfer {
 public:
  explicit Transfer(const Command& command)
      : surroundings_(command.surroundings()),
        patience_(command.given("timeout") ? surroundings_.timeout : limits::snapshot_wait),
        client_(open_client(reactor_, context_, surroundings_)) {}

  /// Whether anybody is there, before there is long to wait for. Errors: the broker's.
  Result<Done> reach() {
    const auto pong = ask(proto::session::Ping{}, surroundings_.timeout);
    if (!pong) return pong.error();
    return Done{};
  }
  /// What takes a disk may take long.
  template <class Request>
  Result<typename Request::Reply> ask(const Request& request) {
    return ask(request, patience_);
  }
  template <class Request>
  Result<typename Request::Reply> ask(const Request& request, Duration timeout) {
    if (!client_) return client_.error();
    net::RequestOptions options = options_of(surroundings_);
    options.timeout = timeout;
    return (*client_)->call(request, std::move(options));
  }
  /// What lies at the broker is not needed any more.
  void drop(const std::string& id) {
    static_cast<void>(ask(proto::snapshot::Drop{.id = id}, surroundings_.timeout));
  }
  /// In one message.
  std::size_t piece_bytes() const {
    return limits::snapshot_piece_bytes((*client_)->welcome().message_bytes_max);
  }
  Exit report(std::string_view before, const Error& error) const {
    if (client_) return cli::report(before, error, **client_);
    complain(fmt::format("muster: {}", error.message));
    return Exit::usage;
  }

 private:
  const Surroundings& surroundings_;
  const Duration patience_;
  zmq::context_t context_;
  net::Reactor reactor_;
  Result<std::unique_ptr<net::Client>> client_;
};

// --- save ---

constexpr Command::Text save_text = {
    .name = "snapshot save",
    .arguments = "[options] FILE",
    .about =
        "Saves the state of the broker (keys, catalog, events, sessions, locks, jobs) to FILE, or to stdout\n"
        "(`-`), while it goes on serving. FILE is there whole and verified, or not at all. The past that\n"
        "`muster kv log` tells is not in it.",
    .examples =
        "  muster snapshot save backup.snap\n"
        "  muster snapshot save - | ssh safe 'cat > backup.snap'\n"};

Result<Done> fetch(Transfer& broker, const proto::snapshot::Saved& saved, const Head& head,
                   FileSink& sink) {
  if (auto written = sink.write(saved.head.view()); !written) return written;
  snapshot::Hasher hasher;
  std::uint64_t have = 0;
  while (have < head.bytes) {
    const auto piece = broker.ask(proto::snapshot::Read{.id = saved.id, .offset = have});
    if (!piece) return piece.error();
    if (piece->bytes.empty() || piece->bytes.size() > head.bytes - have) break;
    hasher.add(piece->bytes.view());
    have += piece->bytes.size();
    if (auto written = sink.write(piece->bytes.view()); !written) return written;
  }
  if (have != head.bytes || hasher.finish() != head.hash)
    return Error{Code::internal, "what the broker sent is not what it had saved"};
  return sink.keep();
}

Exit save(Arguments words) {
  Command command(save_text);
  command.timeout();
  if (const auto exit = command.parse(words)) return *exit;
  if (command.arguments().size() != 1) return command.misuse("takes one FILE");
  const std::string& target = command.arguments()[0];
  constexpr std::string_view before = "Error saving snapshot: ";
  if (target == "-" && ::isatty(STDOUT_FILENO) == 1)
    return command.misuse("does not write a snapshot to a terminal");
  Transfer broker(command);
  if (const auto there = broker.reach(); !there) return broker.report(before, there.error());
  Result<FileSink> sink = FileSink::open(target);
  if (!sink) return broker.report(before, sink.error());
  const auto saved = broker.ask(proto::snapshot::Save{});
  if (!saved) return broker.report(before, saved.error());
  const Result<Head> head = snapshot::decode_head(saved->head.view());
  const Result<Done> fetched =
      head ? fetch(broker, *saved, *head, *sink) : Result<Done>(head.error());
  broker.drop(saved->id);
  if (!fetched) return broker.report(before, fetched.error());
  const std::string said = fmt::format("Saved and verified snapshot to index {}", head->rev.value);
  if (target == "-") complain(said);
  else print_line(said);
  return Exit::ok;
}

// --- a file that is there ---

/// Of a file, not of the broker.
Exit failed(std::string_view before, const Error& error) {
  complain(fmt::format("{}{}", before, error.message));
  return Exit::failed;
}

/// Stdin, or an open file.
class Source {
 public:
  explicit Source(const std::string& path)
      : name_(path == "-" ? "stdin" : path),
        fd_(path == "-" ? STDIN_FILENO : ::open(path.c_str(), O_RDONLY | O_CLOEXEC)),
        error_(errno) {}
  ~Source() {
    if (fd_ > STDIN_FILENO) ::close(fd_);
  }
  Source(const Source&) = delete;
  Source& operator=(const Source&) = delete;

  /// Errors: unavailable.
  Result<snapshot::Reader> reader() const {
    if (fd_ >= 0) return snapshot::Reader(fd_, name_);
    return Error{Code::unavailable,
                 fmt::format("cannot open {}: {}", name_, std::strerror(error_))};
  }

 private:
  const std::string name_;
  const int fd_;
  const int error_;
};

// --- inspect ---

constexpr Command::Text inspect_text = {
    .name = "snapshot inspect",
    .arguments = "[options] FILE",
    .about =
        "Verifies FILE (`-`: stdin) and says what it is: no broker is asked. Index is the revision, Term the\n"
        "broker's epoch; then how many rows it has of each kind. Exit 1: it is no snapshot, or not whole.",
    .examples =
        "  muster snapshot inspect backup.snap\n"
        "  muster snapshot inspect -format=json backup.snap\n"};

Json json_of(const Head& head, std::uint64_t size) {
  return {{"ID", snapshot::id_of(head)},
          {"Size", size},
          {"Index", head.rev.value},
          {"Term", head.epoch.value},
          {"Version", head.format},
          {"Cluster", head.cluster},
          {"ClusterID", head.cluster_id},
          {"History", head.history},
          {"Time", format_time(head.time.ms)},
          {"TimeMs", head.time.ms},
          {"Broker", head.version},
          {"Rows", head.rows}};
}

std::string text_of(const Head& head, std::uint64_t size) {
  std::string out;
  const auto line = [&](std::string_view name, const auto& value) {
    out += fmt::format("{:<12} {}\n", name, value);
  };
  line("ID", snapshot::id_of(head));
  line("Size", size);
  line("Index", head.rev.value);
  line("Term", head.epoch.value);
  line("Version", head.format);
  line("Cluster", fmt::format("{} ({})", head.cluster, head.cluster_id));
  line("History", head.history);
  line("Time", format_time(head.time.ms));
  line("Broker", head.version);
  out += "\n";
  for (const auto& [table, rows] : head.rows) {
    if (rows != 0) line(table, rows);
  }
  return out;
}

Exit inspect(Arguments words) {
  Command command(inspect_text);
  Format format = Format::table;
  command.format(format);
  if (const auto exit = command.parse(words)) return *exit;
  if (command.arguments().size() != 1) return command.misuse("takes one FILE");
  constexpr std::string_view before = "Error reading snapshot: ";
  const Source source(command.arguments()[0]);
  Result<snapshot::Reader> reader = source.reader();
  if (!reader) return failed(before, reader.error());
  const Result<Head> head = reader->head();
  if (!head) return failed(before, head.error());
  const auto whole = reader->content([](std::string_view) { return Done{}; });
  if (!whole) return failed(before, whole.error());
  const std::uint64_t size = snapshot::encode_head(*head).size() + head->bytes;
  if (format == Format::table) print(text_of(*head, size));
  else
    print_line(format == Format::json ? indented(json_of(*head, size))
                                      : compact(json_of(*head, size)));
  return Exit::ok;
}

// --- restore ---

constexpr Command::Text restore_text = {
    .name = "snapshot restore",
    .arguments = "[options] FILE",
    .about =
        "Puts the state that FILE (`-`: stdin) holds in place of the broker's. The broker verifies it before\n"
        "anything is touched, keeps what it had in its data folder (replaced-TIME), and begins again with a\n"
        "new history: nodes register anew, watches are told the present state. Locks, sessions and jobs are\n"
        "those of the snapshot: who holds a lock that is not in it is told to stop. What was written since\n"
        "the snapshot is gone, and so is the past before it (`muster kv log`, -at).",
    .examples = "  muster snapshot restore backup.snap\n"};

/// The id of what the broker has then.
Result<std::string> bring(Transfer& broker, snapshot::Reader& reader) {
  const Result<Head> head = reader.head();
  if (!head) return head.error();
  const auto begun =
      broker.ask(proto::snapshot::Upload{.head = Bytes(snapshot::encode_head(*head))});
  if (!begun) return begun.error();
  std::uint64_t have = 0;
  const auto sent = reader.content([&](std::string_view content) -> Result<Done> {
    while (!content.empty()) {
      const std::string_view piece = content.substr(0, broker.piece_bytes());
      const auto taken = broker.ask(proto::snapshot::Write{
          .id = begun->id, .offset = have, .bytes = Bytes(std::string(piece))});
      if (!taken) return taken.error();
      have += piece.size();
      content.remove_prefix(piece.size());
    }
    return Done{};
  });
  if (sent) return begun->id;
  broker.drop(begun->id);
  return sent.error();
}

Exit restore(Arguments words) {
  Command command(restore_text);
  command.timeout();
  if (const auto exit = command.parse(words)) return *exit;
  if (command.arguments().size() != 1) return command.misuse("takes one FILE");
  constexpr std::string_view before = "Error restoring snapshot: ";
  const Source source(command.arguments()[0]);
  Transfer broker(command);
  Result<snapshot::Reader> reader = source.reader();
  if (!reader) return failed(before, reader.error());
  if (const auto there = broker.reach(); !there) return broker.report(before, there.error());
  const Result<std::string> id = bring(broker, *reader);
  if (!id) return broker.report(before, id.error());
  const auto restored = broker.ask(proto::snapshot::Restore{.id = *id});
  if (!restored) {
    broker.drop(*id);
    return broker.report(before, restored.error());
  }
  print_line("Restored snapshot");
  return Exit::ok;
}

constexpr std::array verbs = {
    Verb{"save", &save, "the broker's state into a file"},
    Verb{"inspect", &inspect, "what a file holds, and whether it is whole"},
    Verb{"restore", &restore, "a file's state in place of the broker's"},
};

}  // namespace

constinit const Noun snapshot_noun = {
    .name = "snapshot", .about = "the whole state: save, inspect, restore", .verbs = verbs};

}  // namespace muster::cli
