// envelope: encoding and bounded decoding of headers and errors.
#include "common/protocol/envelope.hpp"

namespace muster::proto {
namespace {

Result<msgpack::object_handle> unpack_header(std::string_view frame) {
  if (frame.size() > limits::header_bytes_max)
    return Error{Code::too_large, "the header frame is over 4096 bytes"};
  Result<msgpack::object_handle> unpacked = codec::unpack(frame);
  if (!unpacked) return unpacked;
  const msgpack::object& header = unpacked->get();
  if (header.type != msgpack::type::ARRAY || header.via.array.size < 3) {
    return Error{Code::invalid, "a header is an array [1, verb, req_no, {options}]"};
  }
  return unpacked;
}

}  // namespace

std::string encode_header(const Header& header) {
  msgpack::sbuffer buffer(128);
  msgpack::packer<msgpack::sbuffer> packer(buffer);
  const Options& o = header.options;
  packer.pack_array(4).pack(limits::protocol_version).pack(header.verb).pack(header.no);
  const std::uint32_t said = (o.cause.empty() ? 0U : 1U) + (o.deadline_ms == 0 ? 0U : 1U) +
                             (o.fence ? 1U : 0U) + (o.acked.value == 0 ? 0U : 1U) +
                             (o.at_least.value == 0 ? 0U : 1U);
  packer.pack_map(said);
  if (!o.cause.empty()) packer.pack("cause").pack(o.cause);
  if (o.deadline_ms != 0) packer.pack("deadline_ms").pack(o.deadline_ms);
  if (o.fence) packer.pack("fence").pack(*o.fence);
  if (o.acked.value != 0) packer.pack("acked").pack(o.acked);
  if (o.at_least.value != 0) packer.pack("at_least").pack(o.at_least);
  return std::string(buffer.data(), buffer.size());
}

std::string encode_answer(std::string_view kind, RequestNo no) {
  msgpack::sbuffer buffer(32);
  msgpack::packer<msgpack::sbuffer> packer(buffer);
  packer.pack_array(3).pack(limits::protocol_version).pack(kind).pack(no);
  return std::string(buffer.data(), buffer.size());
}

Result<Header> decode_header(std::string_view frame) {
  Result<msgpack::object_handle> unpacked = unpack_header(frame);
  if (!unpacked) return unpacked.error();
  if (!codec::is_text(unpacked->get()) || codec::has_odd_bytes(unpacked->get()))
    return Error{Code::invalid, "the header has text that is not UTF-8"};
  const msgpack::object_array& fields = unpacked->get().via.array;
  try {
    if (fields.ptr[0].as<std::uint64_t>() != limits::protocol_version) {
      return Error{Code::version, "this side speaks protocol version 1", "update the other side"};
    }
    Header header{.verb = fields.ptr[1].as<std::string>(),
                  .no = fields.ptr[2].as<RequestNo>(),
                  .options = {}};
    if (fields.size > 3) header.options = fields.ptr[3].as<Options>();
    if (header.no.value == 0) return Error{Code::invalid, "a request number is 1 or greater"};
    return header;
  } catch (const msgpack::type_error&) {
    return Error{Code::invalid, "a header is an array [1, verb, req_no, {options}]"};
  }
}

std::optional<RequestNo> salvage_request_no(std::string_view frame) {
  Result<msgpack::object_handle> unpacked = unpack_header(frame);
  if (!unpacked) return std::nullopt;
  const msgpack::object& no = unpacked->get().via.array.ptr[2];
  if (no.type != msgpack::type::POSITIVE_INTEGER || no.via.u64 == 0) return std::nullopt;
  return RequestNo{no.via.u64};
}

std::string encode_error(const Error& error) {
  const auto short_of = [](const std::string& text) {
    if (text.size() <= limits::error_text_bytes_max) return text;
    return codec::shortened(text, limits::error_text_bytes_max) + "...";
  };
  return codec::encode(
      ErrorBody{std::string(name_of(error.code)), short_of(error.message), short_of(error.hint)});
}

Error decode_error(std::string_view body) {
  Result<ErrorBody> decoded = codec::decode<ErrorBody>(body);
  if (!decoded)
    return Error{Code::internal, "an error that cannot be read: " + decoded.error().message};
  return Error{code_of(decoded->code).value_or(Code::internal), decoded->message, decoded->hint};
}

}  // namespace muster::proto
