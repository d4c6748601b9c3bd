// envelope_test: headers, and whom to answer when one cannot be read.
#include "common/protocol/envelope.hpp"

#include "test/support/catch.hpp"

namespace muster::proto {
namespace {

using namespace std::string_literals;

TEST_CASE("header: what is encoded is decoded again, every option", "[common][M3]") {
  const Header header{.verb = "kv.put",
                      .no = RequestNo{300},
                      .options = {.cause = "ticket 7",
                                  .deadline_ms = 5000,
                                  .fence = Fence{.lock = "deploy", .token = Revision{41}},
                                  .acked = RequestNo{299},
                                  .at_least = Revision{70'000}}};
  const auto decoded = decode_header(encode_header(header));
  REQUIRE(decoded);
  CHECK(decoded->verb == header.verb);
  CHECK(decoded->no == header.no);
  CHECK(decoded->options.cause == header.options.cause);
  CHECK(decoded->options.deadline_ms == header.options.deadline_ms);
  REQUIRE(decoded->options.fence);
  CHECK(decoded->options.fence->lock == "deploy");
  CHECK(decoded->options.fence->token == Revision{41});
  CHECK(decoded->options.acked == header.options.acked);
  CHECK(decoded->options.at_least == header.options.at_least);
}

TEST_CASE("header: further elements and unknown options are ignored", "[common][M3]") {
  const auto header = decode_header("\x95\x01\xa6kv.get\x07\x81\xa3new\xc3\x93\x01\x02\x03");
  REQUIRE(header);
  CHECK(header->verb == "kv.get");
  CHECK(header->no == RequestNo{7});
}

TEST_CASE("header: another protocol version is `version`, and can be answered", "[common][M3]") {
  const auto frame = "\x93\x02\xa6kv.get\x07"s;
  CHECK(decode_header(frame).error().code == Code::version);
  CHECK(salvage_request_no(frame) == RequestNo{7});
}

TEST_CASE("header: where it is refused the request number is salvaged if there is one",
          "[common][M4]") {
  const std::pair<std::string, std::optional<RequestNo>> cases[] = {
      {"\x93\x01\x05\x07"s, RequestNo{7}},                           // the verb is a number
      {"\x94\x01\xa1v\x07\xc3"s, RequestNo{7}},                      // options are no map
      {"\x94\x01\xa1v\x07\x81\xa5"s + "acked\xa1x"s, RequestNo{7}},  // an option of another type
      {"\x93\xc0\xc0\xcf\xff\xff\xff\xff\xff\xff\xff\xff"s, RequestNo{UINT64_MAX}},
      {"\x93\x01\xa1\xff\x07"s, RequestNo{7}},  // a verb not in UTF-8 [M32]
      {"\x93\x01\xa1v\x00"s, std::nullopt},     // 0 is no number
      {"\x93\x01\xa1v\xff"s, std::nullopt},     // nor is -1
      {"\x93\x01\xa1v\xa1\x37"s, std::nullopt},
      {"\x92\x01\xa1v"s, std::nullopt},
      {"\x83\x01\x02\x03\x04\x05\x06"s, std::nullopt},
      {"\x93\x01\xa1v\x07\xc0"s, std::nullopt},  // bytes behind the end
      {"\x93\x01\xa1v"s, std::nullopt},
      {""s, std::nullopt},
  };
  for (const auto& [frame, no] : cases) {
    CAPTURE(frame);
    CHECK_FALSE(decode_header(frame));
    CHECK(salvage_request_no(frame) == no);
  }
}

TEST_CASE("header: 4,096 bytes are taken, more are not looked at", "[common][M2]") {
  Header header{.verb = "v", .no = RequestNo{7}, .options = {.cause = std::string(4000, 'c')}};
  const std::size_t rest = limits::header_bytes_max - encode_header(header).size();
  header.options.cause.append(rest, 'c');
  CHECK(decode_header(encode_header(header)));
  header.options.cause.push_back('c');
  CHECK(decode_header(encode_header(header)).error().code == Code::too_large);
  CHECK_FALSE(salvage_request_no(encode_header(header)));
}

TEST_CASE("error: what was said is repeated in part only", "[common]") {
  const Error error{Code::invalid, std::string(100'000, 'x'), std::string(5000, '\xc3')};
  const Error told = decode_error(encode_error(error));
  CHECK(told.message.size() == limits::error_text_bytes_max + 3);
  CHECK(told.message.ends_with("..."));
  CHECK(told.hint == "...");
}

TEST_CASE("error: every code travels, an unknown one is internal", "[common][M7]") {
  for (const std::string_view name : code_names) {
    const Error sent{*code_of(name), "what was wrong", "what to do"};
    const Error heard = decode_error(encode_error(sent));
    CHECK(heard.code == sent.code);
    CHECK(heard.message == sent.message);
    CHECK(heard.hint == sent.hint);
  }
  CHECK(decode_error(codec::encode(ErrorBody{.code = "tired"})).code == Code::internal);
  CHECK(decode_error("\xc1").code == Code::internal);
}

}  // namespace
}  // namespace muster::proto
