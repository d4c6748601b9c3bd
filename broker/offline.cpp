// offline: verify, copy, stage, complete.
#include "broker/offline.hpp"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <filesystem>

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include "broker/state/examine.hpp"
#include "broker/state/folder.hpp"
#include "broker/state/restore.hpp"
#include "common/snapshot/file.hpp"

namespace muster::broker {
namespace fs = std::filesystem;
namespace {

using Visit = std::function<Result<Done>(std::string_view)>;

/// All of it. Throws Failure: it is not what was written.
snapshot::Head read_all(const std::string& path, const Visit& visit) {
  const log::File file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (file.fd() < 0) throw Failure(fmt::format("cannot open {}: {}", path, std::strerror(errno)));
  snapshot::Reader reader(file.fd(), path);
  const Result<snapshot::Head> head = reader.head();
  if (!head) throw Failure(head.error().message);
  if (head->layout != snapshot::layout) {
    throw Failure(fmt::format("{} was saved on a machine of another kind ({}, not {})", path,
                              head->layout, snapshot::layout));
  }
  const Result<Done> whole = reader.content(visit);
  if (!whole) throw Failure(whole.error().message);
  return *head;
}

/// The newest of the state that is there; 0 if there is none, or it cannot be read any more.
Revision newest_revision(const Options& options) {
  if (!fs::exists(options.data + "/data.mdb")) return {};
  try {
    state::Store store(options.data);
    const log::LocalLog log(log_options(options, store));
    core::replay(log, store);
    const auto rev = state::Read::Meta(state::View(store, {})).get(state::meta::rev);
    return Revision{rev ? state::be64_at_end(*rev) : 0};
  } catch (const Failure& failure) {
    spdlog::warn(
        "the state that is there cannot be read ({}): revisions go on behind the snapshot's",
        failure.what());
    return {};
  }
}

void copy_content(const std::string& from, const std::string& to) {
  const log::File file(::open(to.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
  if (file.fd() < 0) throw Failure(fmt::format("cannot make {}: {}", to, std::strerror(errno)));
  std::size_t offset = 0;
  read_all(from, [&](std::string_view piece) {
    log::write_at(file.fd(), piece, offset);
    offset += piece.size();
    return Result<Done>(Done{});
  });
}

}  // namespace

void restore_offline(const Options& options, const std::string& file) {
  const snapshot::Head head = read_all(file, [](std::string_view) { return Result<Done>(Done{}); });
  const Revision least = newest_revision(options);
  const state::DataFolder lock(options.data);
  try {
    const std::string folder = state::snapshots_folder(options.data) + "/offline";
    fs::create_directories(folder);
    copy_content(file, folder + "/data.mdb");
    if (const auto sound = state::examine(folder); !sound) {
      fs::remove_all(folder);
      throw Failure(fmt::format("{}: {}", file, sound.error().message));
    }
    if (const auto room = state::room_for_log(options.data, options.value_bytes_max); !room) {
      fs::remove_all(folder);
      throw Failure(fmt::format("{}; {}", room.error().message, room.error().hint));
    }
    state::stage(options.data, folder,
                 {.history = new_id(), .least = least, .id = {}, .now = WallTime::now()});
  } catch (const std::system_error& error) {
    throw Failure(
        fmt::format("data folder {}: cannot take the snapshot: {}", options.data, error.what()));
  }
  const auto replaced = state::complete_restore(options.data);
  if (replaced && !replaced->empty()) spdlog::warn("the state before it is in {}", *replaced);
  spdlog::info("restored {} of revision {}; muster-broker goes on from there",
               snapshot::id_of(head), head.rev.value);
}

}  // namespace muster::broker
