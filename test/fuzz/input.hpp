// input: what a fuzzer gives, taken piece by piece; what is not there reads as zero or empty.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace muster::test {

class Input {
 public:
  Input(const std::uint8_t* data, std::size_t size)
      : left_(reinterpret_cast<const char*>(data), size) {}

  bool empty() const { return left_.empty(); }

  std::uint8_t byte() {
    const std::string taken = bytes(1);
    return taken.empty() ? std::uint8_t{0} : static_cast<std::uint8_t>(taken[0]);
  }
  /// Two bytes of length, then so many bytes, or as many as there are.
  std::string piece() {
    const std::size_t high = byte();
    const std::size_t low = byte();
    return bytes(high << 8 | low);
  }
  std::string rest() { return bytes(left_.size()); }

 private:
  std::string bytes(std::size_t count) {
    std::string taken(left_.substr(0, count));
    left_.remove_prefix(taken.size());
    return taken;
  }

  std::string_view left_;
};

}  // namespace muster::test
