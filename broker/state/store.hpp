// store: LMDB under an active and a sealed layer: what is committed.
//
// The loop owns it. While a sealed layer is being written by the checkpointer's thread both only
// read it. `View` puts the layers of a turn on top: it is what tables look through.
#pragma once

#include <array>
#include <functional>
#include <initializer_list>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "broker/state/layer.hpp"
#include "common/error.hpp"
#include "common/types.hpp"

namespace muster::state {

class Environment;  // lmdb.hpp
class Snapshot;

/// LMDB could not grow: the sealed layer is kept and can be written again when there is space.
using muster::DiskFull;

class Store {
 public:
  /// Opens (or makes) the folder and its LMDB environment; the folder is locked until destruction.
  /// Throws Failure: not ours, a newer format, another broker has it, a network file system.
  explicit Store(const std::string& folder);
  ~Store();
  Store(const Store&) = delete;
  Store& operator=(const Store&) = delete;

  /// None: opening it completed no restore; else where the state before that is, if there was one.
  const std::optional<std::string>& replaced() const;

  std::optional<std::string> get(TableId table, std::string_view key) const;

  /// Deletes a row in the active layer. No mark stays where nothing below has the row: rows that
  /// come and go between two checkpoints would else be stepped over by every scan.
  void erase(TableId table, std::string_view key);

  Layer& active() { return active_; }
  const Layer& active() const { return active_; }
  /// None: nothing is being written.
  const Layer* sealed() const { return sealed_.get(); }

  /// The seq that LMDB holds on disk.
  Seq checkpointed() const { return checkpointed_; }
  /// Records below it were given up by a trim that is in LMDB: the log may unlink them.
  Seq log_floor() const;

  /// The active layer becomes the sealed one; LMDB will be at `reached` once it is written.
  /// Precondition: nothing is sealed.
  void seal(Seq reached);
  /// Writes the sealed layer in one synced transaction. Another thread than the owner's may call
  /// it, but only between seal and settle. Throws Failure, and DiskFull: then it can be called
  /// again.
  void write_sealed() const;
  /// What LMDB holds on disk, as `data.mdb` in an empty folder. Another thread may call it, at any
  /// time. Throws Failure, and DiskFull.
  void copy_to(const std::string& folder) const;
  /// After write_sealed has returned: the sealed layer is dropped, the snapshot renewed.
  void settle();

 private:
  friend class View;
  Seq stored_seq() const;
  std::optional<std::string_view> below(TableId table, std::string_view key) const;

  std::unique_ptr<Environment> environment_;
  std::unique_ptr<Snapshot> snapshot_;
  Layer active_;
  std::unique_ptr<Layer> sealed_;
  Seq sealed_seq_;
  Seq checkpointed_;
};

/// A stack of layers over a store, all borrowed: they must outlive the view.
class View {
 public:
  static constexpr std::size_t layers_max = 4;

  /// `layers`, topmost first, lie above the store's own.
  View(const Store& store, std::initializer_list<const Layer*> layers);

  std::optional<std::string> get(TableId table, std::string_view key) const;

  /// Rows whose key begins with `prefix` and is >= `from`, in order of key, until `visit` returns
  /// false. What is passed lives until the visit returns. The view must not change meanwhile.
  void scan(TableId table, std::string_view prefix, std::string_view from,
            const std::function<bool(std::string_view key, std::string_view value)>& visit) const;

  /// The row with the greatest key that begins with `prefix` and, where that is given, is <
  /// `below`.
  std::optional<std::pair<std::string, std::string>> last(TableId table, std::string_view prefix,
                                                          std::string_view below = {}) const;
  /// The least key that begins with `prefix` and is >= `from`.
  std::optional<std::string> first(TableId table, std::string_view prefix,
                                   std::string_view from) const;

 private:
  template <class Walk>
  void add_layers(Walk& walk, TableId table, std::string_view prefix, std::string_view edge) const;

  const Store& store_;
  std::array<const Layer*, layers_max> layers_{};  ///< topmost first; the store's own are added
  std::size_t count_ = 0;
};

}  // namespace muster::state
