// archive: copies, pieces, checks.
#include "broker/archive.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <system_error>
#include <unistd.h>

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include "broker/log/local_log.hpp"
#include "broker/state/examine.hpp"
#include "broker/state/restore.hpp"
#include "broker/state/schema.hpp"

namespace muster::broker {
namespace fs = std::filesystem;
namespace {

std::string data_file(const std::string& folder) { return folder + "/data.mdb"; }

log::File open_file(const std::string& path, int flags) {
  log::File file(::open(path.c_str(), flags | O_CLOEXEC, 0600));
  if (file.fd() < 0) throw std::system_error(errno, std::generic_category(), path);
  return file;
}

/// Fewer than wanted: the file ends.
std::string read_at(const log::File& file, std::uint64_t offset, std::size_t wanted) {
  std::string bytes(wanted, '\0');
  std::size_t have = 0;
  while (have < wanted) {
    const ssize_t got =
        ::pread(file.fd(), bytes.data() + have, wanted - have, static_cast<off_t>(offset + have));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) throw std::system_error(errno, std::generic_category(), "a snapshot");
    if (got == 0) break;
    have += static_cast<std::size_t>(got);
  }
  bytes.resize(have);
  return bytes;
}

/// What stands in the file, into the head: its size and hash.
void measure(const std::string& folder, snapshot::Head& head) {
  const log::File file = open_file(data_file(folder), O_RDONLY);
  snapshot::Hasher hasher;
  head.bytes = 0;
  for (;;) {
    const std::string piece = read_at(file, head.bytes, limits::snapshot_file_piece);
    if (piece.empty()) break;
    hasher.add(piece);
    head.bytes += piece.size();
  }
  head.hash = hasher.finish();
}

Error unknown(const std::string& id) {
  return {Code::not_found,
          fmt::format("no snapshot {}: it was dropped, nobody had asked for it for {} s, or the "
                      "broker was started anew",
                      id, limits::snapshot_patience.count()),
          "begin again"};
}

}  // namespace

Archive::Archive(std::string data, const state::Store& store, const core::Identity& identity,
                 NewId new_id)
    : data_(std::move(data)),
      store_(store),
      identity_(identity),
      new_id_(std::move(new_id)),
      piece_bytes_(
          limits::snapshot_piece_bytes(limits::message_bytes_max(identity.value_bytes_max))) {}

Result<Bytes> Archive::serve(const core::Errand& errand, TimePoint now) {
  now_ = now;
  forget_old(now);
  try {
    return std::visit(
        [this](const auto& request) -> Result<Bytes> {
          const auto reply = handle(request);
          if (!reply) return reply.error();
          return Bytes(codec::encode(*reply));
        },
        errand.what);
  } catch (const std::exception& error) {
    // A copy that fails is no promise broken: the state is as it was.
    spdlog::warn("snapshot: {}", error.what());
    return Error{Code::unavailable, fmt::format("the broker cannot do that: {}", error.what())};
  }
}

bool Archive::forget_old(TimePoint now) {
  std::vector<std::string> old;
  for (const auto& [id, kept] : kept_) {
    if (kept.asked + limits::snapshot_patience <= now) old.push_back(id);
  }
  for (const std::string& id : old) remove(id);
  return !kept_.empty();
}

Result<std::string> Archive::begin(snapshot::Head head) {
  if (kept_.size() >= limits::snapshots_max) {
    return Error{Code::busy,
                 fmt::format("{} snapshots are being saved or restored already", kept_.size()),
                 fmt::format("try again: one that nobody asks for is dropped after {} s",
                             limits::snapshot_patience.count())};
  }
  const std::string id = new_id_();
  const std::string folder = state::snapshots_folder(data_) + "/" + id;
  fs::create_directories(folder);
  kept_[id] = {.folder = folder, .head = std::move(head), .asked = now_};
  return id;
}

Result<Archive::Kept*> Archive::find(const std::string& id) {
  const auto found = kept_.find(id);
  if (found == kept_.end()) return unknown(id);
  found->second.asked = now_;
  return &found->second;
}

void Archive::remove(const std::string& id) {
  const auto found = kept_.find(id);
  if (found == kept_.end()) return;
  std::error_code error;
  fs::remove_all(found->second.folder, error);
  if (error) spdlog::warn("cannot remove {}: {}", found->second.folder, error.message());
  kept_.erase(found);
}

