// codec: the bounds of unpacking.
#include "common/protocol/codec.hpp"

#include <algorithm>

namespace muster::codec {
namespace {

/// Adds up what arrays and maps claim to hold before anything is allocated for it. An element takes
/// at least a byte, so that no honest sum exceeds the size; and claims within claims would each
/// have room made for them.
class Claims : public msgpack::null_visitor {
 public:
  explicit Claims(std::size_t bytes) : left_(bytes) {}

  bool start_array(std::uint32_t elements) {
    return elements <= limits::elements_max && enter(elements);
  }
  bool start_map(std::uint32_t pairs) {
    return pairs <= limits::elements_max / 2 && enter(std::size_t{2} * pairs);
  }
  bool end_array() { return leave(); }
  bool end_map() { return leave(); }
  void parse_error(std::size_t, std::size_t) { garbage_ = true; }
  void insufficient_bytes(std::size_t, std::size_t) { short_ = true; }

  Error error() const {
    if (short_) return Error{Code::invalid, "the msgpack object is cut short"};
    if (garbage_) return Error{Code::invalid, "this is not msgpack"};
    return Error{Code::invalid,
                 "the msgpack object is nested too deeply or claims too many elements"};
  }

 private:
  bool enter(std::size_t elements) {
    if (depth_ == limits::nesting_max || elements > left_) return false;
    left_ -= elements;
    ++depth_;
    return true;
  }
  bool leave() {
    --depth_;
    return true;
  }

  std::size_t left_;
  std::size_t depth_ = 0;
  bool short_ = false;
  bool garbage_ = false;
};

/// Whether `holds` is true of all that is neither array nor map.
template <class Predicate>
bool each_leaf(const msgpack::object& object, const Predicate& holds) {
  if (object.type == msgpack::type::ARRAY) {
    const msgpack::object_array& array = object.via.array;
    return std::all_of(array.ptr, array.ptr + array.size,
                       [&](const msgpack::object& one) { return each_leaf(one, holds); });
  }
  if (object.type == msgpack::type::MAP) {
    const msgpack::object_map& map = object.via.map;
    return std::all_of(map.ptr, map.ptr + map.size, [&](const msgpack::object_kv& pair) {
      return each_leaf(pair.key, holds) && each_leaf(pair.val, holds);
    });
  }
  return holds(object);
}

}  // namespace

Result<msgpack::object_handle> unpack(std::string_view bytes) {
  Claims claims(bytes.size());
  std::size_t offset = 0;
  if (!msgpack::parse(bytes.data(), bytes.size(), offset, claims)) return claims.error();
  if (offset != bytes.size())
    return Error{Code::invalid, "bytes after the end of the msgpack object"};
  bool referenced = false;
  return msgpack::unpack(bytes.data(), bytes.size(), referenced,
                         [](msgpack::type::object_type, std::size_t, void*) { return true; });
}

std::string shortened(std::string text, std::size_t most) {
  if (text.size() > most) text.resize(most);
  while (!is_utf8(text)) text.pop_back();
  return text;
}

bool is_text(const msgpack::object& object) {
  return each_leaf(object, [](const msgpack::object& leaf) {
    return leaf.type != msgpack::type::STR || is_utf8({leaf.via.str.ptr, leaf.via.str.size});
  });
}

bool has_odd_bytes(const msgpack::object& object) {
  return !each_leaf(object, [](const msgpack::object& leaf) {
    return leaf.type != msgpack::type::BIN || is_utf8({leaf.via.bin.ptr, leaf.via.bin.size});
  });
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
