// codec_test: what may be unpacked, and what it may cost.
#include "common/protocol/codec.hpp"

#include <cstdlib>
#include <new>

#include "common/protocol/catalog.hpp"
#include "common/protocol/exec.hpp"
#include "common/protocol/kv.hpp"
#include "test/support/catch.hpp"

// The linker leads every malloc of this program through here (test/CMakeLists.txt), those of
// msgpack's zones and of operator new below alike.
namespace {
std::size_t allocated = 0;  // NOLINT: counted for all
}

extern "C" {
void* __real_malloc(std::size_t size);   // NOLINT: ld names it so
void* __wrap_malloc(std::size_t size) {  // NOLINT: ld names it so
  allocated += size;
  return __real_malloc(size);
}
}

// Not inlined: GCC 12 would see a `free` of what an operator gave, and warn.
[[gnu::noinline]] void* operator new(std::size_t size) {
  if (void* memory = std::malloc(size == 0 ? 1 : size)) return memory;
  throw std::bad_alloc();
}
[[gnu::noinline]] void* operator new(std::size_t size, const std::nothrow_t& /*told*/) noexcept {
  return std::malloc(size == 0 ? 1 : size);
}
[[gnu::noinline]] void operator delete(void* memory) noexcept { std::free(memory); }
[[gnu::noinline]] void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }

namespace muster {
namespace {

using limits::KiB;
using limits::MiB;

/// How many bytes were allocated while it was unpacked.
std::size_t cost_of(std::string_view bytes) {
  const std::size_t before = allocated;
  const auto unpacked = codec::unpack(bytes);
  return allocated - before;
}

Code refusal(std::string_view bytes) {
  const auto unpacked = codec::unpack(bytes);
  REQUIRE_FALSE(unpacked);
  return unpacked.error().code;
}

std::string nested(std::size_t levels) { return std::string(levels - 1, '\x91') + '\x90'; }

std::string array16(std::size_t elements, char element) {
  std::string bytes("\xdc\0\0", 3);
  bytes[1] = static_cast<char>(elements >> 8);
  bytes[2] = static_cast<char>(elements);
  return bytes + std::string(elements, element);
}

TEST_CASE("codec: five bytes that claim two thousand million elements allocate nothing for them",
          "[common][M2]") {
  for (const std::string_view claim : {"\xdd\x7f\xff\xff\xff", "\xdf\x7f\xff\xff\xff",
                                       "\xc6\x7f\xff\xff\xff", "\xdb\x7f\xff\xff\xff"}) {
    CHECK(refusal(claim) == Code::invalid);
    CHECK(cost_of(claim) < 2 * KiB);
  }
}

TEST_CASE("codec: claims within claims allocate no more than a small multiple of the bytes",
          "[common][M2]") {
  std::string claims;
  for (int level = 0; level < 15; ++level) claims += std::string("\xdc\xff\x00", 3);
  claims += array16(0xff00, '\xc0');
  CHECK(refusal(claims) == Code::invalid);
  CHECK(cost_of(claims) < 2 * KiB);
}

TEST_CASE("codec: honest bytes cost at most 64 times their size", "[common][M2]") {
  for (const std::string& bytes :
       {array16(60'000, '\x90'), array16(60'000, '\x80'), array16(1000, '\xc0'), nested(16)}) {
    CHECK(codec::unpack(bytes));
    CHECK(cost_of(bytes) < 64 * bytes.size() + 16 * KiB);
  }
}

TEST_CASE("codec: a struct made of the smallest elements stays within 32 MiB", "[common][M2]") {
  const std::string lists[] = {"\x81\xa5tasks" + array16(65'000, '\x80'),
                               "\x81\xa4node\x81\xa8services" + array16(65'000, '\x80')};
  for (const std::string& bytes : lists) {
    const std::size_t before = allocated;
    CHECK(codec::decode<proto::catalog::Register>(bytes));
    CHECK(allocated - before < 32 * MiB);
  }
}

TEST_CASE("codec: sixteen levels are taken, seventeen are not", "[common][M2]") {
  CHECK(codec::unpack(nested(16)));
  CHECK(refusal(nested(17)) == Code::invalid);
  CHECK(refusal(std::string(100'000, '\x91')) == Code::invalid);
}

TEST_CASE("codec: an array has at most 65,536 elements, a map 32,768 pairs", "[common][M2]") {
  std::string array(5 + 65'536, '\xc0');
  array.replace(0, 5, "\xdd\x00\x01\x00\x00", 5);
  CHECK(codec::unpack(array));
  array.push_back('\xc0');
  array[4] = '\x01';
  CHECK(refusal(array) == Code::invalid);
  const std::string nils(2 * 32'769, '\xc0');
  CHECK(codec::unpack(std::string("\xde\x80\x00", 3) + nils.substr(2)));
  CHECK(refusal(std::string("\xde\x80\x01", 3) + nils) == Code::invalid);
}

TEST_CASE("codec: every byte must be used, and every cut is refused", "[common][M2]") {
  const std::string bytes =
      codec::encode(proto::kv::Put{.key = "workshop/kv_watch", .value = Bytes("foo")});
  CHECK(refusal(bytes + '\xc0') == Code::invalid);
  for (std::size_t cut = 0; cut < bytes.size(); ++cut)
    CHECK(refusal(std::string_view(bytes).substr(0, cut)) == Code::invalid);
  CHECK(refusal("\xc1") == Code::invalid);
}

TEST_CASE("codec: unknown keys are ignored, missing ones leave their defaults", "[common][M5]") {
  const auto run = codec::decode<proto::exec::Run>("\x82\xa3new\xc3\xaatimeout_ms\x07");
  REQUIRE(run);
  CHECK(run->timeout_ms == 7);
  CHECK(run->kill_grace_ms == 5000);
  CHECK(run->command.line.empty());
}

TEST_CASE("codec: a field of another type is invalid, and so is a body that is no map",
          "[common][M5]") {
  for (const std::string_view body :
       {"\x81\xa3key\x07", "\x81\xa3key\xff", "\x91\xa3key", "\xa3key", "\xc0"}) {
    const auto put = codec::decode<proto::kv::Put>(body);
    REQUIRE_FALSE(put);
    CHECK(put.error().code == Code::invalid);
  }
}

TEST_CASE("codec: text that is not UTF-8 is invalid wherever it stands; a bin may be any bytes",
          "[common][M32]") {
  for (const std::string_view body :
       {"\x81\xa3key\xa2k\xff", "\x81\xa2n\xff\xc0", "\x81\xa3new\x91\x81\xa1k\xa1\xff"}) {
    const auto put = codec::decode<proto::kv::Put>(body);
    REQUIRE_FALSE(put);
    CHECK(put.error().code == Code::invalid);
  }
  for (const std::string_view body :
       {std::string_view("\x81\xa3key\xc4\1\xff", 8),
        std::string_view("\x82\xa3key\xc4\1\xff\xa5value\xc4\1\xfe", 17)}) {
    const auto put = codec::decode<proto::kv::Put>(body);
    REQUIRE_FALSE(put);
    CHECK(put.error().code == Code::invalid);
  }
  CHECK(codec::decode<proto::kv::Put>("\x81\xa5value\xc4\x02\xff\xfe")->value.view() == "\xff\xfe");
}

TEST_CASE("codec: bytes are sent as bin, and a str is taken for them", "[common]") {
  CHECK(codec::encode(Bytes("foo")) ==
        "\xc4\x03"
        "foo");
  CHECK(codec::decode<Bytes>("\xa3"
                             "foo")
            ->data == "foo");
}

}  // namespace
}  // namespace muster
