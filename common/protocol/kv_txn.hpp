// kv_txn: several keys compared and written in one change, all or nothing.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "common/protocol/kv.hpp"

namespace muster::proto::kv {

/// What must be true; exactly one of rev, value, absent and lock is given.
struct Compare {
  std::string key;
  std::optional<Revision> rev;  ///< the key's; 0: it must not exist
  std::optional<Bytes> value;
  bool absent = false;
  std::string lock;  ///< whose holders must have `token`; no key then
  Revision token;
  MSGPACK_DEFINE_MAP(key, rev, value, absent, lock, token)
};

/// One step. Later ones see what earlier ones did.
struct Operation {
  std::string op;   ///< put, get, delete, delete_prefix
  Put put;          ///< of put: all of it
  std::string key;  ///< of the others: the key, or the prefix (which cannot be empty)
  MSGPACK_DEFINE_MAP(op, put, key)
};

struct OperationResult {
  Revision rev;                ///< put: of the key; get: of the key, 0: there is none
  bool unchanged = false;      ///< put
  std::uint64_t count = 0;     ///< delete, delete_prefix
  std::optional<Entry> entry;  ///< get
  MSGPACK_DEFINE_MAP(rev, unchanged, count, entry)
};

struct Outcome {
  bool succeeded = false;    ///< all compares held: `results` are of `then`, else of `otherwise`
  Revision rev;              ///< of the change; the newest one where nothing changed
  std::uint64_t failed = 0;  ///< the first compare that did not hold, counted from 0
  std::vector<OperationResult> results;
  MSGPACK_DEFINE_MAP(succeeded, rev, failed, results)
};

/// Errors: invalid (which operation, and why), too_large (more than a change or a reply can hold),
/// conflict (compare_rev or acquire of an operation), fenced, unavailable.
struct Txn {
  static constexpr std::string_view verb = "kv.txn";
  using Reply = Outcome;
  std::vector<Compare> compare;
  std::vector<Operation> then;
  std::vector<Operation> otherwise;
  MSGPACK_DEFINE_MAP(compare, then, otherwise)
};

}  // namespace muster::proto::kv