Result<proto::snapshot::Saved> Archive::handle(const proto::snapshot::Save&) {
  const Result<std::string> id = begin({});
  if (!id) return id.error();
  Kept& kept = kept_.at(*id);
  try {
    store_.copy_to(kept.folder);
    const state::Contents contents = state::look_into(kept.folder);
    kept.head = {.format = snapshot::format,
                 .layout = std::string(snapshot::layout),
                 .schema = state::schema::format,
                 .version = MUSTER_VERSION,
                 .cluster_id = contents.cluster_id,
                 .cluster = identity_.cluster,
                 .history = contents.history,
                 .epoch = contents.epoch,
                 .rev = contents.rev,
                 .seq = contents.seq,
                 .time = WallTime::now(),
                 .rows = contents.rows};
    measure(kept.folder, kept.head);
    kept.bytes = kept.head.bytes;
  } catch (...) {
    remove(*id);
    throw;
  }
  spdlog::info("snapshot saved id={} rev={} bytes={}", *id, kept.head.rev.value, kept.head.bytes);
  return proto::snapshot::Saved{.id = *id, .head = Bytes(snapshot::encode_head(kept.head))};
}

Result<proto::snapshot::Piece> Archive::handle(const proto::snapshot::Read& request) {
  const Result<Kept*> kept = find(request.id);
  if (!kept) return kept.error();
  if (request.offset > (*kept)->bytes)
    return Error{Code::invalid, fmt::format("the snapshot has {} bytes only", (*kept)->bytes)};
  const log::File file = open_file(data_file((*kept)->folder), O_RDONLY);
  return proto::snapshot::Piece{.bytes = Bytes(read_at(file, request.offset, piece_bytes_))};
}

Result<proto::Empty> Archive::handle(const proto::snapshot::Drop& request) {
  remove(request.id);
  return proto::Empty{};
}

Result<proto::snapshot::Begun> Archive::handle(const proto::snapshot::Upload& request) {
  Result<snapshot::Head> head = snapshot::decode_head(request.head.view());
  if (!head) return Error{Code::invalid, "what was sent " + head.error().message};
  if (head->layout != snapshot::layout) {
    return Error{Code::invalid,
                 fmt::format("the snapshot was saved on a machine of another kind ({}, not {})",
                             head->layout, snapshot::layout)};
  }
  if (head->schema > state::schema::format) {
    return Error{Code::invalid,
                 fmt::format("the snapshot has a state of format {}, this broker reads up to {}",
                             head->schema, state::schema::format),
                 "run a newer muster-broker"};
  }
  const Result<std::string> id = begin(*std::move(head));
  if (!id) return id.error();
  kept_.at(*id).brought = true;
  open_file(data_file(kept_.at(*id).folder), O_WRONLY | O_CREAT);
  return proto::snapshot::Begun{.id = *id};
}

Result<proto::snapshot::Have> Archive::handle(const proto::snapshot::Write& request) {
  const Result<Kept*> found = find(request.id);
  if (!found) return found.error();
  Kept& kept = **found;
  if (!kept.brought) return unknown(request.id);
  const std::uint64_t end = request.offset + request.bytes.size();
  if (request.offset > kept.bytes)
    return Error{Code::invalid, fmt::format("the snapshot is there up to {} only", kept.bytes)};
  if (end > kept.head.bytes || end < request.offset)
    return Error{Code::invalid, fmt::format("the snapshot has {} bytes only", kept.head.bytes)};
  if (end > kept.bytes) {
    const log::File file = open_file(data_file(kept.folder), O_WRONLY);
    log::write_at(file.fd(), request.bytes.view(), static_cast<std::size_t>(request.offset));
    kept.bytes = end;
  }
  return proto::snapshot::Have{.bytes = kept.bytes};
}

/// Nothing else has been touched when it fails.
Result<proto::snapshot::Restored> Archive::handle(const proto::snapshot::Restore& request) {
  const Result<Kept*> found = find(request.id);
  if (!found) return found.error();
  Kept& kept = **found;
  if (!kept.brought) return unknown(request.id);
  snapshot::Head measured = kept.head;
  measure(kept.folder, measured);
  if (measured.bytes != kept.head.bytes) {
    return Error{Code::invalid, fmt::format("the snapshot is cut off: of {} bytes {} have come",
                                            kept.head.bytes, measured.bytes)};
  }
  if (measured.hash != kept.head.hash) {
    return Error{Code::invalid, "the snapshot is damaged: its content is not what was written"};
  }
  if (const auto sound = state::examine(kept.folder); !sound) return sound.error();
  const state::Contents contents = state::look_into(kept.folder);
  if (contents.rev != kept.head.rev || contents.history != kept.head.history)
    return Error{Code::invalid, "the snapshot's content is not what its head says"};
  if (const auto room = state::room_for_log(data_, identity_.value_bytes_max); !room)
    return room.error();
  candidate_ = {.id = request.id, .folder = kept.folder};
  return proto::snapshot::Restored{.history = contents.history, .rev = contents.rev};
}

}  // namespace muster::broker
