// restore: another state in place of this one: prepared beside it, put in place by a start.
//
//   snapshots/ID/      being made, brought, prepared; a start removes what it finds here
//   restore.pending/   decided: its data.mdb is the state that the next start takes
//   replaced-TIME/     what was there before: data.mdb and log/; never removed by muster
//
// `stage` goes from the first to the second by one rename, `complete_restore` from there to the
// end; it can be interrupted anywhere and is done again from the beginning. So there is the old
// state whole, or the new one.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "common/error.hpp"
#include "common/types.hpp"

namespace muster::state {

/// What a database holds.
struct Contents {
  std::string cluster_id;
  std::string history;
  Epoch epoch;
  Revision rev;
  Seq seq;
  std::map<std::string, std::uint64_t> rows;  ///< by table
};

/// Of the `data.mdb` in a folder that nobody has open. Throws Failure: not ours, a newer format.
Contents look_into(const std::string& folder);

/// What a restored state has of its own.
struct Adoption {
  std::string history;  ///< the new one
  Revision least;       ///< revisions go on behind this one, where the snapshot's are lower
  std::string id;       ///< of the request; empty: none
  WallTime now;
};

/// Whether the disk takes the log that a restored state begins: a start that finds no room for it
/// fails, with the state before put aside. Errors: unavailable.
Result<Done> room_for_log(const std::string& data, std::uint64_t value_bytes_max);

/// Makes the `data.mdb` in `folder`, a folder somewhere in `data`, the state that the next start
/// takes: its log is empty, its past forgotten, commands that ran are lost. Throws Failure, and
/// DiskFull: then nothing has happened.
void stage(const std::string& data, const std::string& folder, const Adoption& adoption);

/// Completes what `stage` has decided; removes what was only begun. To be called under the lock of
/// `data`, before the state in it is opened. None: there was nothing to complete; else where the
/// old state is, empty if there was none. Throws Failure.
std::optional<std::string> complete_restore(const std::string& data);

/// For snapshots under way, in the data folder.
std::string snapshots_folder(const std::string& data);

}  // namespace muster::state
