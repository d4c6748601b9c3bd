// types: numbers that must not mix, bytes, time.
#pragma once

#include <array>
#include <chrono>
#include <compare>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include <msgpack.hpp>

namespace muster {

/// A counter of one kind. Zero is "none": revisions, seqs, epochs and request numbers start at 1.
template <class Tag>
struct Number {
  std::uint64_t value = 0;

  constexpr auto operator<=>(const Number&) const = default;
  constexpr Number next() const { return Number{value + 1}; }

  template <class Packer>
  void msgpack_pack(Packer& packer) const {
    packer.pack(value);
  }
  void msgpack_unpack(const msgpack::object& object) { object.convert(value); }
};

using Revision = Number<struct RevisionTag>;    ///< the one global revision, +1 a change
using Seq = Number<struct SeqTag>;              ///< a record's place in the log, +1 a record
using Epoch = Number<struct EpochTag>;          ///< +1 at each start of a broker as leader
using RequestNo = Number<struct RequestNoTag>;  ///< a request's number within its client

/// Any bytes: msgpack `bin` on the wire (a `str` is accepted too), unlike text, which is `str`.
struct Bytes {
  std::string data;

  Bytes() = default;
  explicit Bytes(std::string bytes) : data(std::move(bytes)) {}
  auto operator<=>(const Bytes&) const = default;
  std::size_t size() const { return data.size(); }
  bool empty() const { return data.empty(); }
  std::string_view view() const { return data; }

  template <class Packer>
  void msgpack_pack(Packer& packer) const {
    packer.pack_bin(static_cast<std::uint32_t>(data.size()));
    packer.pack_bin_body(data.data(), static_cast<std::uint32_t>(data.size()));
  }
  void msgpack_unpack(const msgpack::object& object) { object.convert(data); }
};

using Duration = std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::seconds;

/// CLOCK_BOOTTIME: goes on while the machine sleeps; what leases and timers count in.
struct BootClock {
  using duration = Duration;
  using rep = duration::rep;
  using period = duration::period;
  using time_point = std::chrono::time_point<BootClock>;
  static constexpr bool is_steady = true;
  static time_point now();
};
using TimePoint = BootClock::time_point;

/// Wall time for people and histories, milliseconds since 1970 (UTC). Never used to end anything.
struct WallTime {
  std::uint64_t ms = 0;
  auto operator<=>(const WallTime&) const = default;
  static WallTime now();

  template <class Packer>
  void msgpack_pack(Packer& packer) const {
    packer.pack(ms);
  }
  void msgpack_unpack(const msgpack::object& object) { object.convert(ms); }
};

/// A random (version 4) UUID as text, made of 16 random bytes.
std::string uuid_from(const std::array<std::uint8_t, 16>& random);

}  // namespace muster
