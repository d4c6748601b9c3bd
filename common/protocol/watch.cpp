// watch: topics as text.
#include "common/protocol/watch.hpp"

#include <algorithm>
#include <array>

namespace muster::proto::watch {
namespace {

struct Kind {
  std::string_view text;
  bool named;     // a name follows
  bool optional;  // ... or nothing
};

constexpr std::array<Kind, 11> kinds = {{{"keyprefix:", true, true},
                                         {"key:", true, false},
                                         {"event:", true, true},
                                         {"services", false, false},
                                         {"service:", true, false},
                                         {"nodes", false, false},
                                         {"checks", false, false},
                                         {"session:", true, false},
                                         {"node:", true, false},
                                         {"lock:", true, false},
                                         {"job:", true, false}}};

}  // namespace

Result<Topic> parse_topic(std::string_view text) {
  const Error wrong{Code::invalid, "this is not a topic",
                    "topics are listed in common/protocol/README.md; each ends in a NUL byte"};
  if (text.size() < 2 || text.size() > limits::topic_bytes_max ||
      text.find('\0') != text.size() - 1)
    return wrong;
  text.remove_suffix(1);
  for (const Kind& kind : kinds) {
    if (!text.starts_with(kind.text)) continue;
    const std::string_view name = text.substr(kind.text.size());
    if (!kind.named && !name.empty()) continue;
    if (kind.named && !kind.optional && name.empty()) return wrong;
    return Topic{text.substr(0, kind.text.size()), name};
  }
  return wrong;
}

std::string topic(std::string_view kind, std::string_view name) {
  std::string text;
  text.reserve(kind.size() + name.size() + 1);
  text.append(kind).append(name).push_back('\0');
  return text;
}

}  // namespace muster::proto::watch
