// local_log: appending, reading, trimming.
#include "broker/log/local_log.hpp"

#include <algorithm>
#include <cerrno>
#include <fcntl.h>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>

#include <fmt/format.h>

namespace muster::log {
namespace {

constexpr std::size_t place_every = 64 * 1024;

[[noreturn]] void fail(const char* what, const std::string& path) {
  throw std::system_error(errno, std::generic_category(), fmt::format("{} {}", what, path));
}

}  // namespace

void LocalLog::append(Entry entry, Listener& listener) {
  ENSURE(entry.seq == last_.next());
  const std::size_t stored = entry.bytes.size() + frame_bytes;
  ENSURE(header_bytes + stored <= segment_bytes_);
  try {
    if (segments_.back().end + stored > segment_bytes_) roll(entry);
    Segment& segment = segments_.back();
    buffer_.clear();
    const Hash hash = encode_record(entry, hash_, buffer_);
    write_at(active_.fd(), buffer_, segment.end);
    if (::fdatasync(active_.fd()) != 0) fail("cannot sync", segment.path);
    index_record(
        segment,
        {.seq = entry.seq, .last_rev = entry.last_rev, .offset = segment.end, .previous = hash_});
    segment.end += buffer_.size();
    hash_ = hash;
    last_ = entry.seq;
    last_rev_ = entry.last_rev;
  } catch (const std::system_error& error) {
    throw AppendFailure(fmt::format(
        "the log cannot be written ({}): nothing of this turn was told; start again to recover",
        error.what()));
  }
  listener.on_committed();
}

/// The next segment becomes the one that is written to: header, name, folder, in this order.
void LocalLog::roll(const Entry& entry) {
  if (ahead_.empty()) {
    // The thread that makes segments did not keep up: make one here, or fail.
    const std::string path = fmt::format("{}/ahead-{}", folder_, ++ahead_number_);
    make_zeroed(path, segment_bytes_);
    ahead_.push_back(path);
  }
  const SegmentHeader header{
      .first_seq = entry.seq, .first_rev = entry.first_rev, .previous = hash_};
  const std::string path = fmt::format("{}/{:020}.log", folder_, entry.seq.value);
  {
    const File file(::open(ahead_.front().c_str(), O_RDWR | O_CLOEXEC));
    if (file.fd() < 0) fail("cannot open", ahead_.front());
    write_at(file.fd(), encode_header(header), 0);
    if (::fdatasync(file.fd()) != 0) fail("cannot sync", ahead_.front());
  }
  if (::rename(ahead_.front().c_str(), path.c_str()) != 0) fail("cannot rename", path);
  sync_folder_of(folder_);
  ahead_.erase(ahead_.begin());
  segments_.push_back({.path = path, .header = header, .end = header_bytes, .places = {}});
  open_active();
}

void LocalLog::open_active() {
  active_ = File(::open(segments_.back().path.c_str(), O_RDWR | O_CLOEXEC));
  if (active_.fd() < 0) fail("cannot open", segments_.back().path);
}

Room LocalLog::room() const {
  if (!full_) return Room::all;
  const bool fits = segments_.back().end + segment_bytes_ / 2 < segment_bytes_;
  return ahead_.empty() && !fits ? Room::none : Room::urgent;
}

std::size_t LocalLog::bytes() const { return segments_.size() * segment_bytes_; }

Seq LocalLog::next_floor() const {
  return segments_.size() > 1 ? segments_[1].header.first_seq : first();
}

void LocalLog::trim(Seq floor) {
  bool removed = false;
  while (segments_.size() > 1 && segments_[1].header.first_seq <= floor) {
    if (::unlink(segments_.front().path.c_str()) != 0)
      fail("cannot remove", segments_.front().path);
    segments_.erase(segments_.begin());
    removed = true;
  }
  if (removed) sync_folder_of(folder_);
}

std::function<void()> LocalLog::segment_job() {
  making_ = fmt::format("{}/ahead-{}", folder_, ++ahead_number_);
  return [path = making_, folder = folder_, size = segment_bytes_] {
    make_zeroed(path, size);
    sync_folder_of(folder);
  };
}

void LocalLog::segment_made() {
  ahead_.push_back(std::move(making_));
  full_ = false;
}

void LocalLog::index_record(const Segment& segment, const Place& place) {
  if (segment.places.empty() || place.offset >= segment.places.back().offset + place_every)
    segment.places.push_back(place);
}

/// Walks a segment that was not read since the start; damage in it is found here.
const std::vector<LocalLog::Place>& LocalLog::places(std::size_t index) const {
  const Segment& segment = segments_[index];
  if (!segment.places.empty() || index + 1 == segments_.size()) return segment.places;
  const std::string content = load(segment.path);
  Hash hash = segment.header.previous;
  std::size_t offset = header_bytes;
  while (const auto record = record_at(content, offset, hash)) {
    index_record(
        segment,
        {.seq = record->seq, .last_rev = record->last_rev, .offset = offset, .previous = hash});
    hash = record->hash;
    offset = record->end;
  }
  if (hash != segments_[index + 1].header.previous) {
    throw Failure(fmt::format("{} is damaged at offset {}; --accept-loss gives up what follows",
                              segment.path, offset));
  }
  return segment.places;
}

std::size_t LocalLog::segment_of(Seq seq) const {
  const auto after = std::upper_bound(
      segments_.begin(), segments_.end(), seq,
      [](Seq wanted, const Segment& segment) { return wanted < segment.header.first_seq; });
  return static_cast<std::size_t>(after - segments_.begin()) - 1;
}

bool LocalLog::read(Seq from, const std::function<bool(const Entry&)>& visit) const {
  if (from < first()) return false;
  for (std::size_t index = segment_of(from); index < segments_.size() && from <= last_; ++index) {
    const std::vector<Place>& known = places(index);
    if (known.empty()) continue;
    const auto after =
        std::upper_bound(known.begin(), known.end(), from,
                         [](Seq wanted, const Place& place) { return wanted < place.seq; });
    const Place& start = after == known.begin() ? known.front() : *(after - 1);
    if (!read_from(index, start, from, visit)) return true;
  }
  return true;
}

/// False: `visit` has had enough.
bool LocalLog::read_from(std::size_t index, const Place& start, Seq from,
                         const std::function<bool(const Entry&)>& visit) const {
  const Segment& segment = segments_[index];
  const bool is_active = index + 1 == segments_.size();
  Reader reader(segment.path, start.offset, is_active ? segment.end : segment_bytes_);
  Hash hash = start.previous;
  while (const auto record = reader.next(hash)) {
    hash = record->hash;
    if (record->seq < from) continue;
    if (!visit({.seq = record->seq,
                .first_rev = record->first_rev,
                .last_rev = record->last_rev,
                .bytes = std::string(record->bytes)})) {
      return false;
    }
  }
  return true;
}

Seq LocalLog::seek(Revision after) const {
  if (after >= last_rev_) return last_.next();
  const auto next = std::upper_bound(
      segments_.begin(), segments_.end(), after.next(),
      [](Revision wanted, const Segment& segment) { return wanted < segment.header.first_rev; });
  if (next == segments_.begin()) return first();
  const auto index = static_cast<std::size_t>(next - segments_.begin()) - 1;
  const std::vector<Place>& known = places(index);
  const auto later =
      std::upper_bound(known.begin(), known.end(), after,
                       [](Revision wanted, const Place& place) { return wanted < place.last_rev; });
  Seq found = last_.next();
  const Place& start = later == known.begin() ? known.front() : *(later - 1);
  read_from(index, start, start.seq, [&](const Entry& entry) {
    found = entry.seq;
    return entry.last_rev <= after;
  });
  return found;
}

}  // namespace muster::log
