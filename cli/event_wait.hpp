// event_wait: who gets an event: the nodes that match, and how far their watches have come.
#pragma once

#include "cli/inquiry.hpp"
#include "common/protocol/event.hpp"

namespace muster::cli {

inline constexpr seconds event_wait_usual{10};

/// Says on stderr when filters match no node. With `wait`: prints each matching node that watches
/// for the event, when its handler has succeeded; timeout if not all have by then.
Exit report_receivers(Inquiry& broker, const proto::event::Send& sent, Revision rev,
                      std::optional<Duration> wait);

}  // namespace muster::cli
