// envelope: the header frame of every message, either way.
//
//   [1, verb,                   req_no, {cause, deadline_ms, fence, acked, at_least, author}]   a
//   request [1, "reply"|"more"|"error", req_no]                                                  an
//   answer
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "common/error.hpp"
#include "common/protocol/codec.hpp"
#include "common/types.hpp"

namespace muster::proto {

/// A write passes only if `token` is among the present holders of `lock` (DESIGN section 7).
struct Fence {
  std::string lock;
  Revision token;
  MSGPACK_DEFINE_MAP(lock, token)
};

/// What a request may carry beside its body. All optional; zero or empty: not said.
struct Options {
  std::string cause;              ///< the request or change that made the sender send this
  std::uint64_t deadline_ms = 0;  ///< relative: not executed when it has waited longer
  std::optional<Fence> fence;
  RequestNo acked;    ///< all answers up to this number have been received
  Revision at_least;  ///< a read is answered at this revision or later
  MSGPACK_DEFINE_MAP(cause, deadline_ms, fence, acked, at_least)
};

struct Header {
  std::string verb;
  RequestNo no;
  Options options;
};

inline constexpr std::string_view verb_reply = "reply";
inline constexpr std::string_view verb_more = "more";
inline constexpr std::string_view verb_error = "error";

std::string encode_header(const Header& header);
std::string encode_answer(std::string_view kind, RequestNo no);

/// Errors: invalid; version (another protocol version than ours).
Result<Header> decode_header(std::string_view frame);

/// The request number of a header that decode_header refused, if one can be read: whom to answer.
std::optional<RequestNo> salvage_request_no(std::string_view frame);

/// The body of an answer of kind `error`.
struct ErrorBody {
  std::string code;
  std::string message;
  std::string hint;
  MSGPACK_DEFINE_MAP(code, message, hint)
};
std::string encode_error(const Error& error);
Error decode_error(std::string_view body);

/// A body that says nothing: an empty map.
struct Empty {
  template <class Packer>
  void msgpack_pack(Packer& packer) const {
    packer.pack_map(0);
  }
  void msgpack_unpack(const msgpack::object& object) {
    if (object.type != msgpack::type::MAP) throw msgpack::type_error();
  }
};

}  // namespace muster::proto
