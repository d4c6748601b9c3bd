// notify: the few words that a daemon says to the service manager that started it.
//
// The protocol of sd_notify(3), a datagram to $NOTIFY_SOCKET; libsystemd would add 1 MB to the
// resident memory of every node.
#pragma once

#include <string_view>

namespace muster::os {

/// READY=1, STOPPING=1, RELOADING=1; without a service manager nothing happens.
void notify(std::string_view state);

}  // namespace muster::os
