// snapshot_file_test: a snapshot that is not as it was written is told from one that is.
#include <sys/mman.h>
#include <unistd.h>

#include "common/limits.hpp"
#include "common/snapshot/file.hpp"
#include "test/support/catch.hpp"

namespace muster::test {
namespace {

const std::string content = "what a broker wrote";

snapshot::Head head_of(std::string_view bytes) {
  snapshot::Hasher hasher;
  hasher.add(bytes);
  return {.format = snapshot::format,
          .layout = std::string(snapshot::layout),
          .schema = 1,
          .version = "0.1.0",
          .cluster_id = "c",
          .cluster = "muster",
          .history = "h",
          .epoch = Epoch{2},
          .rev = Revision{40},
          .seq = Seq{30},
          .time = WallTime{1'700'000'000'000},
          .rows = {{"kv", 3}},
          .bytes = bytes.size(),
          .hash = hasher.finish()};
}

std::string a_file() { return snapshot::encode_head(head_of(content)) + content; }

/// As from a pipe or a file.
class Open {
 public:
  explicit Open(std::string_view bytes) : fd_(memfd_create("snapshot", MFD_CLOEXEC)) {
    REQUIRE(write(fd_, bytes.data(), bytes.size()) == static_cast<ssize_t>(bytes.size()));
    REQUIRE(lseek(fd_, 0, SEEK_SET) == 0);
  }
  ~Open() { close(fd_); }
  Open(const Open&) = delete;
  Open& operator=(const Open&) = delete;
  int fd() const { return fd_; }

 private:
  int fd_;
};

/// What is wrong with it; empty: nothing.
std::string wrong_with(std::string_view bytes) {
  const Open file(bytes);
  snapshot::Reader reader(file.fd(), "F");
  const auto head = reader.head();
  if (!head) return head.error().message;
  std::string read;
  const auto whole = reader.content([&](std::string_view piece) {
    read += piece;
    return Result<Done>(Done{});
  });
  if (!whole) return whole.error().message;
  CHECK(read == content);
  CHECK(head->rev == Revision{40});
  CHECK(head->rows.at("kv") == 3);
  CHECK(snapshot::id_of(*head) == "2-40-1700000000000");
  return {};
}

TEST_CASE("snapshot: what was written is read back", "[common]") {
  CHECK(wrong_with(a_file()).empty());
}

TEST_CASE("snapshot: a file that was cut off anywhere is refused", "[common]") {
  const std::string whole = a_file();
  for (std::size_t length = 0; length < whole.size(); ++length) {
    INFO(length);
    CHECK_FALSE(wrong_with(whole.substr(0, length)).empty());
  }
  CHECK(wrong_with(whole.substr(0, whole.size() - 1)) == "F is cut off: of 19 bytes it has 18");
  CHECK(wrong_with(whole.substr(0, 20)) == "F is cut off within its head");
  CHECK(wrong_with("") == "F is not a snapshot of muster");
}

TEST_CASE("snapshot: a file with any bit turned is refused", "[common]") {
  const std::string whole = a_file();
  for (std::size_t bit = 0; bit < whole.size() * 8; ++bit) {
    std::string turned = whole;
    turned[bit / 8] = static_cast<char>(turned[bit / 8] ^ (1 << bit % 8));
    INFO(bit);
    CHECK_FALSE(wrong_with(turned).empty());
  }
}

TEST_CASE("snapshot: a file that goes on behind its end is refused", "[common]") {
  CHECK(wrong_with(a_file() + "x") == "F is damaged: it goes on behind its end");
}

TEST_CASE("snapshot: a head that claims to be long is not waited for", "[common]") {
  std::string huge(snapshot::magic);
  huge += "\x7f\xff\xff\xff";
  CHECK(wrong_with(huge) == "F is damaged: its head is not what was written");
}

TEST_CASE("snapshot: a newer format is refused with both numbers", "[common]") {
  snapshot::Head newer = head_of(content);
  newer.format = 9;
  CHECK(wrong_with(snapshot::encode_head(newer) + content) ==
        "F is a snapshot of format 9, this muster reads up to 1");
}

}  // namespace
}  // namespace muster::test
