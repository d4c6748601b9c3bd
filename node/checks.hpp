// checks: when each check is run, what its runs mean, what the broker is told. Pure.
//
//   waits  -- due ----------------> runs     at most limits::checks_running_max at once
//   runs   -- ended --------------> waits    the next start an interval after the last one
//   runs   -- its time is over ---> ending   its processes are ended; that run was critical
//   ending -- ended --------------> waits
//
// A status changes when enough runs in a row say so. Each change is told at once; an output that
// changed alone at most once a minute; after a registration all that is known.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <random>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "common/protocol/health.hpp"
#include "common/types.hpp"

namespace muster::node {

/// How a run ended. A program's exit code says the status, as Nagios plugins do it.
struct CheckEnd {
  int code = 0;
  int signal = 0;
  std::string refused;             ///< why it could not be started; empty: it was
  std::string output;              ///< its last bytes
  std::uint64_t output_bytes = 0;  ///< how many there were
};

class Checks {
 public:
  // Effects.
  struct Start {
    std::string id;
    proto::health::Check check;
  };
  struct End {
    std::string id;
  };
  struct Tell {
    proto::health::Finding finding;
  };
  /// For the log of the daemon: what is told to a broker that is away is told later.
  struct Note {
    std::string id;
    std::string status;
    std::string was;  ///< empty: this is the first that is known
  };
  using Effect = std::variant<Start, End, Tell, Note>;

  /// `seed` spreads the first runs, so that nodes that start together do not look together.
  explicit Checks(std::uint64_t seed) : random_(seed) {}

  /// All there are by now. One whose definition is the same goes on undisturbed.
  void define(const std::vector<proto::health::Check>& checks, TimePoint now);
  void ended(const std::string& id, const CheckEnd& end, TimePoint now);
  /// The broker may have forgotten, or be another one: it is told everything.
  void registered(TimePoint now);
  /// At next_due() or later.
  void tick(TimePoint now);
  std::optional<TimePoint> next_due() const;
  std::vector<Effect> take() { return std::exchange(effects_, {}); }

  std::size_t size() const { return checks_.size(); }
  std::size_t running() const { return running_; }

 private:
  enum class State { waits, runs, ending };

  struct Entry {
    proto::health::Check check;
    State state = State::waits;
    TimePoint due;  ///< to be started, or given up
    TimePoint started;
    bool gone = false;            ///< not defined any more; it is forgotten when its run has ended
    bool again = false;           ///< defined anew while it ran
    std::uint64_t successes = 0;  ///< in a row
    std::uint64_t failures = 0;
    std::string status;  ///< empty: no run has ended yet
    std::string output;
    std::string told;  ///< the output that the broker has
    TimePoint told_at;
  };

  void schedule(Entry& entry, TimePoint now);
  void start(const std::string& id, Entry& entry, TimePoint now);
  void give_up(const std::string& id, Entry& entry);
  bool judge(const std::string& id, Entry& entry, const std::string& found);
  void tell(const std::string& id, Entry& entry, TimePoint now);

  std::mt19937_64 random_;
  std::map<std::string, Entry> checks_;
  std::size_t running_ = 0;
  bool registered_ = false;
  std::vector<Effect> effects_;
};

/// How long one run of it may take.
Duration timeout_of(const proto::health::Check& check);
/// "30s", "500ms"
std::string timeout_text(const proto::health::Check& check);

}  // namespace muster::node
