// kv_text, consul_json, payload: Consul's shapes to the byte.
#include "cli/kv_text.hpp"

#include "cli/payload.hpp"
#include "common/consul/consul_json.hpp"
#include "test/support/catch.hpp"

using namespace muster;
using namespace muster::cli;

namespace {

proto::kv::Entry entry(std::string key, std::string value) {
  proto::kv::Entry out;
  out.key = std::move(key);
  out.value = Bytes(std::move(value));
  out.create_rev = Revision{121};
  out.mod_rev = Revision{171};
  out.flags = 9;
  return out;
}

}  // namespace

TEST_CASE("kv get -detailed prints Consul's table") {
  CHECK(detailed_text(entry("p/a", "foo"), Encoding::raw) ==
        "CreateIndex      121\n"
        "Flags            9\n"
        "Key              p/a\n"
        "LockIndex        0\n"
        "ModifyIndex      171\n"
        "Session          -\n"
        "Value            foo\n");
}

TEST_CASE("kv get -base64 changes the value only") {
  CHECK(value_text(entry("k", "bar"), Encoding::base64) == "YmFy\n");
  CHECK(pair_text(entry("k", "bar"), Encoding::base64) == "k:YmFy\n");
}

TEST_CASE("kv get -keys cuts behind the first separator after the prefix") {
  const std::vector<proto::kv::Entry> entries = {entry("tr/kv/r/a", ""), entry("tr/kv/r/b", ""),
                                                 entry("tr/kv/s", "")};
  CHECK(cut_keys(entries, "tr/kv/r", "/") == std::vector<std::string>{"tr/kv/r/", "tr/kv/s"});
  CHECK(cut_keys(entries, "tr/", "") ==
        std::vector<std::string>{"tr/kv/r/a", "tr/kv/r/b", "tr/kv/s"});
  CHECK(cut_keys(entries, "", "/") == std::vector<std::string>{"tr/"});
}

TEST_CASE("watch: a key is handed on as Consul writes it") {
  CHECK(
      compact(consul_key(entry("tr/w/k", "bar"))) ==
      R"({"Key":"tr/w/k","CreateIndex":121,"ModifyIndex":171,"LockIndex":0,"Flags":9,"Value":"YmFy","Session":""})");
  CHECK(
      compact(consul_key(entry("a<b", ""))) ==
      R"({"Key":"a\u003cb","CreateIndex":121,"ModifyIndex":171,"LockIndex":0,"Flags":9,"Value":null,"Session":""})");
}

TEST_CASE("watch: flags of 64 bits are not rounded") {
  proto::kv::Entry large = entry("k", "");
  large.flags = 16210313421097356768U;
  CHECK(compact(consul_key(large)).find("16210313421097356768") != std::string::npos);
}

TEST_CASE("watch: an event is handed on as Consul writes it") {
  proto::event::Event event;
  event.id = "u";
  event.name = "trw";
  event.payload = Bytes("one");
  event.rev = Revision{23};
  CHECK(
      compact(consul_event(event)) ==
      R"({"ID":"u","Name":"trw","Payload":"b25l","NodeFilter":"","ServiceFilter":"","TagFilter":"","Version":1,"LTime":23})");
}

TEST_CASE("base64: every length there and back, and what is none is refused") {
  for (const char* text : {"", "a", "ab", "abc", "abcd"})
    CHECK(*from_base64(to_base64(text)) == text);
  CHECK(*from_base64("YmFy\n") == "bar");
  CHECK(from_base64("!!!").error().message == "illegal base64 data at input byte 0");
  CHECK_FALSE(from_base64("YmFyY"));
  CHECK_FALSE(from_base64("YmE"));
}

TEST_CASE("table: columns line up, the last is not padded") {
  CHECK(format_table({"Key", "N"}, {{"käse", "1"}, {"b", "22"}}) == "Key   N\nkäse  1\nb     22\n");
}
