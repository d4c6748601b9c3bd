// service_define: `muster service register` and `deregister`.
#pragma once

#include "cli/command.hpp"

namespace muster::cli {

Exit register_service(Arguments words);
Exit deregister_service(Arguments words);

}  // namespace muster::cli
