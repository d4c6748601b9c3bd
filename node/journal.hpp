// journal: what a node must know after a crash: its identity, tasks begun, tombstones.
//
//   DATA/identity   "ID HISTORY EPOCH": written anew, synced, renamed
//   DATA/tasks      a line a fact: "accepted JOB", "stopped JOB", "done JOB"; synced before what
//                   follows from it. A last line without its end was never acted upon.
//   DATA/LOCK       held while a daemon runs here
#pragma once

#include <string>
#include <vector>

#include "common/error.hpp"
#include "common/os/supervised.hpp"
#include "common/types.hpp"

namespace muster::node {

struct NodeIdentity {
  std::string id;
  std::string history;  ///< the last one seen
  Epoch epoch;          ///< the highest seen of it
};

class Journal {
 public:
  /// Makes the folder if it is missing. Throws Failure: another daemon runs here, no space, not
  /// ours.
  Journal(std::string folder, const std::string& fresh_id);

  const NodeIdentity& identity() const { return identity_; }
  /// Throws Failure.
  void saw(const std::string& history, Epoch epoch);

  /// Durable when it returns. Throws Failure.
  void note(const std::string& job, const std::string& what);

  const std::vector<std::string>& unfinished() const { return unfinished_; }  ///< at the start
  const std::vector<std::string>& known() const { return known_; }            ///< oldest first
  const std::vector<std::string>& stopped() const { return stopped_; }

 private:
  void lock();
  void read_identity(const std::string& fresh_id);
  void write_identity();
  void read_tasks();
  void write_whole(const std::string& name, const std::string& content);

  const std::string folder_;
  os::Fd lock_;
  os::Fd tasks_;
  NodeIdentity identity_;
  std::vector<std::string> unfinished_;
  std::vector<std::string> known_;
  std::vector<std::string> stopped_;
};

}  // namespace muster::node
