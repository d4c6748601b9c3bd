// codec: the bounds of unpacking.
#include "common/protocol/codec.hpp"

#include <algorithm>

namespace muster::codec {

Result<msgpack::object_handle> unpack(std::string_view bytes) {
  // An element takes at least a byte, so no count can honestly exceed the size: a header that
  // claims more would only make us allocate.
  const std::size_t size = bytes.size();
  const std::size_t elements = std::min(limits::elements_max, size);
  const msgpack::unpack_limit limit(elements, elements / 2 + 1, size, size, 0, limits::nesting_max);
  try {
    std::size_t offset = 0;
    bool referenced = false;
    msgpack::object_handle handle = msgpack::unpack(
        bytes.data(), size, offset, referenced,
        [](msgpack::type::object_type, std::size_t, void*) { return true; }, nullptr, limit);
    if (offset != size) return Error{Code::invalid, "bytes after the end of the msgpack object"};
    return handle;
  } catch (const msgpack::insufficient_bytes&) {
    return Error{Code::invalid, "the msgpack object is cut short"};
  } catch (const msgpack::size_overflow&) {
    return Error{Code::invalid,
                 "the msgpack object is nested too deeply or claims too many elements"};
  } catch (const msgpack::unpack_error&) {
    return Error{Code::invalid, "this is not msgpack"};
  }
}

bool is_utf8(std::string_view text) {
  std::size_t i = 0;
  const auto at = [&](std::size_t n) { return static_cast<unsigned char>(text[n]); };
  while (i < text.size()) {
    const unsigned char lead = at(i);
    if (lead < 0x80) {
      ++i;
      continue;
    }
    const std::size_t length = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
    if (lead < 0xc2 || lead > 0xf4 || i + length > text.size()) return false;
    for (std::size_t n = 1; n < length; ++n) {
      if ((at(i + n) & 0xc0) != 0x80) return false;
    }
    const unsigned char second = at(i + 1);
    const bool overlong = (lead == 0xe0 && second < 0xa0) || (lead == 0xf0 && second < 0x90);
    const bool surrogate = lead == 0xed && second >= 0xa0;
    const bool beyond = lead == 0xf4 && second >= 0x90;
    if (overlong || surrogate || beyond) return false;
    i += length;
  }
  return true;
}

}  // namespace muster::codec
