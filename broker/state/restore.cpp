// restore: preparing, deciding, completing.
#include "broker/state/restore.hpp"

#include <algorithm>
#include <fcntl.h>
#include <filesystem>
#include <system_error>
#include <unistd.h>

#include <fmt/chrono.h>
#include <fmt/format.h>

#include "broker/state/folder.hpp"
#include "broker/state/lmdb.hpp"
#include "broker/state/tables.hpp"

namespace muster::state {
namespace fs = std::filesystem;
namespace {

constexpr const char* data_file = "data.mdb";

std::string pending_folder(const std::string& data) { return data + "/restore.pending"; }

std::string text(const Snapshot& snapshot, std::string_view key) {
  const auto row = snapshot.get(TableId::meta, key);
  return row ? decode_row<std::string>(*row) : std::string();
}

std::uint64_t number(const Snapshot& snapshot, std::string_view key) {
  const auto row = snapshot.get(TableId::meta, key);
  return row ? schema::number_of(*row) : 0;
}

/// How long the past of some prefixes is kept is said anew by the broker that leads.
void drop_rules(const Snapshot& snapshot, Layer& layer) {
  const std::string begin = joined(meta::keep, {});
  Cursor row(snapshot, TableId::meta);
  for (row.seek(begin); row.at_row() && row.key().starts_with(begin); row.next())
    layer.erase(TableId::meta, row.key());
}

/// What ran when the snapshot was saved must not be started again when its node registers.
void lose_tasks(const Snapshot& snapshot, Layer& layer) {
  Cursor task(snapshot, TableId::tasks);
  for (task.seek({}); task.at_row(); task.next()) {
    auto row = decode_row<TaskRow>(task.value());
    if (row.state != "sent") continue;
    row.state = "lost";
    row.message = "a snapshot was restored";
    layer.put(TableId::tasks, task.key(), encode_row(row));
  }
  Cursor job(snapshot, TableId::jobs);
  for (job.seek({}); job.at_row(); job.next()) {
    auto row = decode_row<JobRow>(job.value());
    if (row.job.state != "running") continue;
    row.job.state = "done";
    layer.put(TableId::jobs, job.key(), encode_row(row));
  }
}

void adopt(const std::string& folder, const Adoption& adoption) {
  const Environment environment(folder);
  const Snapshot snapshot(environment);
  const Revision rev = std::max(Revision{number(snapshot, meta::rev)}, adoption.least);
  Layer layer;
  drop_rules(snapshot, layer);
  lose_tasks(snapshot, layer);
  Transaction write(environment);
  write.put(layer);
  write.clear(TableId::kv_revs);  // places in a log that stays behind
  write.clear(TableId::kv_past);
  write.put(TableId::meta, meta::history, encode_row(adoption.history));
  write.put(TableId::meta, meta::restored, encode_row(adoption.id));
  write.put(TableId::meta, meta::rev, schema::number_row(rev.value));
  write.put(TableId::meta, meta::trim_rev, schema::number_row(rev.value));
  write.put(TableId::meta, meta::trim_ms, schema::number_row(adoption.now.ms));
  const std::uint64_t seq = number(snapshot, schema::seq_key);
  write.put(TableId::meta, meta::trim_seq, schema::number_row(seq + 1));
  write.commit();
}

void sync_file(const std::string& path) {
  const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0) throw std::system_error(errno, std::generic_category(), path);
  const int synced = ::fsync(file);
  const int error = errno;
  ::close(file);
  if (synced != 0) throw std::system_error(error, std::generic_category(), path);
}

/// Nothing in it is of the new state while the pending folder has that.
void put_aside(const std::string& data, const std::string& old) {
  fs::create_directories(old);
  for (const char* name : {"log", data_file, "lock.mdb"}) {
    const std::string path = data + "/" + name;
    if (fs::exists(path)) fs::rename(path, old + "/" + name);
  }
  sync_folder(old);
  sync_folder(pending_folder(data));
  sync_folder(data);
}

/// A folder with the present time in its name that is not there yet.
std::string replaced_folder(const std::string& data) {
  const auto now = static_cast<std::time_t>(WallTime::now().ms / 1000);
  const std::string name = fmt::format("{}/replaced-{:%Y%m%dT%H%M%SZ}", data, fmt::gmtime(now));
  std::string path = name;
  for (int n = 2; fs::exists(path); ++n) path = fmt::format("{}-{}", name, n);
  return path;
}

std::string complete(const std::string& data) {
  const std::string pending = pending_folder(data);
  const std::string old = pending + "/old";
  const std::string brought = pending + "/" + data_file;
  if (fs::exists(brought)) {
    put_aside(data, old);
    fs::rename(brought, data + "/" + data_file);
    sync_folder(data);
  }
  std::string replaced;
  if (fs::exists(old) && !fs::is_empty(old)) {
    replaced = replaced_folder(data);
    fs::rename(old, replaced);
  }
  fs::remove_all(pending);
  sync_folder(data);
  return replaced;
}

}  // namespace

Contents look_into(const std::string& folder) {
  const Environment environment(folder);
  const Snapshot snapshot(environment);
  Contents contents{.cluster_id = text(snapshot, meta::cluster_id),
                    .history = text(snapshot, meta::history),
                    .epoch = Epoch{number(snapshot, meta::epoch)},
                    .rev = Revision{number(snapshot, meta::rev)},
                    .seq = Seq{number(snapshot, schema::seq_key)},
                    .rows = {}};
  for (const schema::NamedTable& table : schema::tables)
    contents.rows[table.name] = snapshot.rows(table.id);
  return contents;
}

Result<Done> room_for_log(const std::string& data, std::uint64_t value_bytes_max) {
  constexpr std::uint64_t segments = 3;  // the first, and two made ahead
  const std::uint64_t wanted =
      segments * limits::segment_bytes(value_bytes_max) + limits::disk_free_min;
  const auto free = free_bytes(data);
  if (!free || *free >= wanted) return Done{};
  return Error{Code::unavailable,
               fmt::format("disk full: a restored state begins a log of {} MiB, and the disk of {} "
                           "has {} MiB left",
                           wanted / limits::MiB, data, *free / limits::MiB),
               "make room, and restore again"};
}

void stage(const std::string& data, const std::string& folder, const Adoption& adoption) {
  try {
    adopt(folder, adoption);
    for (const char* name : {"LOCK", "lock.mdb"}) fs::remove(folder + "/" + name);
    sync_file(folder + "/" + data_file);
    sync_folder(folder);
    fs::rename(folder, pending_folder(data));
    sync_folder(data);
  } catch (const std::system_error& error) {
    throw Failure(
        fmt::format("data folder {}: the snapshot cannot be put there: {}", data, error.what()));
  }
}

std::optional<std::string> complete_restore(const std::string& data) {
  try {
    fs::remove_all(snapshots_folder(data));
    if (!fs::exists(pending_folder(data))) return std::nullopt;
    return complete(data);
  } catch (const std::system_error& error) {
    throw Failure(fmt::format("data folder {}: a restore that was begun cannot be completed: {}",
                              data, error.what()));
  }
}

std::string snapshots_folder(const std::string& data) { return data + "/snapshots"; }

}  // namespace muster::state
