// kv: what the files of this noun share: reading its arguments, its verbs.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "cli/command.hpp"
#include "cli/inquiry.hpp"
#include "common/protocol/kv.hpp"

namespace muster::cli {

Exit kv_put(Arguments words);

Exit kv_export(Arguments words);
Exit kv_import(Arguments words);
Exit kv_txn(Arguments words);

Exit kv_log(Arguments words);
Exit kv_diff(Arguments words);
Exit kv_revert(Arguments words);

/// Consul's words for arguments that are missing or too many; none: it is right.
std::optional<Exit> check_arguments(const Command& command, std::size_t least, std::size_t most,
                                    std::string_view first);
std::string argument_or_nothing(const Command& command, std::size_t place);
/// Reading and deleting forgive one leading slash; putting does not.
std::string forgiven(std::string key);

/// All entries of a list, page by page.
Result<Done> each_page(Inquiry& broker, proto::kv::List request,
                       const std::function<void(const std::vector<proto::kv::Entry>&)>& each);

}  // namespace muster::cli
