// txn: compare, then one list of operations or the other; each is what its own verb does.
#include "broker/core/txn.hpp"

#include <fmt/format.h>

#include "broker/core/kv.hpp"
#include "broker/core/lock.hpp"

namespace muster::core::kv {
namespace {

using proto::kv::Compare;
using proto::kv::Operation;
using proto::kv::OperationResult;

std::optional<Error> wrong(const Compare& compare) {
  const int given = (compare.rev ? 1 : 0) + (compare.value ? 1 : 0) + (compare.absent ? 1 : 0) +
                    (compare.lock.empty() ? 0 : 1);
  if (given != 1) return Error{Code::invalid, "it has exactly one of rev, value, absent and lock"};
  if (compare.lock.empty() == compare.key.empty())
    return Error{Code::invalid, compare.lock.empty() ? "it needs a key" : "a lock has no key"};
  return std::nullopt;
}

bool holds(Turn& turn, const Compare& compare) {
  if (!compare.lock.empty())
    return static_cast<bool>(lock::check_fence(turn.view(), {compare.lock, compare.token}));
  const auto row = turn.kv().get(compare.key);
  if (compare.absent) return !row;
  if (compare.rev) return (row ? row->mod_rev : Revision{}) == *compare.rev;
  return row && row->value == *compare.value;
}

Result<OperationResult> erase_tree(Turn& turn, const std::string& prefix) {
  const auto erased = erase_prefix(turn, {.prefix = prefix, .all = false});
  if (!erased) return erased.error();
  return OperationResult{.rev = erased->rev, .count = erased->count};
}

Result<OperationResult> perform(Turn& turn, const Operation& operation) {
  if (operation.op == "put") {
    const auto written = put(turn, operation.put);
    if (!written) return written.error();
    return OperationResult{.rev = written->rev, .unchanged = written->unchanged};
  }
  if (operation.op == "delete_prefix") return erase_tree(turn, operation.key);
  if (operation.op == "delete") {
    const auto erased = erase(turn, {.key = operation.key, .compare_rev = std::nullopt});
    if (!erased) return erased.error();
    return OperationResult{.rev = erased->rev, .count = erased->count};
  }
  if (operation.op != "get")
    return Error{Code::invalid, fmt::format("there is no operation '{}'; there are put, get, "
                                            "delete, delete_prefix",
                                            operation.op)};
  const auto entry = get(turn, {.key = operation.key, .when = std::nullopt});
  if (!entry && entry.error().code != Code::not_found) return entry.error();
  if (!entry) return OperationResult{};
  return OperationResult{.rev = entry->mod_rev, .entry = *entry};
}

Error at(std::string_view list, std::size_t index, Error error) {
  error.message = fmt::format("{}[{}]: {}", list, index, error.message);
  return error;
}

}  // namespace

Result<proto::kv::Outcome> txn(Turn& turn, const proto::kv::Txn& request) {
  proto::kv::Outcome outcome{
      .succeeded = true, .rev = turn.last_rev(), .failed = request.compare.size(), .results = {}};
  for (std::size_t i = 0; i < request.compare.size(); ++i) {
    if (const auto error = wrong(request.compare[i])) return at("compare", i, *error);
    if (!outcome.succeeded || holds(turn, request.compare[i])) continue;
    outcome.succeeded = false;
    outcome.failed = i;
  }
  const auto& operations = outcome.succeeded ? request.then : request.otherwise;
  std::size_t bytes = 0;
  for (std::size_t i = 0; i < operations.size(); ++i) {
    const std::string_view list = outcome.succeeded ? "then" : "else";
    Result<OperationResult> result = perform(turn, operations[i]);
    if (!result) return at(list, i, result.error());
    bytes += 64 + (result->entry ? result->entry->value.size() + result->entry->key.size() : 0);
    if (bytes > limits::message_bytes_max(turn.identity().value_bytes_max) - limits::KiB)
      return at(list, i, {Code::too_large, "the results fit no reply", "get fewer keys"});
    outcome.results.push_back(*std::move(result));
  }
  if (turn.bytes() != 0) outcome.rev = turn.rev();
  return outcome;
}

}  // namespace muster::core::kv
