// codec: bytes <-> structs, bounded: the only place where msgpack from outside is unpacked.
//
// Promises: nothing in the bytes makes it allocate more than a small multiple of their size;
// nesting and counts are bounded; every byte must be used; what does not fit the struct, and text
// that is not UTF-8, is `invalid`. Unknown keys of a map are ignored; a missing one leaves its
// field at its default, which for a required field is a value that the handler refuses.
#pragma once

#include <string>
#include <string_view>

#include <msgpack.hpp>

#include "common/error.hpp"
#include "common/limits.hpp"
#include "common/types.hpp"

namespace muster::codec {

/// Unpacks one object that must be all of `bytes`, which must outlive the handle (strings are
/// borrowed). Errors: invalid.
Result<msgpack::object_handle> unpack(std::string_view bytes);

template <class T>
std::string encode(const T& value) {
  msgpack::sbuffer buffer(256);
  msgpack::pack(buffer, value);
  return std::string(buffer.data(), buffer.size());
}

/// RFC 3629. Text on the wire must be UTF-8, since clients in other languages insist on it.
bool is_utf8(std::string_view text);
/// As much of it as fits into `most` bytes, all of it UTF-8.
std::string shortened(std::string text, std::size_t most);
/// Whether every str in it is UTF-8, so that what is passed on can be read by all.
bool is_text(const msgpack::object& object);

/// Whether a bin in it holds what is no UTF-8.
bool has_odd_bytes(const msgpack::object& object);

/// Errors: invalid, with what was wrong.
template <class T>
Result<T> decode(std::string_view bytes) {
  Result<msgpack::object_handle> unpacked = unpack(bytes);
  if (!unpacked) return unpacked.error();
  if (!is_text(unpacked->get())) return Error{Code::invalid, "the body has text that is not UTF-8"};
  try {
    T value = unpacked->get().as<T>();
    if (!has_odd_bytes(unpacked->get())) return value;
    // msgpack takes a bin for a text as willingly as for bytes: what others would be handed counts.
    const std::string written = encode(value);
    const Result<msgpack::object_handle> again = unpack(written);
    if (again && is_text(again->get())) return value;
    return Error{Code::invalid, "the body has bytes that are not UTF-8 in place of a text"};
  } catch (const msgpack::type_error&) {
    return Error{Code::invalid, "the body has a field of another type than the protocol says"};
  }
}

}  // namespace muster::codec
