// txn_text: see txn_text.hpp.
#include "cli/txn_text.hpp"

#include <algorithm>
#include <stdexcept>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "cli/duration.hpp"
#include "cli/payload.hpp"
#include "common/consul/consul_json.hpp"
#include "common/strict_json.hpp"

namespace muster::cli {
namespace {

using proto::kv::Compare;
using proto::kv::Operation;

/// A rule that was broken, with its place.
struct Broken : std::runtime_error {
  using std::runtime_error::runtime_error;
};

[[noreturn]] void broken(const std::string& where, std::string_view rule) {
  throw Broken(where.empty() ? std::string(rule) : fmt::format("{}: {}", where, rule));
}

Json parse(std::string_view text) {
  try {
    return parse_strictly<Json>(text);
  } catch (const NotStrict& error) {
    broken(error.key, error.what());
  } catch (const Json::exception& error) {
    const std::string_view told = error.what();  // "[json.exception...] parse error at line 1, ..."
    const std::size_t begin = told.find("] ");
    throw Broken(fmt::format("Cannot unmarshal data: {}",
                             begin == std::string_view::npos ? told : told.substr(begin + 2)));
  }
}

/// One object, of which every key must be asked for.
class Object {
 public:
  Object(const Json& json, std::string where) : json_(json), where_(std::move(where)) {
    if (!json.is_object()) broken(where_, "must be an object");
  }

  bool has(const char* key) const { return json_.contains(key); }

  std::string text(const char* key) const {
    const Json& value = json_.at(key);
    if (!value.is_string()) broken(at(key), "must be a string");
    return value.get<std::string>();
  }
  std::uint64_t number(const char* key) const {
    const Json& value = json_.at(key);
    if (!value.is_number_unsigned()) broken(at(key), "must be a number from 0");
    return value.get<std::uint64_t>();
  }
  bool is_true(const char* key) const { return json_.at(key) == Json(true); }
  /// Of "value" or "base64"; empty where neither is there.
  Bytes bytes() const {
    if (!has("base64")) return Bytes(has("value") ? text("value") : std::string());
    if (has("value")) broken(where_, "has value or base64, not both");
    Result<std::string> decoded = from_base64(text("base64"));
    if (!decoded) broken(at("base64"), decoded.error().message);
    return Bytes(*std::move(decoded));
  }

  /// Nothing else than these may stand in it.
  void only(std::initializer_list<std::string_view> keys) const {
    for (const auto& [key, value] : json_.items()) {
      if (std::find(keys.begin(), keys.end(), key) == keys.end())
        broken(at(key), fmt::format("is not known; there are {}", fmt::join(keys, ", ")));
    }
  }
  const std::string& where() const { return where_; }

 private:
  std::string at(std::string_view key) const {
    return where_.empty() ? std::string(key) : fmt::format("{}.{}", where_, key);
  }

