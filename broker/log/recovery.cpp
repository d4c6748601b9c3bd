// recovery: from what a crash left to a log that can be written to.
//
// Only a bad record in the last segment with no whole record behind it is a torn tail, and is cut:
// nothing of it was ever told. Everything else that does not fit is damage and needs --accept-loss.
// What is past the state's seq is written again and synced before anybody is answered: it may have
// been in the page cache only, and what is told must not be lost later.
#include <algorithm>
#include <fcntl.h>
#include <filesystem>
#include <system_error>
#include <unistd.h>

#include <fmt/format.h>

#include "broker/log/local_log.hpp"

namespace muster::log {
namespace fs = std::filesystem;

LocalLog::LocalLog(const Options& options)
    : folder_(options.folder), segment_bytes_(options.segment_bytes) {
  try {
    fs::create_directories(folder_);
    find_files();
    recover(options);
    if (active_.fd() < 0) open_active();
  } catch (const std::system_error& error) {
    throw Failure(fmt::format("the log in {} cannot be opened: {}", folder_, error.what()));
  }
}

void LocalLog::find_files() {
  for (const fs::directory_entry& entry : fs::directory_iterator(folder_)) {
    const std::string name = entry.path().filename().string();
    const std::string path = entry.path().string();
    if (name.starts_with("ahead-")) {
      fs::remove(path);  // zeroed or half so: made again
    } else if (name.ends_with(".log")) {
      Segment segment{.path = path, .header = {}, .end = 0, .places = {}};
      const File file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
      std::string bytes(header_bytes, '\0');
      if (file.fd() < 0 || ::pread(file.fd(), bytes.data(), bytes.size(), 0) < 0)
        throw std::system_error(errno, std::generic_category(), path);
      const std::optional<SegmentHeader> header = decode_header(bytes, path);
      if (!header)
        throw Failure(fmt::format("{} is damaged at offset 0: its header is not whole", path));
      segment.header = *header;
      segments_.push_back(std::move(segment));
    }
  }
  std::sort(segments_.begin(), segments_.end(), [](const Segment& a, const Segment& b) {
    return a.header.first_seq < b.header.first_seq;
  });
}

void LocalLog::recover(const Options& options) {
  if (segments_.empty()) {
    if (options.applied.value != 0 && options.floor <= options.applied) {
      if (!options.accept_loss) {
        throw Failure(fmt::format(
            "{} has no log, but the state is at record {}: the log was removed; --accept-loss goes on without it",
            folder_, options.applied.value));
      }
      recovery_.lost = "the whole log";
    }
    start_fresh(options.applied.next(), options.applied_rev.next());
    return;
  }
  std::size_t from =
      segment_of(std::max(options.applied.next(), segments_.front().header.first_seq));
  walk_tail(from, options);
  if (last_ >= options.applied) return;
  if (!options.accept_loss) {
    throw Failure(fmt::format(
        "the log ends at record {} in {}, but the state is at {}: records are missing; --accept-loss goes on without them",
        last_.value, segments_.back().path, options.applied.value));
  }
  recovery_.lost = fmt::format("records {} to {}", last_.value + 1, options.applied.value);
  for (const Segment& segment : segments_) fs::rename(segment.path, segment.path + ".lost");
  segments_.clear();
  start_fresh(options.applied.next(), options.applied_rev.next());
}

/// A log without a past.
void LocalLog::start_fresh(Seq first_seq, Revision first_rev) {
  last_ = Seq{first_seq.value - 1};
  last_rev_ = Revision{first_rev.value - 1};
  hash_ = {};
  roll({.seq = first_seq, .first_rev = first_rev, .last_rev = first_rev, .bytes = {}});
}

void LocalLog::walk_tail(std::size_t from, const Options& options) {
  for (std::size_t index = from; index < segments_.size(); ++index) {
    Segment& segment = segments_[index];
    if (index > from &&
        (segment.header.previous != hash_ || segment.header.first_seq != last_.next())) {
      give_up_from(index, 0, "it does not follow the segment before it", options);
      return;
    }
    if (index == from) {
      hash_ = segment.header.previous;
      last_ = Seq{segment.header.first_seq.value - 1};
      last_rev_ = Revision{segment.header.first_rev.value - 1};
    }
    const std::string content = load(segment.path);
    std::size_t offset = header_bytes;
    std::size_t rewrite = 0;
    while (const auto record = record_at(content, offset, hash_)) {
      if (record->seq != last_.next()) break;
      index_record(
          segment,
          {.seq = record->seq, .last_rev = record->last_rev, .offset = offset, .previous = hash_});
      if (record->seq > options.applied) {
        if (rewrite == 0) rewrite = offset;
        ++recovery_.tail_records;
      }
      hash_ = record->hash;
      last_ = record->seq;
      last_rev_ = record->last_rev;
      offset = record->end;
    }
    segment.end = offset;
    if (rewrite != 0) rewrite_tail(segment, content, rewrite);
    if (!is_end(content, offset)) {
      const bool is_last = index + 1 == segments_.size();
      if (is_last && !has_record_behind(content, offset, last_)) cut(segment, content);
      else give_up_from(index, offset, "a record is not whole", options);
      return;
    }
  }
}

void LocalLog::rewrite_tail(const Segment& segment, const std::string& content, std::size_t from) {
  const File file(::open(segment.path.c_str(), O_RDWR | O_CLOEXEC));
  if (file.fd() < 0) throw std::system_error(errno, std::generic_category(), segment.path);
  write_at(file.fd(), std::string_view(content).substr(from, segment.end - from), from);
  if (::fdatasync(file.fd()) != 0)
    throw std::system_error(errno, std::generic_category(), segment.path);
}

/// What follows the last whole record becomes zeros.
void LocalLog::cut(const Segment& segment, const std::string& content) {
  const std::size_t dirty = content.find_last_not_of('\0') + 1;
  recovery_.cut_bytes = dirty - segment.end;
  const File file(::open(segment.path.c_str(), O_RDWR | O_CLOEXEC));
  if (file.fd() < 0) throw std::system_error(errno, std::generic_category(), segment.path);
  write_at(file.fd(), std::string(dirty - segment.end, '\0'), segment.end);
  if (segment_bytes_ > content.size()) {
    write_at(file.fd(), std::string(segment_bytes_ - content.size(), '\0'), content.size());
  }
  if (::fsync(file.fd()) != 0)
    throw std::system_error(errno, std::generic_category(), segment.path);
}

/// Damage. With accept_loss the rest is put aside and the log goes on from here.
void LocalLog::give_up_from(std::size_t index, std::size_t offset, const std::string& why,
                            const Options& options) {
  const std::string where =
      fmt::format("{} is damaged at offset {}: {}", segments_[index].path, offset, why);
  if (!options.accept_loss) {
    throw Failure(
        fmt::format("{} (the last good record is {}); --accept-loss gives up what follows", where,
                    last_.value));
  }
  recovery_.lost = fmt::format("{}; everything after record {}", where, last_.value);
  const std::size_t keep = offset == 0 ? index : index + 1;
  for (std::size_t i = keep; i < segments_.size(); ++i)
    fs::rename(segments_[i].path, segments_[i].path + ".lost");
  segments_.resize(keep);
  if (offset == 0) return;
  fs::copy_file(segments_[index].path, segments_[index].path + ".lost",
                fs::copy_options::overwrite_existing);
  cut(segments_[index], load(segments_[index].path));
}

}  // namespace muster::log
