// journal: what a node must know after a crash: its identity, tasks begun, tombstones.
//
//   DATA/identity   "ID HISTORY EPOCH": written anew, synced, renamed
//   DATA/tasks      a fact a line (see fact); a last line without its end was never acted upon
//   DATA/LOCK       held while a daemon runs here
//
// What must not be forgotten (accepted, stopped) is synced before what follows from it. Losing an
// `ended` or a `done` to a power failure costs a report of "lost", or one that the broker ignores.
#pragma once

#include <string>
#include <vector>

#include "common/error.hpp"
#include "common/os/supervised.hpp"
#include "common/types.hpp"
#include "node/fact.hpp"

namespace muster::node {

struct NodeIdentity {
  std::string id;
  std::string history;  ///< the last one seen
  Epoch epoch;          ///< the highest seen of it
};

class Journal {
 public:
  /// Makes the folder if it is missing. Throws Failure: another daemon runs here, no space, not
  /// ours, or a line that was never written here.
  Journal(std::string folder, const std::string& fresh_id);

  const NodeIdentity& identity() const { return identity_; }
  /// Throws Failure.
  void saw(const std::string& history, Epoch epoch);

  /// What was in the file at the start, oldest first; once.
  std::vector<Fact> take_facts() { return std::exchange(facts_, {}); }
  /// Errors: unavailable (no room, most likely): it may or may not be remembered.
  Result<Done> note(const Fact& fact);
  /// It has grown, or its end is in doubt since something could not be written: time to rewrite.
  bool overgrown() const { return torn_ || bytes_ > limits::journal_bytes_max; }
  /// These instead of what is there. Throws Failure; then what was there stays.
  void rewrite(const std::vector<Fact>& facts);

 private:
  void lock();
  void read_identity(const std::string& fresh_id);
  void write_identity();
  void read_tasks();
  void write_whole(const std::string& name, const std::string& content);

  const std::string folder_;
  os::Fd lock_;
  os::Fd tasks_;
  std::size_t bytes_ = 0;  ///< of the file
  bool torn_ = false;      ///< its last line may be half a line
  NodeIdentity identity_;
  std::vector<Fact> facts_;
};

}  // namespace muster::node
