// restore_test: another state is put in place wholly or not at all, wherever a crash falls.
#include "broker/state/restore.hpp"

#include <filesystem>
#include <fstream>

#include "broker/state/tables.hpp"
#include "common/limits.hpp"
#include "test/support/catch.hpp"
#include "test/support/small_disk.hpp"
#include "test/support/temporary.hpp"

namespace muster::test {
namespace fs = std::filesystem;
namespace {

using state::Store;
using state::TableId;

void commit(Store& store, Seq reached) {
  store.seal(reached);
  store.write_sealed();
  store.settle();
}

void put(Store& store, std::string_view key, std::string_view value, Revision rev) {
  store.active().put(TableId::kv, key, value);
  store.active().put(TableId::kv_revs, state::joined(key, state::be64(rev.value)), "row");
  store.active().put(TableId::kv_past, state::joined(key, state::be64(1)), "row");
  store.active().put(TableId::meta, state::meta::rev, state::schema::number_row(rev.value));
}

state::TaskRow task_of(const Store& store, const std::string& node) {
  return *state::Read::Tasks(state::View(store, {})).get(state::joined("j", node));
}

/// A data folder with a state in it, and a copy of an older one.
class Folder {
 public:
  Folder() {
    {
      Store store(data());
      put(store, "k", "old", Revision{10});
      store.active().put(TableId::meta, state::meta::history, state::encode_row(std::string("h1")));
      store.active().put(TableId::meta, state::joined(state::meta::keep, "p/"),
                         state::encode_row(state::KeepRow{.age_ms = 5}));
      state::JobRow job;
      job.job = {.id = "j", .state = "running"};
      store.active().put(TableId::jobs, state::be64(3), state::encode_row(job));
      store.active().put(TableId::tasks, state::joined("j", "n1"),
                         state::encode_row(state::TaskRow{.node = "n1", .state = "sent"}));
      store.active().put(TableId::tasks, state::joined("j", "n2"),
                         state::encode_row(state::TaskRow{.node = "n2", .state = "exited"}));
      commit(store, Seq{7});
      fs::create_directories(copy());
      store.copy_to(copy());
      put(store, "k", "new", Revision{20});
      commit(store, Seq{9});
    }
    fs::create_directories(data() + "/log");
    std::ofstream(data() + "/log/1.log") << "records";
  }

  std::string data() const { return folder_.path(); }
  std::string copy() const { return state::snapshots_folder(data()) + "/s"; }
  std::string pending() const { return data() + "/restore.pending"; }

  void stage() const {
    state::stage(data(), copy(),
                 {.history = "h2", .least = Revision{20}, .id = "r", .now = WallTime{5000}});
  }
  void move(const std::string& from, const std::string& to) const {
    fs::create_directories(fs::path(data() + "/" + to).parent_path());
    fs::rename(data() + "/" + from, data() + "/" + to);
  }

  /// What a start finds. The state before must be whole somewhere, too.
  void check_restored() const {
    const Store store(data());
    CHECK(store.get(TableId::kv, "k") == "old");
    CHECK_FALSE(fs::exists(pending()));
    CHECK_FALSE(fs::exists(data() + "/log"));
    const std::string replaced = only_replaced();
    CHECK(fs::exists(replaced + "/log/1.log"));
    fs::remove_all(data() + "/before");
    fs::create_directories(data() + "/before");
    fs::copy_file(replaced + "/data.mdb", data() + "/before/data.mdb");
    CHECK(state::look_into(data() + "/before").rev == Revision{20});
  }

 private:
  std::string only_replaced() const {
    std::vector<std::string> found;
    for (const auto& entry : fs::directory_iterator(data())) {
      if (entry.path().filename().string().starts_with("replaced-"))
        found.push_back(entry.path().string());
    }
    REQUIRE(found.size() == 1);
    return found[0];
  }

