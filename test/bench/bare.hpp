// bare: what the machine gives without muster: an echo over DEALER and ROUTER, a relay from PULL to
// PUB, a log that syncs each append, a command for each message. The servers run in processes of
// their own, as the broker does.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "test/bench/samples.hpp"
#include "test/support/cluster.hpp"

namespace muster::bench {

/// The roles of `muster-bench --serve ROLE`: never returns.
///   echo   ROUTER: what comes goes back
///   relay  PULL, PUB: what comes in goes out
///   spawn  DEALER to ENDPOINT: runs each message by `sh -c`, answers with its output
void serve(const std::string& role, const std::string& endpoint);

/// A process that serves one.
class BareServer {
 public:
  BareServer(const std::string& role, const std::string& folder, const std::string& endpoint = {});
  /// The n-th place where it listens.
  std::string endpoint(std::size_t n = 0) const;

 private:
  test::Process process_;
};

/// 300 bytes and an fdatasync, in a preallocated file.
class BareLog {
 public:
  explicit BareLog(const std::string& path);
  ~BareLog();
  BareLog(const BareLog&) = delete;
  BareLog& operator=(const BareLog&) = delete;
  Samples append(std::size_t count);

 private:
  int fd_ = -1;
  std::int64_t at_ = 0;
};

}  // namespace muster::bench
