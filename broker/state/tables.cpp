// tables: keys made of numbers and parts.
#include "broker/state/tables.hpp"

namespace muster::state {

std::string be64(std::uint64_t number) {
  std::string bytes(8, '\0');
  for (std::size_t i = 0; i < 8; ++i) bytes[i] = static_cast<char>((number >> (56 - 8 * i)) & 0xff);
  return bytes;
}

std::uint64_t be64_at_end(std::string_view key) {
  ENSURE(key.size() >= 8);
  std::uint64_t number = 0;
  for (const char byte : key.substr(key.size() - 8))
    number = number << 8 | static_cast<unsigned char>(byte);
  return number;
}

std::string joined(std::string_view first, std::string_view second) {
  std::string key;
  key.reserve(first.size() + 1 + second.size());
  key.append(first).append(1, '\0').append(second);
  return key;
}

}  // namespace muster::state
