// temporary: made by mkdtemp, removed with all that is in it.
#include "test/support/temporary.hpp"

#include <cstdlib>
#include <filesystem>
#include <system_error>

#include "common/error.hpp"

namespace muster::test {

TemporaryFolder::TemporaryFolder() {
  std::error_code error;
  std::string pattern = std::filesystem::is_directory("/dev/shm", error)
                            ? "/dev/shm"
                            : std::filesystem::temp_directory_path().string();
  pattern += "/muster-test-XXXXXX";
  ENSURE(mkdtemp(pattern.data()) != nullptr);
  path_ = pattern;
}

TemporaryFolder::~TemporaryFolder() {
  std::error_code error;
  std::filesystem::remove_all(path_, error);
}

}  // namespace muster::test
