// lmdb: LMDB with owners: an environment, the loop's snapshot, a cursor, one write.
//
// Only lmdb.cpp includes lmdb.h. Threads: the snapshot and its cursors are the loop's; a write is
// begun, filled and committed by one thread, which may be another (MDB_NOTLS: a read transaction is
// tied to its handle, not to a thread). Keys have 1..511 bytes.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "broker/state/folder.hpp"
#include "broker/state/layer.hpp"
#include "common/error.hpp"

struct MDB_env;
struct MDB_txn;
struct MDB_cursor;

namespace muster::state {

/// An open data.mdb. It owns the folder's lock, so that the same file is never open twice: LMDB's
/// own locks would not survive that.
class Environment {
 public:
  /// Opens or makes it, with all tables; first completes a restore that was begun. Throws Failure:
  /// as DataFolder; not ours; a newer format.
  explicit Environment(const std::string& folder);
  ~Environment();
  Environment(const Environment&) = delete;
  Environment& operator=(const Environment&) = delete;

  const std::string& folder() const { return folder_.path(); }
  /// None: no restore was completed; else where the state before it is, empty if there was none.
  const std::optional<std::string>& replaced() const { return replaced_; }

  /// The last commit, without free pages, as `data.mdb` in a folder that has none. Any thread may
  /// call it, while others read and write. Throws Failure, and DiskFull.
  void copy_to(const std::string& folder) const;

 private:
  friend class Snapshot;
  friend class Cursor;
  friend class Transaction;

  void open();
  void open_tables();
  void check_format(MDB_txn& txn) const;
  void put(MDB_txn& txn, TableId table, std::string_view key, std::string_view value) const;
  unsigned table(TableId id) const { return tables_[static_cast<std::size_t>(id)]; }
  /// Throws DiskFull where space is what is missing, Failure otherwise.
  [[noreturn]] void fail(int code, std::string_view what) const;

  const DataFolder folder_;
  const std::optional<std::string> replaced_;
  MDB_env* env_ = nullptr;
  std::array<unsigned, tables_max> tables_{};
};

/// The database as of one commit. Borrows the environment.
class Snapshot {
 public:
  explicit Snapshot(const Environment& environment);
  ~Snapshot();
  Snapshot(const Snapshot&) = delete;
  Snapshot& operator=(const Snapshot&) = delete;

  /// The bytes live until `renew`.
  std::optional<std::string_view> get(TableId table, std::string_view key) const;

  std::uint64_t rows(TableId table) const;

  /// Moves on to the last commit. Precondition: no cursor is open.
  void renew();

 private:
  friend class Cursor;
  const Environment& environment_;
  MDB_txn* txn_ = nullptr;
};

/// A place in a table of a snapshot. What key() and value() return lives until the snapshot's
/// renew.
class Cursor {
 public:
  Cursor(const Snapshot& snapshot, TableId table);
  ~Cursor();
  Cursor(const Cursor&) = delete;
  Cursor& operator=(const Cursor&) = delete;

  /// To the first row with key >= `key` (all keys when empty).
  void seek(std::string_view key);
  /// To the last row with key < `key` (of all when empty).
  void seek_before(std::string_view key);
  void next();
  void previous();

  bool at_row() const { return at_row_; }
  std::string_view key() const { return key_; }
  std::string_view value() const { return value_; }

 private:
  void move(int operation, std::string_view key);

  const Environment& environment_;
  MDB_cursor* cursor_ = nullptr;
  bool at_row_ = false;
  std::string_view key_;
  std::string_view value_;
};

/// A write transaction, dropped unless committed. Its functions throw Failure and DiskFull.
class Transaction {
 public:
  explicit Transaction(const Environment& environment);
  ~Transaction();
  Transaction(const Transaction&) = delete;
  Transaction& operator=(const Transaction&) = delete;

  /// What the layer says, table by table, in order of key.
  void put(const Layer& layer);
  void put(TableId table, std::string_view key, std::string_view value);
  /// All rows of the table are gone.
  void clear(TableId table);
  /// On disk when it returns.
  void commit();

 private:
  void put_rows(TableId table, const Layer::Rows& rows);

  const Environment& environment_;
  MDB_txn* txn_ = nullptr;
};

}  // namespace muster::state
