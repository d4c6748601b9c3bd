// local_log: the log as a chain of segment files in one folder.
//
//   LOG/00000000000000000001.log ...   segments, named by their first seq; the last one is written
//   to LOG/ahead-N                        zeroed and synced, to become segments: the next and a
//   spare
//
// An append is one write and one fdatasync. A segment is zeroed and synced before it is used, so
// that an append changes no metadata of the file. When the next cannot be allocated the log has
// room for urgent writes only (DESIGN section 2, full disk).
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "broker/log/segment.hpp"

namespace muster::log {

/// An open file. Closes itself.
class File {
 public:
  File() = default;
  explicit File(int fd) : fd_(fd) {}
  File(File&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  File& operator=(File&& other) noexcept;
  ~File();
  int fd() const { return fd_; }

 private:
  int fd_ = -1;
};

struct Options {
  std::string folder;
  std::size_t segment_bytes = 0;
  Seq applied;  ///< what the state holds already: the log must reach at least that far
  Revision applied_rev;
  Seq floor;  ///< records below it are not needed: past `applied`, no log is missing
  bool accept_loss = false;
};

/// What opening found.
struct Recovery {
  std::uint64_t tail_records = 0;  ///< past `applied`
  std::uint64_t cut_bytes = 0;     ///< of a torn tail
  std::string lost;                ///< with accept_loss: what was given up; empty: nothing
};

class LocalLog final : public Log {
 public:
  /// Recovers. Throws Failure: damage, with file and offset; a log that ends before `applied`;
  /// a newer format; no space for the first segment.
  explicit LocalLog(const Options& options);

  void append(Entry entry, Listener& listener) override;
  bool read(Seq from, const std::function<bool(const Entry&)>& visit) const override;
  Seq seek(Revision after) const override;
  Seq first() const override { return segments_.front().header.first_seq; }
  Seq last() const override { return last_; }
  Room room() const override;
  std::size_t bytes() const override;
  Seq next_floor() const override;
  void trim(Seq floor) override;

  const Recovery& recovery() const { return recovery_; }

  /// Whether a segment should be made ahead, and the job that makes it: for another thread; it
  /// touches nothing of this object. Throws Failure; and DiskFull.
  bool wants_segment() const { return ahead_.size() < 2; }
  std::function<void()> segment_job();
  /// The end of the job: the segment is there, or the disk is full.
  void segment_made();
  void segment_refused() { full_ = true; }

 private:
  struct Place {
    Seq seq;
    Revision last_rev;
    std::size_t offset = 0;
    Hash previous{};
  };
  struct Segment {
    std::string path;
    SegmentHeader header;
    std::size_t end = 0;                ///< behind the last record; 0: not walked yet
    mutable std::vector<Place> places;  ///< a sparse index, made when first read
  };

  // recovery.cpp
  void find_files();
  void recover(const Options& options);
  void walk_tail(std::size_t from, const Options& options);
  void rewrite_tail(const Segment& segment, const std::string& content, std::size_t from);
  void cut(const Segment& segment, const std::string& content);
  void give_up_from(std::size_t index, std::size_t offset, const std::string& why,
                    const Options& options);
  void start_fresh(Seq first_seq, Revision first_rev);

  void roll(const Entry& entry);
  void open_active();
  const std::vector<Place>& places(std::size_t index) const;
  bool read_from(std::size_t index, const Place& start, Seq from,
                 const std::function<bool(const Entry&)>& visit) const;
  static void index_record(const Segment& segment, const Place& place);
  std::size_t segment_of(Seq seq) const;

  const std::string folder_;
  const std::size_t segment_bytes_;
  Recovery recovery_;

  std::vector<Segment> segments_;  ///< oldest first; never empty after construction
  File active_;
  Hash hash_{};  ///< of the last record
  Seq last_;
  Revision last_rev_;
  std::vector<std::string> ahead_;  ///< zeroed files
  std::string making_;
  std::uint64_t ahead_number_ = 0;
  bool full_ = false;
  std::string buffer_;
};

/// Reads records of one file one after the other, a piece at a time.
class Reader {
 public:
  /// Up to `end`, an offset. Throws std::system_error.
  Reader(const std::string& path, std::size_t offset, std::size_t end);
  /// None: no whole record follows. What it shows lives until the next call.
  std::optional<StoredRecord> next(const Hash& previous);
  std::size_t offset() const { return base_ + at_; }

 private:
  bool fill(std::size_t wanted);

  const File file_;
  const std::size_t end_;
  std::size_t base_;    ///< the offset in the file of piece_'s first byte
  std::size_t at_ = 0;  ///< in piece_
  std::string piece_;
};

/// The whole file. Throws std::system_error.
std::string load(const std::string& path);
/// Writes all of it. Throws std::system_error.
void write_at(int fd, std::string_view bytes, std::size_t offset);
/// Makes a zeroed, synced file of that size; removes it again when it fails. Throws
/// std::system_error.
void make_zeroed(const std::string& path, std::size_t size);
void sync_folder_of(const std::string& folder);

}  // namespace muster::log
