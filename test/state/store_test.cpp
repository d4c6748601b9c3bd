// store_test: what is on disk after a checkpoint, after a crash, and what is refused at the start.
#include "broker/state/store.hpp"

#include <fstream>
#include <optional>
#include <sys/stat.h>
#include <unistd.h>

#include "broker/state/lmdb.hpp"
#include "broker/state/schema.hpp"
#include "common/limits.hpp"
#include "test/support/catch.hpp"
#include "test/support/small_disk.hpp"
#include "test/support/temporary.hpp"

using namespace muster;
using state::Store;
using state::TableId;

namespace {

void checkpoint(Store& store, Seq reached) {
  store.seal(reached);
  store.write_sealed();
  store.settle();
}

/// The line with which opening ends; empty: it opened.
std::string refusal(const std::string& folder) {
  try {
    const Store store(folder);
  } catch (const Failure& failure) {
    return failure.what();
  }
  return "";
}

}  // namespace

TEST_CASE("store: what was checkpointed is there when it is opened again", "[state]") {
  test::TemporaryFolder folder;
  {
    Store store(folder.path());
    CHECK(store.checkpointed() == Seq{0});
    store.active().put(TableId::kv, "key", "value");
    store.active().put(TableId::locks, "key", "another");
    checkpoint(store, Seq{7});
    CHECK(store.checkpointed() == Seq{7});
    CHECK(store.active().empty());
    CHECK(store.sealed() == nullptr);
    CHECK(store.get(TableId::kv, "key") == "value");
    store.active().erase(TableId::locks, "key");
    store.active().erase(TableId::locks, "never there");
    checkpoint(store, Seq{8});
    store.active().put(TableId::kv, "lost", "the log has it");
  }
  const Store store(folder.path());
  CHECK(store.checkpointed() == Seq{8});
  CHECK(store.get(TableId::kv, "key") == "value");
  CHECK_FALSE(store.get(TableId::locks, "key"));
  CHECK_FALSE(store.get(TableId::kv, "lost"));
  CHECK_FALSE(store.get(TableId::kv, ""));
  CHECK_FALSE(store.get(TableId::kv, std::string(1000, 'k')));
}

TEST_CASE("store: rows and the seq they reach are on disk together, settled or not", "[state]") {
  test::TemporaryFolder folder;
  {
    Store store(folder.path());
    store.active().put(TableId::kv, "key", "sealed only");
    store.seal(Seq{3});
    CHECK(store.get(TableId::kv, "key") == "sealed only");
  }
  {
    Store store(folder.path());
    CHECK(store.checkpointed() == Seq{0});
    CHECK_FALSE(store.get(TableId::kv, "key"));
    store.active().put(TableId::kv, "key", "written");
    store.seal(Seq{3});
    store.write_sealed();
    CHECK(store.checkpointed() == Seq{0});
  }
  const Store store(folder.path());
  CHECK(store.checkpointed() == Seq{3});
  CHECK(store.get(TableId::kv, "key") == "written");
}

TEST_CASE("store: a row put while another is being written is seen above it", "[state]") {
  test::TemporaryFolder folder;
  Store store(folder.path());
  store.active().put(TableId::kv, "key", "first");
  store.seal(Seq{1});
  store.active().put(TableId::kv, "key", "second");
  CHECK(store.get(TableId::kv, "key") == "second");
  store.write_sealed();
  store.settle();
  CHECK(store.get(TableId::kv, "key") == "second");
  checkpoint(store, Seq{2});
  CHECK(store.get(TableId::kv, "key") == "second");
}

