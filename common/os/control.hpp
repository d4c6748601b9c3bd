// control: what a parent and its muster-supervise say to each other, on one SOCK_SEQPACKET socket.
//
// Plain structs: both ends are of one build, on one machine. The parent's end closing, by whatever
// death, is the order to end everything.
#pragma once

#include <cerrno>
#include <cstdint>
#include <sys/socket.h>

namespace muster::os {

struct Order {
  enum class Kind : std::int32_t {
    signal = 1,   ///< number: to the command's process group
    end = 2,      ///< TERM, the grace, KILL, for every descendant
    dismiss = 3,  ///< THEN is not needed any more
    end_at = 4,   ///< an `end` by itself at `at_us`, unless told another time before
  };
  Kind kind = Kind::end;
  std::int32_t number = 0;
  std::int64_t at_us = 0;  ///< CLOCK_BOOTTIME
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

enum class Received { message, nothing, closed };

/// The next message, without waiting. What the other end had sent before it closed comes first.
template <typename Message>
Received receive(int fd, Message& message) {
  while (true) {
    const ssize_t got = ::recv(fd, &message, sizeof(message), MSG_DONTWAIT);
    if (got == sizeof(message)) return Received::message;
    if (got < 0 && errno == EAGAIN) return Received::nothing;
    // An end that closes with something unread is an error first, told once, ahead of its words.
    if (got < 0 && (errno == ECONNRESET || errno == EINTR)) continue;
    return Received::closed;
  }
}

template <typename Message>
void send(int fd, const Message& message) {
  ::send(fd, &message, sizeof(message), MSG_NOSIGNAL | MSG_DONTWAIT);
}

}  // namespace muster::os
