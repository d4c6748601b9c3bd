// archive: snapshots under way, as files: made, read in pieces; brought in pieces, checked.
//
// All of it waits for the disk, so it runs in the errands' thread, one call at a time. A snapshot
// is kept until it is dropped or nobody has asked for it for a while; at most a few at once.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <utility>

#include "broker/core/errand.hpp"
#include "broker/core/turn.hpp"
#include "broker/state/store.hpp"
#include "common/snapshot/file.hpp"

namespace muster::broker {

/// A snapshot that was found whole and may become the state.
struct Candidate {
  std::string id;
  std::string folder;  ///< of its data.mdb
};

class Archive {
 public:
  using NewId = std::function<std::string()>;

  /// Of `store`, borrowed, are used only functions that any thread may call.
  Archive(std::string data, const state::Store& store, const core::Identity& identity,
          NewId new_id);

  /// The reply's body. A restore that succeeds leaves a candidate.
  Result<Bytes> serve(const core::Errand& errand, TimePoint now);
  std::optional<Candidate> take_candidate() { return std::exchange(candidate_, std::nullopt); }

  /// Removes what nobody has asked for. True: something is left.
  bool forget_old(TimePoint now);

 private:
  struct Kept {
    std::string folder;
    snapshot::Head head;
    std::uint64_t bytes = 0;  ///< there are
    TimePoint asked;
    bool brought = false;
  };

  Result<proto::snapshot::Saved> handle(const proto::snapshot::Save& request);
  Result<proto::snapshot::Piece> handle(const proto::snapshot::Read& request);
  Result<proto::Empty> handle(const proto::snapshot::Drop& request);
  Result<proto::snapshot::Begun> handle(const proto::snapshot::Upload& request);
  Result<proto::snapshot::Have> handle(const proto::snapshot::Write& request);
  Result<proto::snapshot::Restored> handle(const proto::snapshot::Restore& request);

  /// A new one, with an empty folder. Errors: busy.
  Result<std::string> begin(snapshot::Head head);
  Result<Kept*> find(const std::string& id);
  void remove(const std::string& id);

  const std::string data_;
  const state::Store& store_;
  const core::Identity& identity_;
  const NewId new_id_;
  const std::size_t piece_bytes_;

  TimePoint now_;
  std::map<std::string, Kept> kept_;
  std::optional<Candidate> candidate_;
};

}  // namespace muster::broker
