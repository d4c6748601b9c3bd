// apply: the one function that changes state, on leaders, followers and restarts alike.
//
// A record carries effects; what follows from a change without an op of its own is derived here:
// the history index of keys, what a key was at the trim floor, the newest revision of topics, the
// answers that a retry gets, and the revision reached.
#pragma once

#include "broker/state/record.hpp"
#include "broker/state/store.hpp"

namespace muster::state {

/// Writes the record into the store's active layer.
void apply(const Record& record, Store& store);

/// Whether topic_revs remembers the topic's newest revision: not for the many that come and go
/// (sessions, locks, jobs), for which the applied revision is true enough.
bool has_topic_rev(std::string_view topic);

/// The key under which a request's answer is kept, and its client's row.
std::string dedupe_key(const RequestId& request);
std::string client_key(const RequestId& request);

}  // namespace muster::state
