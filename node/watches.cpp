// watches: see watches.hpp.
#include "node/watches.hpp"

#include <algorithm>

#include "node/watch.hpp"

namespace muster::node {

Watches::Watches(net::Client& client, std::string node) : client_(client), node_(std::move(node)) {}

Watches::~Watches() = default;

void Watches::define(const std::vector<WatchDefinition>& definitions) {
  const auto has = [](const auto& all, const WatchDefinition& one, auto definition_of) {
    return std::any_of(all.begin(), all.end(),
                       [&](const auto& each) { return definition_of(each) == one; });
  };
  std::erase_if(watches_, [&](const std::unique_ptr<Watch>& watch) {
    return !has(definitions, watch->definition(),
                [](const WatchDefinition& one) -> const WatchDefinition& { return one; });
  });
  for (const WatchDefinition& definition : definitions) {
    const bool runs = has(watches_, definition,
                          [](const std::unique_ptr<Watch>& watch) -> const WatchDefinition& {
                            return watch->definition();
                          });
    if (runs) continue;
    watches_.push_back(std::make_unique<Watch>(client_, node_, definition));
    watches_.back()->begin();
  }
}

}  // namespace muster::node
