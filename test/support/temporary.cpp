// temporary: made by mkdtemp, removed with all that is in it.
#include "test/support/temporary.hpp"

#include <cstdlib>
#include <filesystem>
#include <system_error>

#include "common/error.hpp"

namespace muster::test {

namespace {

std::string usual_parent() {
  std::error_code error;
  return std::filesystem::is_directory("/dev/shm", error)
             ? "/dev/shm"
             : std::filesystem::temp_directory_path().string();
}

}  // namespace

TemporaryFolder::TemporaryFolder(const std::string& parent) {
  std::string pattern = (parent.empty() ? usual_parent() : parent) + "/muster-test-XXXXXX";
  ENSURE(mkdtemp(pattern.data()) != nullptr);
  path_ = pattern;
}

TemporaryFolder::~TemporaryFolder() {
  std::error_code error;
  std::filesystem::remove_all(path_, error);
}

}  // namespace muster::test
