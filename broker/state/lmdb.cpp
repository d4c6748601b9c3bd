// lmdb: the only include of lmdb.h.
#include "broker/state/lmdb.hpp"

#include <cerrno>
#include <memory>
#include <utility>

#include <fmt/format.h>
#include <lmdb.h>

#include "broker/state/restore.hpp"
#include "broker/state/schema.hpp"
#include "common/limits.hpp"

namespace muster::state {
namespace {

static_assert(sizeof(unsigned) == sizeof(MDB_dbi));

MDB_val to_mdb(std::string_view bytes) {
  return {.mv_size = bytes.size(),
          .mv_data = const_cast<char*>(bytes.data())};  // LMDB only reads it
}

std::string_view from_mdb(const MDB_val& bytes) {
  return {static_cast<const char*>(bytes.mv_data), bytes.mv_size};
}

struct CloseCursor {
  void operator()(MDB_cursor* cursor) const { mdb_cursor_close(cursor); }
};
using OwnedCursor = std::unique_ptr<MDB_cursor, CloseCursor>;

struct AbortTxn {
  void operator()(MDB_txn* txn) const { mdb_txn_abort(txn); }
};
using OwnedTxn = std::unique_ptr<MDB_txn, AbortTxn>;

}  // namespace

Environment::Environment(const std::string& folder)
    : folder_(folder), replaced_(complete_restore(folder)) {
  if (const int code = mdb_env_create(&env_); code != 0) fail(code, "cannot make an environment");
  try {
    open();
    open_tables();
    sync_folder(folder);  // a new data.mdb is there after a power loss
  } catch (...) {
    mdb_env_close(env_);
    throw;
  }
}

Environment::~Environment() { mdb_env_close(env_); }

void Environment::open() {
  mdb_env_set_mapsize(env_, limits::lmdb_map_bytes);
  mdb_env_set_maxdbs(env_, tables_max);
  mdb_env_set_maxreaders(env_, limits::lmdb_readers_max);
  // Default syncing: MDB_NOSYNC can corrupt on power loss, and commits are rare.
  if (const int code = mdb_env_open(env_, folder().c_str(), MDB_NOTLS, 0600); code != 0)
    fail(code, "cannot open it");
  ENSURE(static_cast<std::size_t>(mdb_env_get_maxkeysize(env_)) >= limits::row_key_bytes_max);
  int dead = 0;
  mdb_reader_check(env_, &dead);  // of a killed broker: they would pin pages for ever
}

/// Nothing is written, and nothing synced, where all tables are there.
void Environment::open_tables() {
  MDB_txn* begun = nullptr;
  if (const int code = mdb_txn_begin(env_, nullptr, 0, &begun); code != 0)
    fail(code, "cannot begin");
  OwnedTxn txn(begun);
  MDB_dbi names = 0;
  MDB_stat found{};
  if (const int code = mdb_dbi_open(txn.get(), nullptr, 0, &names); code != 0)
    fail(code, "cannot open its tables");
  if (const int code = mdb_stat(txn.get(), names, &found); code != 0)
    fail(code, "cannot open its tables");
  if (found.ms_entries != 0) check_format(*txn);
  for (const schema::NamedTable& table : schema::tables) {
    unsigned& handle = tables_[static_cast<std::size_t>(table.id)];
    if (const int code = mdb_dbi_open(txn.get(), table.name, MDB_CREATE, &handle); code != 0)
      fail(code, "cannot open its tables");
  }
  if (found.ms_entries == 0) {
    put(*txn, TableId::meta, schema::format_key, schema::number_row(schema::format));
    put(*txn, TableId::meta, schema::seq_key, schema::number_row(0));
  }
  if (const int code = mdb_txn_commit(txn.release()); code != 0)
    fail(code, "cannot make its tables");
}

void Environment::check_format(MDB_txn& txn) const {
  MDB_dbi meta = 0;
  MDB_val key = to_mdb(schema::format_key);
  MDB_val row{};
  int code = mdb_dbi_open(&txn, schema::tables.front().name, 0, &meta);
  if (code == 0) code = mdb_get(&txn, meta, &key, &row);
  if (code == MDB_NOTFOUND || code == MDB_INCOMPATIBLE) {
    throw Failure(fmt::format("{}/data.mdb: was not made by muster", folder()));
  }
  if (code != 0) fail(code, "cannot read its format");
  if (const std::uint64_t format = schema::number_of(from_mdb(row)); format > schema::format) {
    throw Failure(fmt::format(
        "data folder {}: has format {}, this broker reads up to {}: run a newer muster-broker",
        folder(), format, schema::format));
  }
}

void Environment::copy_to(const std::string& folder) const {
  const int code = mdb_env_copy2(env_, folder.c_str(), MDB_CP_COMPACT);
  if (code != 0) fail(code, "cannot be copied");
}

void Environment::put(MDB_txn& txn, TableId table, std::string_view key,
                      std::string_view value) const {
  MDB_val name = to_mdb(key);
  MDB_val data = to_mdb(value);
  if (const int code = mdb_put(&txn, this->table(table), &name, &data, 0); code != 0)
    fail(code, "cannot write");
}

void Environment::fail(int code, std::string_view what) const {
  if (code == MDB_INVALID || code == MDB_VERSION_MISMATCH) {
    throw Failure(fmt::format("{}/data.mdb: is not a database that this broker can read ({})",
                              folder(), mdb_strerror(code)));
  }
  const std::string line = fmt::format("{}/data.mdb: {}: {}", folder(), what, mdb_strerror(code));
  const bool space = code == ENOSPC || code == EDQUOT;
  if (space || (code == EIO && is_full(folder())))
    throw DiskFull(line);  // a short write is told as EIO
  throw Failure(line);
}

Snapshot::Snapshot(const Environment& environment) : environment_(environment) {
  if (const int code = mdb_txn_begin(environment_.env_, nullptr, MDB_RDONLY, &txn_); code != 0) {
    environment_.fail(code, "cannot begin to read");
  }
}

Snapshot::~Snapshot() { mdb_txn_abort(txn_); }

std::optional<std::string_view> Snapshot::get(TableId table, std::string_view key) const {
  MDB_val name = to_mdb(key);
  MDB_val value{};
  const int code = mdb_get(txn_, environment_.table(table), &name, &value);
  if (code == 0) return from_mdb(value);
  if (code == MDB_NOTFOUND || code == MDB_BAD_VALSIZE) return std::nullopt;
  environment_.fail(code, "cannot read");
}

std::uint64_t Snapshot::rows(TableId table) const {
  MDB_stat found{};
  if (const int code = mdb_stat(txn_, environment_.table(table), &found); code != 0)
    environment_.fail(code, "cannot read");
  return found.ms_entries;
}

void Snapshot::renew() {
  mdb_txn_reset(txn_);
  if (const int code = mdb_txn_renew(txn_); code != 0) environment_.fail(code, "cannot read on");
}

Cursor::Cursor(const Snapshot& snapshot, TableId table) : environment_(snapshot.environment_) {
  const int code = mdb_cursor_open(snapshot.txn_, environment_.table(table), &cursor_);
  if (code != 0) environment_.fail(code, "cannot read");
}

Cursor::~Cursor() { mdb_cursor_close(cursor_); }

void Cursor::move(int operation, std::string_view key) {
  MDB_val name = to_mdb(key);
  MDB_val value{};
  const int code = mdb_cursor_get(cursor_, &name, &value, static_cast<MDB_cursor_op>(operation));
  if (code != 0 && code != MDB_NOTFOUND) environment_.fail(code, "cannot read");
  at_row_ = code == 0;
  key_ = at_row_ ? from_mdb(name) : std::string_view();
  value_ = at_row_ ? from_mdb(value) : std::string_view();
}

void Cursor::seek(std::string_view key) { move(key.empty() ? MDB_FIRST : MDB_SET_RANGE, key); }

void Cursor::seek_before(std::string_view key) {
  if (!key.empty()) {
    move(MDB_SET_RANGE, key);
    if (at_row_) return previous();
  }
  move(MDB_LAST, {});
}

void Cursor::next() { move(MDB_NEXT, {}); }

void Cursor::previous() { move(MDB_PREV, {}); }

Transaction::Transaction(const Environment& environment) : environment_(environment) {
  if (const int code = mdb_txn_begin(environment_.env_, nullptr, 0, &txn_); code != 0) {
    environment_.fail(code, "cannot begin to write");
  }
}

Transaction::~Transaction() { mdb_txn_abort(txn_); }

void Transaction::put(const Layer& layer) {
  for (const schema::NamedTable& table : schema::tables) put_rows(table.id, layer.rows(table.id));
}

/// One cursor a table: in order of key the next row is mostly on the page where the last one was.
void Transaction::put_rows(TableId table, const Layer::Rows& rows) {
  if (rows.empty()) return;
  MDB_cursor* opened = nullptr;
  int code = mdb_cursor_open(txn_, environment_.table(table), &opened);
  if (code != 0) environment_.fail(code, "cannot write");
  const OwnedCursor cursor(opened);
  for (const auto& [key, value] : rows) {
    MDB_val name = to_mdb(key);
    if (value) {
      MDB_val data = to_mdb(*value);
      code = mdb_cursor_put(cursor.get(), &name, &data, 0);
    } else {
      code = mdb_cursor_get(cursor.get(), &name, nullptr, MDB_SET);
      if (code == 0) code = mdb_cursor_del(cursor.get(), 0);
      if (code == MDB_NOTFOUND) code = 0;
    }
    if (code != 0) environment_.fail(code, "cannot write");
  }
}

void Transaction::put(TableId table, std::string_view key, std::string_view value) {
  environment_.put(*txn_, table, key, value);
}

void Transaction::clear(TableId table) {
  constexpr int keep_the_table = 0;
  const int code = mdb_drop(txn_, environment_.table(table), keep_the_table);
  if (code != 0) environment_.fail(code, "cannot write");
}

void Transaction::commit() {
  MDB_txn* const txn = std::exchange(txn_, nullptr);  // gone, whatever commit says
  if (const int code = mdb_txn_commit(txn); code != 0) environment_.fail(code, "cannot commit");
}

}  // namespace muster::state
