// examine: see examine.hpp.
#include "broker/state/examine.hpp"

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <climits>
#include <fmt/format.h>

#include "broker/state/lmdb.hpp"
#include "broker/state/tables.hpp"
#include "common/limits.hpp"

namespace muster::state {
namespace {

template <class Row>
void decodes(std::string_view value) {
  static_cast<void>(decode_row<Row>(value));
}

struct Typed {
  TableId table;
  void (*decode)(std::string_view value);
};
constexpr Typed typed[] = {
    {TableId::kv, &decodes<KvRow>},
    {TableId::kv_past, &decodes<PastRow>},
    {TableId::sessions, &decodes<SessionRow>},
    {TableId::locks, &decodes<LockRow>},
    {TableId::tickets, &decodes<TicketRow>},
    {TableId::nodes, &decodes<NodeRow>},
    {TableId::services, &decodes<ServiceRow>},
    {TableId::checks, &decodes<CheckRow>},
    {TableId::check_outputs, &decodes<CheckOutputRow>},
    {TableId::events, &decodes<EventRow>},
    {TableId::cursors, &decodes<CursorRow>},
    {TableId::jobs, &decodes<JobRow>},
    {TableId::tasks, &decodes<TaskRow>},
    {TableId::dedupe, &decodes<AnswerRow>},
    {TableId::clients, &decodes<ClientRow>},
};

void read(const Snapshot& snapshot, const schema::NamedTable& table) {
  void (*decode)(std::string_view) = nullptr;
  for (const Typed& one : typed) {
    if (one.table == table.id) decode = one.decode;
  }
  std::uint64_t rows = 0;
  std::string last;
  Cursor row(snapshot, table.id);
  for (row.seek({}); row.at_row(); row.next()) {
    if (rows != 0 && row.key() <= last) throw Failure("its keys are out of order");
    last = row.key();
    const std::string value(row.value());  // read, whether anybody knows its type or not
    if (decode != nullptr) decode(value);
    ++rows;
  }
  if (rows != snapshot.rows(table.id))
    throw Failure(fmt::format("it has {} rows, not {}", rows, snapshot.rows(table.id)));
}

/// What the child does with its life.
void read_all(const std::string& folder, int told) {
  const char* where = "the file";
  std::string wrong;
  try {
    const Environment environment(folder);
    const Snapshot snapshot(environment);
    for (const schema::NamedTable& table : schema::tables) {
      where = table.name;
      read(snapshot, table);
    }
    ::_exit(0);
  } catch (const std::exception& error) {
    wrong = fmt::format("{}: {}", where, error.what());
  }
  wrong.resize(std::min<std::size_t>(wrong.size(), PIPE_BUF));
  static_cast<void>(!::write(told, wrong.data(), wrong.size()));
  ::_exit(1);
}

/// It dies quietly: no core, no message, not later than its parent, nor than anybody waits for it.
/// It keeps no file but the pipe, which is `told` afterwards: the folder's lock and the ports are
/// the broker's alone.
void prepare_to_die(int& told) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  told = ::dup2(told, STDERR_FILENO + 1);
  ::close_range(static_cast<unsigned>(told) + 1, ~0U, 0);
  const rlimit no_core{0, 0};
  ::setrlimit(RLIMIT_CORE, &no_core);
  for (const int number : {SIGBUS, SIGSEGV, SIGABRT, SIGALRM}) ::signal(number, SIG_DFL);
  sigset_t none;
  sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  const int nowhere = ::open("/dev/null", O_WRONLY | O_CLOEXEC);
  ::dup2(nowhere, STDERR_FILENO);
  ::alarm(static_cast<unsigned>(std::chrono::seconds(limits::snapshot_wait).count()));
}

}  // namespace

Result<Done> examine(const std::string& folder) {
  int told[2] = {-1, -1};
  if (::pipe2(told, O_CLOEXEC) != 0)
    return Error{Code::unavailable, fmt::format("cannot make a pipe: {}", std::strerror(errno))};
  const pid_t child = ::fork();
  if (child == 0) {
    prepare_to_die(told[1]);
    read_all(folder, told[1]);
  }
  const int error = errno;
  ::close(told[1]);
  std::string wrong(PIPE_BUF, '\0');
  ssize_t got = 0;
  int status = 0;
  if (child > 0) {
    do got = ::read(told[0], wrong.data(), wrong.size());
    while (got < 0 && errno == EINTR);
    while (::waitpid(child, &status, 0) < 0 && errno == EINTR) continue;
  }
  ::close(told[0]);
  if (child < 0)
    return Error{Code::unavailable, fmt::format("cannot fork: {}", std::strerror(error))};
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return Done{};
  wrong.resize(static_cast<std::size_t>(std::max<ssize_t>(got, 0)));
  if (WIFSIGNALED(status))
    wrong = fmt::format("who reads it dies: {}", ::strsignal(WTERMSIG(status)));
  return Error{Code::invalid, fmt::format("the snapshot's content cannot be read: {}", wrong)};
}

}  // namespace muster::state
