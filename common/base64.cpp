// base64: libsodium's.
#include "common/base64.hpp"

#include <fmt/format.h>
#include <sodium.h>

namespace muster {

std::string to_base64(std::string_view bytes) {
  const std::size_t with_end =
      sodium_base64_ENCODED_LEN(bytes.size(), sodium_base64_VARIANT_ORIGINAL);
  std::string out(with_end, '\0');
  sodium_bin2base64(out.data(), out.size(), reinterpret_cast<const unsigned char*>(bytes.data()),
                    bytes.size(), sodium_base64_VARIANT_ORIGINAL);
  out.pop_back();  // the NUL
  return out;
}

Result<std::string> from_base64(std::string_view text) {
  std::string out(text.size() / 4 * 3 + 3, '\0');
  std::size_t length = 0;
  const char* end = nullptr;
  const int failed =
      sodium_base642bin(reinterpret_cast<unsigned char*>(out.data()), out.size(), text.data(),
                        text.size(), "\r\n", &length, &end, sodium_base64_VARIANT_ORIGINAL);
  const auto used = static_cast<std::size_t>(end == nullptr ? 0 : end - text.data());
  if (failed != 0 || used != text.size()) {
    return Error{Code::invalid, fmt::format("illegal base64 data at input byte {}", used)};
  }
  out.resize(length);
  return out;
}

}  // namespace muster