TEST_CASE("store: a row that comes and goes between two checkpoints leaves no mark", "[state]") {
  test::TemporaryFolder folder;
  Store store(folder.path());
  store.active().put(TableId::kv, "disk", "value");
  checkpoint(store, Seq{1});
  store.active().put(TableId::kv, "sealed", "value");
  store.seal(Seq{2});
  for (const char* key : {"new", "disk", "sealed"}) {
    store.active().put(TableId::kv, key, "again");
    store.erase(TableId::kv, key);
    CHECK_FALSE(store.get(TableId::kv, key));
  }
  CHECK(store.active().find(TableId::kv, "new") == nullptr);
  CHECK(store.active().ops() == 2);
  store.write_sealed();
  store.settle();
  checkpoint(store, Seq{3});
  for (const char* key : {"new", "disk", "sealed"}) CHECK_FALSE(store.get(TableId::kv, key));

  store.active().put(TableId::kv, "gone", "value");
  checkpoint(store, Seq{4});
  store.erase(TableId::kv, "gone");
  store.seal(Seq{5});
  store.active().put(TableId::kv, "gone", "again");
  store.erase(TableId::kv, "gone");
  CHECK(store.active().empty());
  CHECK_FALSE(store.get(TableId::kv, "gone"));
}

TEST_CASE("store: a folder is one broker's at a time, and the refusal names the process",
          "[state]") {
  test::TemporaryFolder folder;
  const std::string path = folder.path() + "/data";
  std::optional<Store> store(path);
  struct stat status {};
  REQUIRE(::stat(path.c_str(), &status) == 0);
  CHECK((status.st_mode & 0777) == 0700);
  CHECK(refusal(path) == "data folder " + path + ": another broker runs on it (process " +
                             std::to_string(::getpid()) + ")");
  store.reset();
  CHECK(refusal(path).empty());
}

TEST_CASE("store: a format that is newer than ours is refused", "[state]") {
  test::TemporaryFolder folder;
  {
    const state::Environment environment(folder.path());
    state::Transaction write(environment);
    write.put(TableId::meta, state::schema::format_key,
              state::schema::number_row(state::schema::format + 1));
    write.commit();
  }
  CHECK(refusal(folder.path()) ==
        "data folder " + folder.path() +
            ": has format 2, this broker reads up to 1: run a newer muster-broker");
}

TEST_CASE("store: a file that is no database is refused with its name", "[state]") {
  test::TemporaryFolder folder;
  std::ofstream(folder.path() + "/data.mdb") << std::string(100'000, 'x');
  const std::string line = refusal(folder.path());
  CHECK(line.starts_with(folder.path() + "/data.mdb: is not a database"));
  CHECK(line.find('\n') == std::string::npos);
}

TEST_CASE("store: a path that cannot be a data folder is refused", "[state]") {
  test::TemporaryFolder folder;
  const std::string file = folder.path() + "/file";
  std::ofstream(file.c_str()) << "text";
  CHECK(refusal(file) == "data folder " + file + ": is not a folder");
  CHECK(refusal(folder.path() + "/no/such").ends_with("cannot make it: No such file or directory"));
}

TEST_CASE("folder: network file systems are known by their numbers", "[state]") {
  CHECK(state::is_network_filesystem(0x6969));            // NFS
  CHECK(state::is_network_filesystem(0xFE534D42));        // SMB2
  CHECK_FALSE(state::is_network_filesystem(0xEF53));      // ext4
  CHECK_FALSE(state::is_network_filesystem(0x01021994));  // tmpfs
}

TEST_CASE("store: a full disk keeps the sealed layer, which is written when there is space",
          "[state]") {
  test::TemporaryFolder folder;
  const test::SmallDisk disk(folder.path());
  if (!disk.mounted()) {
    WARN("skipped: this process may not mount a tmpfs");
    return;
  }
  Store store(folder.path());
  store.active().put(TableId::kv, "before", "there");
  checkpoint(store, Seq{1});
  const std::string large(1000, 'v');
  for (int i = 0; i < 6000; ++i) store.active().put(TableId::kv, "key" + std::to_string(i), large);
  store.seal(Seq{2});
  CHECK_THROWS_AS(store.write_sealed(), DiskFull);
  CHECK_THROWS_AS(store.write_sealed(), DiskFull);
  CHECK(store.get(TableId::kv, "before") == "there");
  CHECK(store.get(TableId::kv, "key5999") == large);
  CHECK(store.checkpointed() == Seq{1});

  REQUIRE(disk.grow());
  store.write_sealed();
  store.settle();
  CHECK(store.checkpointed() == Seq{2});
  CHECK(store.get(TableId::kv, "key5999") == large);
}