  TemporaryFolder folder_;
};

TEST_CASE("restore: a copy has what the last checkpoint left, and says so", "[state]") {
  const Folder folder;
  const state::Contents contents = state::look_into(folder.copy());
  CHECK(contents.history == "h1");
  CHECK(contents.rev == Revision{10});
  CHECK(contents.seq == Seq{7});
  CHECK(contents.rows.at("kv") == 1);
  CHECK(contents.rows.at("events") == 0);
}

TEST_CASE("restore: the state is the snapshot's, under a new history, without a past", "[state]") {
  const Folder folder;
  folder.stage();
  const Store store(folder.data());
  const state::View view(store, {});
  const state::Read::Meta meta(view);
  REQUIRE(store.replaced());
  CHECK(fs::exists(*store.replaced() + "/data.mdb"));
  CHECK(meta.get(state::meta::history) == "h2");
  CHECK(meta.get(state::meta::restored) == "r");
  CHECK_FALSE(view.last(TableId::kv_revs, {}));
  CHECK_FALSE(view.last(TableId::kv_past, {}));
  CHECK_FALSE(store.get(TableId::meta, state::joined(state::meta::keep, "p/")));
  CHECK(store.checkpointed() == Seq{7});
  CHECK(store.log_floor() == Seq{8});
}

TEST_CASE("restore: revisions go on behind those of the state that is replaced", "[state]") {
  const Folder folder;
  folder.stage();
  const Store store(folder.data());
  const state::View view(store, {});
  const state::Read::Meta meta(view);
  CHECK(state::be64_at_end(*meta.get(state::meta::rev)) == 20);
  CHECK(state::be64_at_end(*meta.get(state::meta::trim_rev)) == 20);
  CHECK(state::be64_at_end(*meta.get(state::meta::trim_ms)) == 5000);
}

TEST_CASE("restore: what ran when the snapshot was saved is lost, not started again", "[state]") {
  const Folder folder;
  folder.stage();
  const Store store(folder.data());
  CHECK(task_of(store, "n1").state == "lost");
  CHECK(task_of(store, "n1").message == "a snapshot was restored");
  CHECK(task_of(store, "n2").state == "exited");
  const state::View view(store, {});
  CHECK(state::Read::Jobs(view).get(state::be64(3))->job.state == "done");
}

TEST_CASE("restore: a crash before it is decided leaves the state as it was", "[state]") {
  const Folder folder;
  const Store store(folder.data());
  CHECK_FALSE(store.replaced());
  CHECK(store.get(TableId::kv, "k") == "new");
  CHECK(fs::exists(folder.data() + "/log/1.log"));
  CHECK_FALSE(fs::exists(folder.copy()));
}

TEST_CASE("restore: a crash at each step behind the decision is completed by the next start",
          "[state]") {
  const Folder folder;
  folder.stage();
  SECTION("nothing was moved yet") {}
  SECTION("the folder for the old state is there") {
    fs::create_directories(folder.pending() + "/old");
  }
  SECTION("the log was moved") { folder.move("log", "restore.pending/old/log"); }
  SECTION("log and state were moved") {
    folder.move("log", "restore.pending/old/log");
    folder.move("data.mdb", "restore.pending/old/data.mdb");
    folder.move("lock.mdb", "restore.pending/old/lock.mdb");
  }
  SECTION("the new state is in its place") {
    folder.move("log", "restore.pending/old/log");
    folder.move("data.mdb", "restore.pending/old/data.mdb");
    folder.move("lock.mdb", "restore.pending/old/lock.mdb");
    folder.move("restore.pending/data.mdb", "data.mdb");
  }
  SECTION("the old state has its name") {
    folder.move("log", "restore.pending/old/log");
    folder.move("data.mdb", "restore.pending/old/data.mdb");
    folder.move("lock.mdb", "restore.pending/old/lock.mdb");
    folder.move("restore.pending/data.mdb", "data.mdb");
    folder.move("restore.pending/old", "replaced-20261123T000000Z");
  }
  folder.check_restored();
}

TEST_CASE("restore: into a folder where nothing was", "[state]") {
  const Folder from;
  const TemporaryFolder to;
  const std::string brought = state::snapshots_folder(to.path()) + "/s";
  fs::create_directories(brought);
  fs::copy_file(from.copy() + "/data.mdb", brought + "/data.mdb");
  state::stage(to.path(), brought, {.history = "h2", .least = {}, .id = {}, .now = WallTime{5000}});
  const Store store(to.path());
  CHECK(store.replaced() == "");
  CHECK(store.get(TableId::kv, "k") == "old");
}

TEST_CASE("restore: a file that is no database of ours changes nothing", "[state]") {
  const Folder folder;
  std::ofstream(folder.copy() + "/data.mdb") << std::string(8192, 'x');
  CHECK_THROWS_AS(folder.stage(), Failure);
  const Store store(folder.data());
  CHECK(store.get(TableId::kv, "k") == "new");
}

// A start without room for a log fails, and the state before is put aside by then.
TEST_CASE("restore: it is refused where the disk does not take a new log", "[state]") {
  const TemporaryFolder folder;
  const SmallDisk disk(folder.path());
  if (!disk.mounted()) {
    WARN("skipped: this process may not mount a tmpfs");
    return;
  }
  const auto room = state::room_for_log(folder.path(), limits::value_bytes_default);
  REQUIRE_FALSE(room);
  CHECK(room.error().code == Code::unavailable);
  CHECK(room.error().message.find("a log of 25 MiB") != std::string::npos);
  REQUIRE(disk.grow());
  CHECK(state::room_for_log(folder.path(), limits::value_bytes_default));
}

}  // namespace
}  // namespace muster::test
