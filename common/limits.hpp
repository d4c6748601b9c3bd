// limits: every bound of muster, and how the bounds relate.
//
// Past a bound the answer is `busy` or `too_large`; nothing grows. Sizes are bytes, times are
// named.
#pragma once

#include <cstddef>
#include <cstdint>

#include "common/types.hpp"

namespace muster::limits {

inline constexpr std::size_t KiB = 1024;
inline constexpr std::size_t MiB = 1024 * KiB;

// What a user may say.
inline constexpr std::size_t key_bytes_max = 400;   ///< LMDB takes 511; prefix and suffix are ours
inline constexpr std::size_t name_bytes_max = 255;  ///< node, lock, service, event, session names
inline constexpr std::size_t value_bytes_default = 1 * MiB;
inline constexpr std::size_t value_bytes_ceiling = 8 * MiB;
inline constexpr std::size_t command_bytes_max =
    1 * MiB;  ///< command, arguments or script of a job
inline constexpr std::size_t pattern_bytes_max = 1 * KiB;  ///< a regular expression
inline constexpr std::size_t cause_bytes_max = 255;        ///< why, of a change

inline constexpr std::chrono::hours key_ttl_max{10 * 365 * 24};
inline constexpr std::size_t ttl_keys_max = 1'000'000;  ///< each costs the broker a timer
inline constexpr std::size_t session_keys_max = 1024;   ///< released or deleted in one change

// The wire.
inline constexpr std::size_t envelope_bytes_max = 64 * KiB;  ///< a message beside its value
constexpr std::size_t message_bytes_max(std::size_t value_bytes_max) {
  return value_bytes_max + envelope_bytes_max;
}
inline constexpr std::size_t header_bytes_max = 4 * KiB;
inline constexpr std::size_t error_text_bytes_max = 1 * KiB;  ///< its message, and its hint
inline constexpr std::size_t nesting_max = 16;
inline constexpr std::size_t elements_max = 64 * KiB;  ///< of one array or map
inline constexpr std::size_t reply_bytes_max =
    1 * MiB;  ///< a list or a read is cut here, and says so
inline constexpr std::size_t notice_bytes_max = 8 * KiB;  ///< a larger notice is sent as a tail
inline constexpr std::uint64_t protocol_version = 1;

// A turn, a record, the log.
inline constexpr std::size_t turn_messages_max = 1024;
inline constexpr std::size_t turn_bytes_max = 1 * MiB;  ///< no more is drained past this
constexpr std::size_t change_bytes_max(std::size_t value_bytes_max) {
  return value_bytes_max + 2 * MiB;
}
/// What the broker proposes by itself may be larger: trimming moves what a record holds.
constexpr std::size_t own_change_bytes_max(std::size_t value_bytes_max) {
  return change_bytes_max(value_bytes_max) + 3 * MiB;
}
constexpr std::size_t segment_bytes(std::size_t value_bytes_max) {
  return value_bytes_max <= 1 * MiB ? 8 * MiB : 32 * MiB;
}
static_assert(turn_bytes_max + own_change_bytes_max(value_bytes_default) + 64 * KiB <
              segment_bytes(value_bytes_default));
static_assert(turn_bytes_max + own_change_bytes_max(value_bytes_ceiling) + 64 * KiB <
              segment_bytes(value_bytes_ceiling));
inline constexpr std::size_t log_bytes_default = 1024 * MiB;
inline constexpr std::chrono::hours log_age_default{7 * 24};
inline constexpr std::size_t log_scan_bytes_max =
    4 * MiB;                                        ///< read from the log for one watch.read
inline constexpr std::size_t trim_rows_max = 2000;  ///< rows that one turn of trimming takes away
inline constexpr std::size_t trim_bytes_max = 256 * KiB;  ///< of records, that it begins with
inline constexpr std::size_t past_rows_max = 4096;        ///< of the past looked at for one answer
inline constexpr std::size_t past_scan_bytes_max = 1 * MiB;  ///< read from the log for one answer
inline constexpr std::size_t keep_rules_max = 64;  ///< prefixes whose past has an age of its own

// State.
inline constexpr std::size_t layer_ops_seal = 64 * 1024;
inline constexpr std::size_t layer_bytes_seal = 16 * MiB;  ///< of memory, not of keys and values
inline constexpr seconds layer_age_seal{1};
inline constexpr std::size_t layer_bytes_max = 64 * MiB;  ///< past it the disk cannot follow: busy
static_assert(layer_bytes_seal < layer_bytes_max);
inline constexpr std::size_t row_key_bytes_max = 511;  ///< LMDB's; a key and what we add to it
static_assert(key_bytes_max + 1 + 8 <= row_key_bytes_max &&
              2 * name_bytes_max + 1 <= row_key_bytes_max);
inline constexpr unsigned lmdb_readers_max = 16;       ///< the loop's snapshot, and room for copies
inline constexpr std::size_t disk_free_min = 1 * MiB;  ///< less counts as full
inline constexpr std::size_t lmdb_map_bytes = std::size_t{64} * 1024 * MiB;

// Snapshots.
inline constexpr std::size_t snapshots_max = 4;           ///< kept by a broker, saved or brought
inline constexpr seconds snapshot_patience{60};           ///< until one that nobody asks for goes
inline constexpr std::chrono::minutes snapshot_wait{30};  ///< for one to be made or taken over
inline constexpr std::size_t snapshot_head_bytes_max = 16 * KiB;
static_assert(snapshot_head_bytes_max < envelope_bytes_max);
inline constexpr std::size_t snapshot_file_piece = 1 * MiB;  ///< read from or written to a disk
/// In one message.
constexpr std::size_t snapshot_piece_bytes(std::size_t message_bytes) {
  return (message_bytes < 1 * MiB ? message_bytes : 1 * MiB) - 16 * KiB;
}
static_assert(envelope_bytes_max > 16 * KiB);
inline constexpr std::size_t errands_max = 64;  ///< waiting for the thread that does them

// Clients.
inline constexpr std::size_t outstanding_max = 1024;  ///< requests of one client without an answer
inline constexpr std::size_t outstanding_bytes_max = 64 * MiB;
static_assert(message_bytes_max(value_bytes_ceiling) < outstanding_bytes_max);
inline constexpr std::size_t client_messages_max = 256;  ///< taken in one turn of a client's loop
inline constexpr std::size_t parked_max = 64 * 1024;
inline constexpr std::size_t connections_max = 64 * 1024;
inline constexpr std::chrono::minutes connection_idle{
    10};                                    ///< silent for so long: forgotten, it says hello again
inline constexpr seconds ping_interval{2};  ///< while a request waits for its answer
inline constexpr seconds ping_interval_idle{5};      ///< of clients that are to notice a restart
inline constexpr unsigned pings_unanswered_max = 3;  ///< then the connection is made anew
inline constexpr seconds request_timeout_default{5};
inline constexpr std::chrono::hours dedupe_age{1};
inline constexpr std::chrono::minutes client_id_age{30};  ///< away for longer: a fresh client_id
static_assert(client_id_age * 2 <= dedupe_age);
inline constexpr milliseconds reconnect_min{200};
inline constexpr seconds reconnect_max{1};       ///< a restarted broker is found within 2 s
inline constexpr seconds heartbeat_interval{2};  ///< ZMTP: closes a dead link, tells nobody
inline constexpr seconds heartbeat_timeout{6};
inline constexpr seconds handshake_timeout{5};
inline constexpr int listen_backlog = 4096;
inline constexpr int high_water_mark = 1000;   ///< messages of a client, either way
inline constexpr milliseconds stall_max{200};  ///< a longer pause of the loop moves deadlines

// Leases.
inline constexpr seconds session_ttl_default{15};
inline constexpr seconds kill_grace_default{5};
inline constexpr milliseconds session_ttl_min{1000};
inline constexpr std::chrono::hours session_ttl_max{24};
inline constexpr std::chrono::minutes session_ttl_long{
    5};  ///< longer ones have their rest checkpointed
inline constexpr std::size_t lock_waiters_max = 64 * 1024;
inline constexpr std::uint32_t lock_limit_max = 64 * 1024;
static_assert(kill_grace_default * 3 <= session_ttl_default);

// Watching.
inline constexpr seconds sync_interval{5};
inline constexpr seconds at_least_wait{2};
inline constexpr milliseconds read_retry{500};  ///< until a watch.read that failed is asked again
inline constexpr std::size_t topic_bytes_max = key_bytes_max + 16;
inline constexpr std::size_t topics_max = 256 * 1024;
inline constexpr std::size_t sync_topics_max = 4096;  ///< in one watch.sync
inline constexpr std::size_t cursors_max = 64 * 1024;
inline constexpr std::uint64_t cursor_idle_revs = 256;  ///< an idle cursor is moved so rarely ...
inline constexpr std::chrono::minutes cursor_idle_interval{10};  ///< ... and not more often
inline constexpr seconds handler_retry_min{1};  ///< doubled with each failure in a row
inline constexpr seconds handler_retry_max{60};
inline constexpr std::size_t events_kept = 10'000;
inline constexpr std::size_t event_bytes_kept = 64 * MiB;

// The fleet.
inline constexpr seconds down_grace{1};  ///< between a lost subscription to node:NAME and "down"
inline constexpr seconds presence_grace{10};   ///< to subscribe, to register after a restart
inline constexpr seconds answer_patience{10};  ///< for a node that was asked for somebody else
inline constexpr std::chrono::hours caller_patience{1};  ///< then a silent one's job is cancelled
inline constexpr std::size_t watches_max = 256;          ///< by the definitions of one node
inline constexpr std::size_t services_max = 1024;        ///< on one node
inline constexpr std::size_t checks_max = 2048;          ///< on one node
inline constexpr std::size_t offers_bytes_max = 512 * KiB;  ///< services and checks of one node
inline constexpr std::uint64_t check_time_ms_max =
    std::uint64_t{365} * 24 * 3600 * 1000;  ///< any time in a definition
inline constexpr std::uint64_t check_interval_ms_min = 100;
inline constexpr std::uint64_t check_runs_max = 1000;       ///< thresholds: runs in a row
inline constexpr std::size_t check_output_bytes = 4 * KiB;  ///< the last ones are kept
inline constexpr std::size_t check_told_bytes =
    check_output_bytes + 128;                       ///< with a line in front of it that says so
inline constexpr seconds check_script_timeout{30};  ///< where a check does not say
inline constexpr seconds check_probe_timeout{10};
inline constexpr seconds check_spread{5};  ///< over which the first runs of checks are spread
inline constexpr seconds check_output_interval{60};    ///< between outputs that changed alone
inline constexpr std::size_t checks_running_max = 32;  ///< on one node at a time
inline constexpr std::size_t definitions_bytes_max = 1 * MiB;  ///< in one file
inline constexpr std::size_t jobs_kept = 1000;
inline constexpr std::size_t targets_max = 16 * 1024;
inline constexpr std::size_t output_chunk_bytes = 64 * KiB;
inline constexpr std::size_t output_budget_bytes =
    4 * MiB;  ///< credit of one caller for all its nodes
inline constexpr std::size_t output_kept_bytes =
    1 * MiB;  ///< of one stream, on its node, until the caller has them
inline constexpr std::size_t output_node_bytes =
    12 * MiB;  ///< of all streams of a node; past it each keeps output_floor_bytes
inline constexpr std::size_t output_floor_bytes = 4 * KiB;
inline constexpr unsigned output_pieces_max = 8;  ///< of one stream on their way to the broker
inline constexpr unsigned output_pieces_node_max = 64;  ///< of all streams of a node
static_assert(output_chunk_bytes <= output_kept_bytes && output_kept_bytes <= output_node_bytes);
inline constexpr std::size_t tasks_running_max = 1024;  ///< on one node
inline constexpr std::size_t tasks_known_max =
    10'000;  ///< ids that a node remembers, so as never to start one twice
inline constexpr std::chrono::minutes output_patience{
    10};  ///< for a caller that does not take what a command has written
inline constexpr std::chrono::hours task_time_max{
    30 * 24};                              ///< longer timeouts and graces count as this
inline constexpr seconds report_again{2};  ///< until a broker is told again what it did not take
inline constexpr std::size_t job_id_bytes_max = 64;
inline constexpr std::size_t journal_bytes_max = 2 * MiB;  ///< then it is written anew
static_assert(tasks_known_max * (job_id_bytes_max + 16) <= journal_bytes_max / 2);  // shrinks it
inline constexpr seconds stop_patience{15};  ///< for tasks to end when their daemon is stopped
inline constexpr seconds output_after_exit{
    1};  ///< for a pipe that a command's left-over process holds open

}  // namespace muster::limits
