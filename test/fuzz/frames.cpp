// frames: any frames from any connection into the broker's front door, between restarts and timers.
//
// An input is a row of steps. A step is a byte, `who` in its two low bits and what happens above:
//
//   0..3  two frames, each a length of two bytes and so many bytes
//   4, 5  one frame, three frames
//   6     who's connection is made anew
//   7     the next byte: time passes (in 200 ms), or with its high bit set one of `happens`
//
// Whatever came: each answer and notice is msgpack with text in UTF-8, a fresh client is served
// (protocol/README.md [M31]), and after a restart it finds what it was told.
#include <array>

#include <fmt/format.h>

#include "common/protocol/kv.hpp"
#include "test/fuzz/input.hpp"
#include "test/support/world.hpp"

namespace muster::test {
namespace {

constexpr std::array<std::string_view, 4> people = {"ann", "bob", "cid", "dan"};
constexpr int steps_max = 64;

void check_text(const msgpack::object& object) {
  switch (object.type) {
    case msgpack::type::STR:
      ENSURE(codec::is_utf8({object.via.str.ptr, object.via.str.size}));
      break;
    case msgpack::type::ARRAY:
      for (std::uint32_t i = 0; i < object.via.array.size; ++i) check_text(object.via.array.ptr[i]);
      break;
    case msgpack::type::MAP:
      for (std::uint32_t i = 0; i < object.via.map.size; ++i) {
        check_text(object.via.map.ptr[i].key);
        check_text(object.via.map.ptr[i].val);
      }
      break;
    default: break;
  }
}

void check_readable(const std::string& body) {
  const auto unpacked = codec::unpack(body);
  ENSURE(unpacked);
  check_text(unpacked->get());
}

void happens(World& world, Input& input, std::uint8_t what) {
  switch (what & 7) {
    case 0:
    case 1: return world.restart();
    case 2: return world.checkpoint();
    case 3: return world.presence(std::string(people[what >> 3 & 3]), (what & 32) != 0);
    default: break;
  }
  const std::string topic = input.piece();
  if (proto::watch::parse_topic(topic)) world.subscribe(topic);  // the broker asks that before
}

void step(World& world, Input& input) {
  const std::uint8_t op = input.byte();
  const std::string who(people[op & 3]);
  const int what = op >> 2 & 7;
  if (what == 6) return world.reconnect(who);
  if (what == 7) {
    const std::uint8_t next = input.byte();
    if (next >= 128) return happens(world, input, next);
    return world.advance(milliseconds(200) * next);
  }
  const int count = what < 4 ? 2 : what == 4 ? 1 : 3;
  std::vector<std::string> frames;
  for (int i = 0; i < count; ++i) frames.push_back(input.piece());
  world.raw(who, std::move(frames));
}

}  // namespace

void run(Input input) {
  World world;
  for (int i = 0; i < steps_max && !input.empty(); ++i) step(world, input);
  const auto written = world.ask("eve", proto::kv::Put{.key = "probe", .value = Bytes("here")});
  world.restart();
  const auto entry = world.ask("eve", proto::kv::Get{.key = "probe"});
  ENSURE(entry.mod_rev == written.rev && entry.value.view() == "here");
  for (const Answer& answer : world.answers()) check_readable(answer.body);
  for (const core::Publication& notice : world.notices()) check_readable(notice.body);
}

}  // namespace muster::test

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  muster::test::run(muster::test::Input(data, size));
  return 0;
}
