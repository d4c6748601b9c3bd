// json: see json.hpp.
#include "common/consul/json.hpp"

#include <string_view>

namespace muster {
namespace {

/// These three stand only inside strings of a JSON text.
std::string escaped_as_go(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (const char c : text) {
    switch (c) {
      case '<': out += "\\u003c"; break;
      case '>': out += "\\u003e"; break;
      case '&': out += "\\u0026"; break;
      default: out += c;
    }
  }
  return out;
}

}  // namespace

std::string compact(const Json& json) {
  return escaped_as_go(json.dump(-1, ' ', false, Json::error_handler_t::replace));
}

std::string indented(const Json& json) {
  return escaped_as_go(json.dump(4, ' ', false, Json::error_handler_t::replace));
}

std::string tabbed(const Json& json) {
  return escaped_as_go(json.dump(1, '\t', false, Json::error_handler_t::replace));
}

}  // namespace muster
