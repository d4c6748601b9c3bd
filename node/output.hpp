// output: one stream of a task: what was read and its caller does not have yet. Pure.
//
//   have <= told <= produced <= allow        all of them counted from the start of the stream
//
//   add      produced grows; the bytes are kept
//   next     a piece of [told, produced) goes to the broker, few at a time: so small writes of a
//            busy command travel together
//   credit   the caller has what is below `have`: forgotten; it takes what is below `allow`
//   missed   the broker did not take a piece: told again from there
//
// So a slow caller slows the command, nothing fills memory, and no byte is lost.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace muster::node {

class Output {
 public:
  /// On its way to the broker until taken() or missed().
  struct Piece {
    std::uint64_t offset = 0;
    std::string bytes;
    bool eof = false;
  };
  /// What its caller says it has and takes.
  struct Credit {
    std::uint64_t have = 0;
    std::uint64_t allow = 0;
  };

  void add(std::string_view bytes);
  void end() { ended_ = true; }
  /// Lower numbers than before mean nothing.
  void credit(const Credit& credit);
  /// The caller misses what is above its `have`.
  void again() { told_ = have_, eof_told_ = false; }

  /// None: nothing to tell now, or enough is on its way.
  std::optional<Piece> next();
  void taken() { --under_way_; }
  void missed(std::uint64_t offset);

  /// How many bytes may be read now, if at most `kept_max` may be kept.
  std::size_t room(std::size_t kept_max) const;
  std::size_t kept() const { return kept_.size(); }
  std::uint64_t produced() const { return have_ + kept_.size(); }
  bool ended() const { return ended_; }
  /// Its end was told, and the caller has all.
  bool complete() const { return ended_ && eof_told_ && kept_.empty(); }
  /// Nobody wants the rest.
  void drop();

 private:
  std::string kept_;         ///< [have, produced)
  std::uint64_t have_ = 0;   ///< that the caller has
  std::uint64_t told_ = 0;   ///< that the broker has, or is about to
  std::uint64_t allow_ = 0;  ///< that the caller takes
  unsigned under_way_ = 0;   ///< pieces
  bool ended_ = false;
  bool eof_told_ = false;
};

}  // namespace muster::node
