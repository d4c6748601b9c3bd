// schema: numbers in rows of meta.
#include "broker/state/schema.hpp"

#include "broker/state/tables.hpp"

namespace muster::state::schema {

std::string number_row(std::uint64_t number) { return encode_row(be64(number)); }

std::uint64_t number_of(std::string_view row) { return be64_at_end(decode_row<std::string>(row)); }

}  // namespace muster::state::schema
