// snapshot: errands, and the answer to who asks for a restore that has been.
#include "broker/core/snapshot.hpp"

#include <fmt/format.h>

namespace muster::core::snapshot {
namespace {

/// Asked again while it is under way, it is not done a second time.
template <class Request>
Result<ParkedLater> send_off(Turn& turn, const Request& request, std::string what) {
  const state::RequestId asker = turn.caller().request;
  if (!turn.memory().parked.contains(asker)) {
    if (turn.memory().errands_under_way >= limits::errands_max)
      return Error{Code::busy, "too many pieces of snapshots are asked for at once"};
    turn.then([errand = Errand{asker, request}](Memory& memory) {
      memory.errands.push_back(errand);
      ++memory.errands_under_way;
    });
  }
  return turn.park(std::move(what));
}

}  // namespace

Result<ParkedLater> save(Turn& turn, const proto::snapshot::Save& request) {
  return send_off(turn, request, "a snapshot");
}

Result<ParkedLater> read(Turn& turn, const proto::snapshot::Read& request) {
  return send_off(turn, request, "snapshot " + request.id);
}

Result<ParkedLater> drop(Turn& turn, const proto::snapshot::Drop& request) {
  return send_off(turn, request, "snapshot " + request.id);
}

Result<ParkedLater> upload(Turn& turn, const proto::snapshot::Upload& request) {
  return send_off(turn, request, "a snapshot");
}

Result<ParkedLater> write(Turn& turn, const proto::snapshot::Write& request) {
  if (request.bytes.size() > limits::snapshot_file_piece) {
    return Error{Code::too_large, fmt::format("the piece has {} bytes, at most {} are taken",
                                              request.bytes.size(), limits::snapshot_file_piece)};
  }
  return send_off(turn, request, "snapshot " + request.id);
}

/// The broker that begins again after a restore is asked once more: its state knows by which
/// request it came.
Result<ParkedLater> restore(Turn& turn, const proto::snapshot::Restore& request) {
  if (request.id.empty()) return Error{Code::invalid, "the snapshot's id is missing"};
  if (turn.meta().get(state::meta::restored) == request.id) {
    turn.answer(turn.caller().request, proto::snapshot::Restored{.history = turn.identity().history,
                                                                 .rev = turn.last_rev()});
    return ParkedLater{};
  }
  return send_off(turn, request, "snapshot " + request.id);
}

}  // namespace muster::core::snapshot
