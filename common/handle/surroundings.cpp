// surroundings: see surroundings.hpp.
#include "common/handle/surroundings.hpp"

#include <fmt/format.h>

namespace muster::handle {

std::vector<std::string> environment_for(const Call& call, const std::string& broker) {
  std::vector<std::string> all = os::environment_with({{"MUSTER_BROKER", broker}});
  for (const char* name : {"MUSTER_OP=", "MUSTER_KEY=", "MUSTER_PREV_REV=", "MUSTER_CAUSE=",
                           "MUSTER_AUTHOR=", "MUSTER_REV=", "CONSUL_INDEX="}) {
    std::erase_if(all, [&](const std::string& entry) { return entry.starts_with(name); });
  }
  for (const auto& [name, value] : environment_of(call))
    all.push_back(fmt::format("{}={}", name, value));
  return all;
}

std::int64_t code_of(const ChildEnd& end) {
  if (end.refused != 0) return code_not_run;
  return end.signal != 0 ? 128 + end.signal : end.code;
}

}  // namespace muster::handle
