// vectors_test: the test vectors of the protocol's README, read from there, both ways.
#include <fstream>
#include <functional>
#include <map>
#include <sstream>

#include <nlohmann/json.hpp>

#include "common/protocol/exec.hpp"
#include "common/protocol/kv.hpp"
#include "common/protocol/lock.hpp"
#include "common/protocol/session.hpp"
#include "common/protocol/watch.hpp"
#include "test/support/catch.hpp"

namespace muster::proto {
namespace {

using Json = nlohmann::ordered_json;

struct Vector {
  std::string name;
  std::string bytes;
  Json meaning;
};

std::string from_hex(const std::string& hex) {
  std::string bytes;
  for (std::size_t i = 0; i + 1 < hex.size(); i += 2)
    bytes.push_back(static_cast<char>(std::stoi(hex.substr(i, 2), nullptr, 16)));
  return bytes;
}

std::vector<Vector> vectors() {
  std::ifstream readme(MUSTER_PROTOCOL "/README.md");
  REQUIRE(readme);
  std::vector<Vector> all;
  bool inside = false;
  for (std::string line; std::getline(readme, line);) {
    if (line.starts_with("```")) inside = line == "```vectors";
    else if (inside) {
      std::istringstream words(line);
      std::string name, hex, meaning;
      words >> name >> hex;
      std::getline(words, meaning);
      all.push_back({name, from_hex(hex), Json::parse(meaning)});
    }
  }
  return all;
}

/// JSON as msgpack; {"bin": hex} is bytes.
void pack(msgpack::packer<msgpack::sbuffer>& packer, const Json& json) {
  if (json.is_null()) packer.pack_nil();
  else if (json.is_boolean()) packer.pack(json.get<bool>());
  else if (json.is_number_unsigned()) packer.pack(json.get<std::uint64_t>());
  else if (json.is_number_integer()) packer.pack(json.get<std::int64_t>());
  else if (json.is_string()) packer.pack(json.get<std::string>());
  else if (json.is_array()) {
    packer.pack_array(static_cast<std::uint32_t>(json.size()));
    for (const Json& element : json) pack(packer, element);
  } else if (json.size() == 1 && json.contains("bin")) {
    packer.pack(Bytes(from_hex(json["bin"].get<std::string>())));
  } else {
    packer.pack_map(static_cast<std::uint32_t>(json.size()));
    for (const auto& [key, value] : json.items()) {
      packer.pack(key);
      pack(packer, value);
    }
  }
}

std::string packed(const Json& json) {
  msgpack::sbuffer buffer;
  msgpack::packer<msgpack::sbuffer> packer(buffer);
  pack(packer, json);
  return {buffer.data(), buffer.size()};
}

/// Bytes to a struct and back.
using Again = std::function<std::string(const std::string&)>;

template <class T>
Again as() {
  return [](const std::string& bytes) {
    const auto decoded = codec::decode<T>(bytes);
    REQUIRE(decoded);
    return codec::encode(*decoded);
  };
}

template <class T>
void add(std::map<std::string, Again>& known) {
  known[std::string(T::verb)] = as<T>();
  known[std::string(T::verb) + ".reply"] = as<typename T::Reply>();
}

std::map<std::string, Again> known_messages() {
  std::map<std::string, Again> known;
  known["request"] = [](const std::string& bytes) { return encode_header(*decode_header(bytes)); };
  known["answer"] = [](const std::string& bytes) {
    const auto header = decode_header(bytes);
    return encode_answer(header->verb, header->no);
  };
  known["error"] = as<ErrorBody>();
  known["notice"] = as<watch::Notice>();
  known["exec.run.more"] = as<exec::Progress>();
  add<session::Hello>(known);
  add<session::Open>(known);
  add<kv::Put>(known);
  add<kv::Get>(known);
  add<watch::Read>(known);
  add<watch::Sync>(known);
  add<lock::Acquire>(known);
  add<exec::Credit>(known);
  add<exec::Exited>(known);
  return known;
}

TEST_CASE("vectors: the bytes of each are what its meaning encodes to", "[common]") {
  for (const Vector& vector : vectors()) {
    CAPTURE(vector.name, vector.meaning.dump());
    CHECK(packed(vector.meaning) == vector.bytes);
  }
}

TEST_CASE("vectors: each is decoded into its struct, and encoded to the same bytes", "[common]") {
  const auto known = known_messages();
  const auto all = vectors();
  CHECK(all.size() > 20);
  for (const Vector& vector : all) {
    CAPTURE(vector.name, vector.meaning.dump());
    REQUIRE(known.contains(vector.name));
    CHECK(known.at(vector.name)(vector.bytes) == vector.bytes);
  }
}

TEST_CASE("vectors: what they say of a struct is what stands in it", "[common]") {
  for (const Vector& vector : vectors()) {
    const Json& meaning = vector.meaning;
    if (vector.name == "kv.put") {
      const auto put = codec::decode<kv::Put>(vector.bytes);
      CHECK(put->key == meaning["key"].get<std::string>());
      CHECK(put->value.data == from_hex(meaning["value"]["bin"]));
      CHECK(put->compare_rev.has_value() == !meaning["compare_rev"].is_null());
    } else if (vector.name == "notice") {
      const auto notice = codec::decode<watch::Notice>(vector.bytes);
      CHECK(notice->prev.value == meaning["prev"].get<std::uint64_t>());
      CHECK(notice->rev.value == meaning["rev"].get<std::uint64_t>());
      CHECK(notice->items.size() == meaning["items"].size());
    } else if (vector.name == "exec.exited") {
      const auto exited = codec::decode<exec::Exited>(vector.bytes);
      CHECK(exited->outcome.code == meaning["outcome"]["code"]);
      CHECK(exited->outcome.signal == meaning["outcome"]["signal"]);
    } else if (vector.name == "error") {
      CHECK(decode_error(vector.bytes).code == Code::fenced);
    }
  }
}

}  // namespace
}  // namespace muster::proto