  const Json& json_;
  const std::string where_;
};

template <class Item>
std::vector<Item> list_of(const Json& document, const char* name, Item (*read)(const Object&)) {
  std::vector<Item> items;
  const auto found = document.find(name);
  if (found == document.end()) return items;
  if (!found->is_array()) broken(name, "must be a list");
  for (std::size_t i = 0; i < found->size(); ++i)
    items.push_back(read(Object((*found)[i], fmt::format("{}[{}]", name, i))));
  return items;
}

Compare compare_of(const Object& object) {
  object.only({"key", "rev", "value", "base64", "absent", "lock", "token"});
  Compare compare;
  if (object.has("key")) compare.key = object.text("key");
  if (object.has("rev")) compare.rev = Revision{object.number("rev")};
  if (object.has("value") || object.has("base64")) compare.value = object.bytes();
  compare.absent = object.has("absent");
  if (compare.absent && !object.is_true("absent"))
    broken(object.where() + ".absent", "is true or not there: compare rev or value instead");
  if (object.has("lock")) compare.lock = object.text("lock");
  if (object.has("token")) compare.token = Revision{object.number("token")};
  return compare;
}

proto::kv::Put put_of(const Object& object) {
  object.only({"put", "value", "base64", "flags", "ttl", "session"});
  proto::kv::Put put{.key = object.text("put"), .value = object.bytes()};
  if (object.has("flags")) put.flags = object.number("flags");
  if (object.has("session")) put.ends_with = object.text("session");
  if (object.has("ttl")) {
    const Result<Duration> ttl = parse_duration(object.text("ttl"));
    if (!ttl) broken(object.where() + ".ttl", ttl.error().message);
    put.ttl_ms = static_cast<std::uint64_t>(std::chrono::duration_cast<milliseconds>(*ttl).count());
  }
  return put;
}

Operation operation_of(const Object& object) {
  if (object.has("put")) return {.op = "put", .put = put_of(object)};
  for (const char* op : {"get", "delete", "delete_prefix"}) {
    if (!object.has(op)) continue;
    object.only({op});
    return {.op = op, .key = object.text(op)};
  }
  broken(object.where(), "needs put, get, delete or delete_prefix");
}

proto::kv::Put imported_put(const Object& object) {
  if (!object.has("key")) broken(object.where(), "key is required");
  proto::kv::Put put{.key = object.text("key")};
  if (object.has("flags")) put.flags = object.number("flags");
  Result<std::string> value = from_base64(object.has("value") ? object.text("value") : "");
  if (!value)
    throw Broken(
        fmt::format("Error base 64 decoding value for key {}: {}", put.key, value.error().message));
  put.value = Bytes(*std::move(value));
  return put;
}

/// As Go reads objects: in any case, what is null is not there, and what nobody knows is passed
/// over.
Json as_go_reads(const Json& entry) {
  if (!entry.is_object()) return entry;
  Json read = Json::object();
  for (const auto& [key, value] : entry.items()) {
    std::string name = key;
    std::transform(name.begin(), name.end(), name.begin(), [](char c) {
      return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    });
    if (!value.is_null()) read[name] = value;
  }
  return read;
}

}  // namespace

std::string exported(const proto::kv::Entry& entry) {
  const Json json = {
      {"key", entry.key}, {"flags", entry.flags}, {"value", to_base64(entry.value.view())}};
  std::string text = tabbed(json);
  std::string out = "\t";
  for (const char c : text) {
    out += c;
    if (c == '\n') out += '\t';
  }
  return out;
}

Result<std::vector<proto::kv::Put>> imported(std::string_view text) {
  try {
    const Json read = parse(text);
    if (!read.is_array() && !read.is_null())
      return Error{Code::invalid, "Cannot unmarshal data: it must be a list of keys"};
    Json document = {{"entries", Json::array()}};
    for (const Json& entry : read) document["entries"].push_back(as_go_reads(entry));
    return list_of<proto::kv::Put>(document, "entries", &imported_put);
  } catch (const Broken& error) {
    return Error{Code::invalid, error.what()};
  }
}

Result<proto::kv::Txn> parse_txn(std::string_view text) {
  try {
    const Json document = parse(text);
    Object(document, {}).only({"compare", "then", "else"});
    return proto::kv::Txn{.compare = list_of<Compare>(document, "compare", &compare_of),
                          .then = list_of<Operation>(document, "then", &operation_of),
                          .otherwise = list_of<Operation>(document, "else", &operation_of)};
  } catch (const Broken& error) {
    return Error{Code::invalid, error.what()};
  }
}

Json outcome_json(const proto::kv::Outcome& outcome) {
  Json results = Json::array();
  for (const proto::kv::OperationResult& result : outcome.results) {
    results.push_back({{"rev", result.rev.value},
                       {"unchanged", result.unchanged},
                       {"count", result.count},
                       {"entry", result.entry ? consul_key(*result.entry) : Json(nullptr)}});
  }
  Json json = {{"succeeded", outcome.succeeded}, {"rev", outcome.rev.value}};
  if (!outcome.succeeded) json["failed"] = outcome.failed;
  json["results"] = results;
  return json;
}

}  // namespace muster::cli
