// exec_flow: see exec_flow.hpp.
#include "cli/exec_flow.hpp"

#include <algorithm>
#include <utility>

namespace muster::cli {
namespace {

// More does not make a single stream faster.
constexpr std::uint64_t share_max = 64 * limits::KiB;
constexpr std::uint64_t window_max = 1 * limits::MiB;

}  // namespace

std::uint64_t ExecFlow::extra_of(const Stream& stream) {
  const std::uint64_t own = stream.left + stream.floor;
  return stream.allow > own ? stream.allow - own : 0;
}

std::uint64_t ExecFlow::share() const {
  return std::clamp<std::uint64_t>(half_ / std::max<std::uint64_t>(active_, 1), first, share_max);
}

void ExecFlow::mark(const Source& source, Stream& stream) {
  if (!std::exchange(stream.marked, true)) marked_.push_back(source);
}

std::string_view ExecFlow::arrive(const Source& source, std::uint64_t offset,
                                  std::string_view bytes) {
  Stream& stream = streams_[source];
  if (offset > stream.received) {
    stream.resend = true;
    mark(source, stream);
    return {};
  }
  const std::uint64_t known = stream.received - offset;
  if (known >= bytes.size()) return {};
  bytes.remove_prefix(known);
  if (stream.received == 0) ++active_;
  stream.received += bytes.size();
  mark(source, stream);
  return bytes;
}

void ExecFlow::end(const Source& source) {
  Stream& stream = streams_[source];
  if (std::exchange(stream.ended, true)) return;
  if (stream.received > 0) --active_;
  extra_ -= extra_of(stream);
  stream.allow = stream.received;
  extra_ += extra_of(stream);
  mark(source, stream);
}

void ExecFlow::leave(const Source& source, std::uint64_t bytes) {
  Stream& stream = streams_[source];
  extra_ -= extra_of(stream);
  stream.left += bytes;
  extra_ += extra_of(stream);
  mark(source, stream);
}

void ExecFlow::ask_again(const std::string& node) {
  for (const std::uint64_t number : {1U, 2U}) {
    const Source source{.node = node, .stream = number};
    Stream& stream = streams_[source];
    if (stream.ended) continue;
    stream.resend = true;
    mark(source, stream);
  }
}

bool ExecFlow::ended(const Source& source) const {
  const auto found = streams_.find(source);
  return found != streams_.end() && found->second.ended;
}

std::uint64_t ExecFlow::received(const Source& source) const {
  const auto found = streams_.find(source);
  return found == streams_.end() ? 0 : found->second.received;
}

/// Raises `allow` once at least half of the window has been used; says whether it did.
bool ExecFlow::grant(Stream& stream) {
  if (stream.ended || stream.received == 0) return false;
  const std::uint64_t others = extra_ - extra_of(stream);
  const std::uint64_t free = half_ > others ? half_ - others : 0;
  const std::uint64_t window = std::min(share() + free, window_max);
  const std::uint64_t wanted = stream.left + window;
  if (wanted <= stream.allow || wanted - stream.allow < window / 2) return false;
  stream.allow = wanted;
  stream.floor = share();
  extra_ = others + extra_of(stream);
  return true;
}

std::vector<proto::exec::Credit> ExecFlow::due(const std::string& job) {
  std::vector<proto::exec::Credit> out;
  for (const Source& source : std::exchange(marked_, {})) {
    Stream& stream = streams_[source];
    stream.marked = false;
    const bool all_written = stream.ended && stream.received > 0 && stream.left == stream.received;
    if (!grant(stream) && !stream.resend && !all_written) continue;
    out.push_back({.job = job,
                   .node = source.node,
                   .stream = source.stream,
                   .have = stream.received,
                   .allow = stream.allow,
                   .resend = std::exchange(stream.resend, false)});
  }
  return out;
}

}  // namespace muster::cli
