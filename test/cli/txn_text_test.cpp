// txn_text: transactions and exports as JSON.
#include "cli/txn_text.hpp"

#include "cli/kv_text.hpp"
#include "test/support/catch.hpp"

using namespace muster;
using namespace muster::cli;

TEST_CASE("kv export: Consul's shape, tabs included, and import takes it back") {
  const proto::kv::Entry entry{
      .key = "tr/kv/<x>", .value = Bytes("1"), .flags = 18446744073709551615U};
  const std::string text = exported(entry);
  CHECK(text ==
        "\t{\n"
        "\t\t\"key\": \"tr/kv/\\u003cx\\u003e\",\n"
        "\t\t\"flags\": 18446744073709551615,\n"
        "\t\t\"value\": \"MQ==\"\n"
        "\t}");
  const auto puts = imported("[" + text + "]");
  REQUIRE(puts);
  REQUIRE(puts->size() == 1);
  CHECK(puts->at(0).key == entry.key);
  CHECK(puts->at(0).value == entry.value);
  CHECK(puts->at(0).flags == entry.flags);
}

TEST_CASE("kv import: bad data is refused whole, with the key or the place") {
  const auto message = [](std::string_view text) {
    const auto puts = imported(text);
    return puts ? "taken" : puts.error().message;
  };
  CHECK(message(R"([{"key":"a","flags":0,"value":"MQ=="},{"key":"b","value":"!"}])")
            .find("Error base 64 decoding value for key b: ") == 0);
  CHECK(message("{nonsense").find("Cannot unmarshal data: ") == 0);
  CHECK(message("{}").find("Cannot unmarshal data: ") == 0);
  CHECK(message(R"([{"flags":0}])").find("entries[0]") == 0);
  CHECK(message("[]") == "taken");
}

TEST_CASE("kv txn: compares and operations as JSON") {
  const auto txn = parse_txn(R"({
    "compare": [{"key": "a", "rev": 3}, {"key": "b", "absent": true}, {"key": "c", "base64": "AP8="},
                {"lock": "deploy", "token": 41}],
    "then": [{"put": "a", "value": "x", "flags": 1, "ttl": "30s", "session": "s"}, {"get": "c"}],
    "else": [{"delete": "b"}, {"delete_prefix": "p/"}]})");
  REQUIRE(txn);
  CHECK(txn->compare.at(0).rev == Revision{3});
  CHECK(txn->compare.at(1).absent);
  CHECK(txn->compare.at(2).value->data == std::string("\0\xff", 2));
  CHECK(txn->compare.at(3).token == Revision{41});
  CHECK(txn->then.at(0).put.ttl_ms == 30'000);
  CHECK(txn->then.at(0).put.ends_with == "s");
  CHECK(txn->then.at(1).op == "get");
  CHECK(txn->otherwise.at(1).key == "p/");
}

TEST_CASE(
    "kv import: read as Go reads it: any case, null is nothing, what nobody knows is passed") {
  const auto puts = imported(R"([{"Key": "a", "FLAGS": 2, "value": null, "extra": {"b": 1}}])");
  REQUIRE(puts);
  REQUIRE(puts->size() == 1);
  CHECK(puts->at(0).key == "a");
  CHECK(puts->at(0).flags == 2);
  CHECK(puts->at(0).value.empty());
  CHECK(imported("null")->empty());
}

// The first of two lists vanished, and absent:false meant what absent:true does.
TEST_CASE("kv txn: what would be done otherwise than it reads is refused") {
  CHECK(parse_txn(R"({"then":[{"put":"a","value":"1"}],"then":[]})").error().message ==
        "then: is there twice in one object");
  CHECK(parse_txn(R"({"then":[{"put":"a","put":"b","value":"1"}]})").error().message ==
        "put: is there twice in one object");
  CHECK(parse_txn(R"({"compare":[{"key":"a","absent":false}]})")
            .error()
            .message.starts_with("compare[0].absent: "));
}

TEST_CASE("kv txn: what is not known is named with its place") {
  for (const auto& [text, place] :
       {std::pair{R"({"when":[]})", "when"},
        {R"({"then":{}})", "then"},
        {R"({"then":[{"put":"a","valu":"x"}]})", "then[0].valu"},
        {R"({"then":[{"put":"a","value":1}]})", "then[0].value"},
        {R"({"then":[{"put":"a","ttl":"x"}]})", "then[0].ttl"},
        {R"({"then":[{"put":"a","value":"x","base64":"eA=="}]})", "then[0]"},
        {R"({"compare":[{"key":"a","rev":-1}]})", "compare[0].rev"},
        {R"({"else":[{"frob":"a"}]})", "else[0]"},
        {"nonsense", "Cannot unmarshal data"}}) {
    CAPTURE(text);
    const auto txn = parse_txn(text);
    REQUIRE_FALSE(txn);
    CHECK(txn.error().message.find(place) == 0);
  }
}

TEST_CASE("kv diff: one line a key, values that fit no line as a number of bytes") {
  const proto::kv::Entry small{.value = Bytes("green")};
  const proto::kv::Entry other{.value = Bytes("blue")};
  const proto::kv::Entry large{.value = Bytes(std::string(100, 'x'))};
  const proto::kv::Entry binary{.value = Bytes(std::string("\0\n", 2))};
  const proto::kv::Entry flagged{.value = Bytes("green"), .flags = 7};
  CHECK(difference_text({.key = "k", .before = small, .after = other}) ==
        "~ k  \"green\" -> \"blue\"\n");
  CHECK(difference_text({.key = "k", .before = small}) == "- k  \"green\"\n");
  CHECK(difference_text({.key = "k", .after = large}) == "+ k  (100 bytes)\n");
  CHECK(difference_text({.key = "k", .after = binary}) == "+ k  (2 bytes)\n");
  CHECK(difference_text({.key = "k", .before = small, .after = flagged}) == "~ k  flags 0 -> 7\n");
}
