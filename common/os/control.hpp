// control: what a parent and its muster-supervise say to each other, on one SOCK_SEQPACKET socket.
//
// Plain structs: both ends are of one build, on one machine. The parent's end closing, by whatever
// death, is the order to end everything.
#pragma once

#include <cstdint>

namespace muster::os {

inline constexpr int control_fd = 3;  ///< in muster-supervise

struct Order {
  enum class Kind : std::int32_t {
    signal = 1,  ///< to the command's process group
    end = 2,     ///< TERM, the grace, KILL, for every descendant
  };
  Kind kind = Kind::end;
  std::int32_t number = 0;
};

struct Report {
  enum class Kind : std::int32_t {
    started = 1,  ///< number: the pid
    refused = 2,  ///< number: errno of the exec
    exited = 3,   ///< number: the exit code
    killed = 4,   ///< number: the signal
    gone = 5,     ///< no descendant is left (or they are left alone)
  };
  Kind kind = Kind::gone;
  std::int32_t number = 0;
  std::uint64_t duration_us = 0;  ///< of exited and killed: since the start
};

}  // namespace muster::os
