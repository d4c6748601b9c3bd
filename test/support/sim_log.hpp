// sim_log: a log in memory that can be cut, restarted and deposed: the seam of broker/log/log.hpp.
#pragma once

#include <deque>

#include "broker/log/log.hpp"

namespace muster::test {

/// What the entry's fate is to be.
enum class Fate { commits, deposed };

class SimLog final : public log::Log {
 public:
  void append(log::Entry entry, log::Listener& listener) override;
  bool read(Seq from, const std::function<bool(const log::Entry&)>& visit) const override;
  Seq seek(Revision after) const override;
  Seq first() const override { return Seq{first_}; }
  Seq last() const override { return Seq{first_ + entries_.size() - 1}; }
  log::Room room() const override { return room_; }
  std::size_t bytes() const override { return bytes_; }
  Seq next_floor() const override;
  void trim(Seq floor) override;

  void set_room(log::Room room) { room_ = room; }
  void set_segment(std::size_t entries) { segment_ = entries; }
  void next_append(Fate fate) { fate_ = fate; }
  /// A crash before the last entry was whole: it is gone.
  void tear();

 private:
  std::deque<log::Entry> entries_;
  std::uint64_t first_ = 1;
  std::size_t bytes_ = 0;
  std::size_t segment_ = 64;  ///< entries that are trimmed together
  log::Room room_ = log::Room::all;
  Fate fate_ = Fate::commits;
};

}  // namespace muster::test
