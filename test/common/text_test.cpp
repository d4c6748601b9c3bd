// text_test: what is UTF-8, and what is a topic.
#include "common/protocol/watch.hpp"
#include "test/support/catch.hpp"

namespace muster {
namespace {

using namespace std::string_view_literals;
using proto::watch::parse_topic;
using proto::watch::topic;

TEST_CASE("utf8: each length at its edges", "[common]") {
  for (const auto text : {""sv, "plain"sv, "\0"sv, "\x7f"sv, "\xc2\x80"sv, "\xdf\xbf"sv,
                          "\xe0\xa0\x80"sv, "\xed\x9f\xbf"sv, "\xee\x80\x80"sv, "\xef\xbf\xbf"sv,
                          "\xf0\x90\x80\x80"sv, "\xf4\x8f\xbf\xbf"sv, "a\xc3\xa4z"sv}) {
    CAPTURE(text);
    CHECK(codec::is_utf8(text));
  }
}

TEST_CASE("utf8: overlong forms, surrogates, cuts and what lies beyond are none", "[common]") {
  for (const auto text :
       {"\x80"sv, "\xbf"sv, "\xc0\x80"sv, "\xc1\xbf"sv, "\xe0\x9f\xbf"sv, "\xf0\x8f\xbf\xbf"sv,
        "\xed\xa0\x80"sv, "\xed\xbf\xbf"sv, "\xf4\x90\x80\x80"sv, "\xf5\x80\x80\x80"sv, "\xff"sv,
        "\xc2"sv, "\xe1\x80"sv, "\xf1\x80\x80"sv, "\xc2\xc2"sv, "\xe1\x80z"sv, "ok\xc3"sv}) {
    CAPTURE(text);
    CHECK_FALSE(codec::is_utf8(text));
  }
}

TEST_CASE("topic: each kind is parsed and written back", "[common][M16]") {
  for (const auto text :
       {"key:a\0"sv, "key:a/b c\0"sv, "keyprefix:\0"sv, "keyprefix:a/\0"sv, "event:\0"sv,
        "event:broadcast\0"sv, "services\0"sv, "service:web\0"sv, "nodes\0"sv, "checks\0"sv,
        "session:id\0"sv, "node:n1\0"sv, "lock:a/b\0"sv, "job:id\0"sv}) {
    CAPTURE(text);
    const auto parsed = parse_topic(text);
    REQUIRE(parsed);
    CHECK(topic(parsed->kind, parsed->name) == text);
  }
}

TEST_CASE("topic: what is none is invalid", "[common][M16]") {
  const std::string longest = topic("key:", std::string(limits::topic_bytes_max - 5, 'k'));
  CHECK(parse_topic(longest));
  CHECK_FALSE(parse_topic("k" + longest));
  for (const auto text :
       {""sv, "\0"sv, "a"sv, "key:a"sv, "key:\0"sv, "key:a\0b\0"sv, "key:a\0\0"sv, "\0key:a\0"sv,
        "service:\0"sv, "node:\0"sv, "services:a\0"sv, "servicesx\0"sv, "nodesx\0"sv, "kex:a\0"sv,
        "KEY:a\0"sv, "lock:\0"sv, "job:\0"sv, "session:\0"sv}) {
    CAPTURE(text);
    const auto parsed = parse_topic(text);
    REQUIRE_FALSE(parsed);
    CHECK(parsed.error().code == Code::invalid);
  }
}

}  // namespace
}  // namespace muster
