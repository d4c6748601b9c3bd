// record: to bytes and back.
#include "broker/state/record.hpp"

#include <fmt/format.h>

namespace muster::state {

std::string encode(const Record& record) {
  msgpack::sbuffer buffer(1024);
  msgpack::pack(buffer, record);
  return std::string(buffer.data(), buffer.size());
}

Record decode_record(std::string_view bytes) {
  try {
    const msgpack::object_handle handle =
        msgpack::unpack(bytes.data(), bytes.size(),
                        [](msgpack::type::object_type, std::size_t, void*) { return true; });
    return handle.get().as<Record>();
  } catch (const std::exception& error) {
    throw Failure(fmt::format(
        "a record of {} bytes in the log cannot be read ({}): written by another version?",
        bytes.size(), error.what()));
  }
}

}  // namespace muster::state
