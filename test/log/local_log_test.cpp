// local_log: what is recovered, what is cut, what is refused.
#include "broker/log/local_log.hpp"

#include <filesystem>
#include <fstream>

#include "test/support/catch.hpp"
#include "test/support/temporary.hpp"

namespace muster::test {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t segment_bytes = 16 * 1024;

struct Listener final : log::Listener {
  int committed = 0;
  void on_committed() override { ++committed; }
  void on_deposed() override { FAIL("deposed"); }
};

struct Place {
  TemporaryFolder folder;
  std::string path = folder.path() + "/log";

  log::Options options(std::uint64_t applied = 0, bool accept_loss = false) const {
    return {.folder = path,
            .segment_bytes = segment_bytes,
            .applied = Seq{applied},
            .applied_rev = Revision{2 * applied},
            .accept_loss = accept_loss};
  }
  /// Records 1..count, each of two revisions; the last is `count` long in its own way.
  void fill(std::uint64_t count) {
    log::LocalLog log(options());
    append(log, count);
  }
  static void append(log::LocalLog& log, std::uint64_t until) {
    Listener listener;
    for (std::uint64_t seq = log.last().value + 1; seq <= until; ++seq) {
      log.append({.seq = Seq{seq},
                  .first_rev = Revision{2 * seq - 1},
                  .last_rev = Revision{2 * seq},
                  .bytes = bytes_of(seq)},
                 listener);
    }
  }
  static std::string bytes_of(std::uint64_t seq) {
    return "record " + std::to_string(seq) + std::string(seq % 50, 'x');
  }
  std::string newest() const {
    std::string last;
    for (const auto& file : fs::directory_iterator(path)) {
      if (file.path().extension() == ".log") last = std::max(last, file.path().string());
    }
    return last;
  }
  void write(const std::string& file, const std::string& content) const {
    std::ofstream(file, std::ios::binary) << content;
  }
};

std::uint64_t count_of(const log::LocalLog& log) {
  std::uint64_t next = log.first().value;
  log.read(log.first(), [&](const log::Entry& entry) {
    CHECK(entry.seq.value == next);
    CHECK(entry.bytes == Place::bytes_of(next));
    ++next;
    return true;
  });
  return next - log.first().value;
}

std::size_t end_of(const std::string& content) { return content.find_last_not_of('\0') + 1; }

TEST_CASE("log: what was appended is read back after a reopen, over several segments", "[log]") {
  Place place;
  place.fill(500);
  const log::LocalLog log(place.options());
  CHECK(log.last() == Seq{500});
  CHECK(log.next_floor() > log.first());
  CHECK(count_of(log) == 500);
}

TEST_CASE("log: seek finds the record of every revision, read starts anywhere", "[log]") {
  Place place;
  place.fill(300);
  const log::LocalLog log(place.options());
  for (std::uint64_t rev = 0; rev < 600; ++rev) CHECK(log.seek(Revision{rev}) == Seq{rev / 2 + 1});
  CHECK(log.seek(Revision{600}) == Seq{301});
  for (std::uint64_t from = 1; from <= 300; from += 7) {
    log.read(Seq{from}, [&](const log::Entry& entry) {
      CHECK(entry.seq == Seq{from});
      return false;
    });
  }
}

TEST_CASE("log: cut at every byte of its last three records, it keeps the whole ones and goes on",
          "[log]") {
  Place place;
  place.fill(20);
  const std::string file = place.newest();
  const std::string whole = log::load(file);
  const std::size_t end = end_of(whole);
  const std::size_t start = end - 3 * (log::frame_bytes + 30);
  for (std::size_t cut = start; cut < end; ++cut) {
    std::string torn = whole;
    std::fill(torn.begin() + static_cast<std::ptrdiff_t>(cut), torn.end(), '\0');
    place.write(file, torn);
    log::LocalLog log(place.options());
    CAPTURE(cut, log.last().value);
    CHECK(log.last().value >= 16);
    CHECK(log.last().value < 20);
    CHECK(count_of(log) == log.last().value);
    Place::append(log, 21);
    CHECK(count_of(log) == 21);
  }
}

TEST_CASE("log: one flipped byte in the middle is damage: refused with file and offset", "[log]") {
  Place place;
  place.fill(20);
  const std::string file = place.newest();
  const std::string whole = log::load(file);
  const std::size_t middle = end_of(whole) / 2;
  for (std::size_t at = middle; at < middle + 120; ++at) {
    std::string bad = whole;
    bad[at] = static_cast<char>(bad[at] ^ 0x40);
    place.write(file, bad);
    CAPTURE(at);
    try {
      const log::LocalLog log(place.options());
      FAIL("it opened");
    } catch (const Failure& failure) {
      const std::string what = failure.what();
      CHECK(what.find(file) != std::string::npos);
      CHECK(what.find("offset") != std::string::npos);
      CHECK(what.find("--accept-loss") != std::string::npos);
    }
  }
}

TEST_CASE("log: accept_loss gives up what follows the damage, says so, and goes on", "[log]") {
  Place place;
  place.fill(500);
  const std::string file = place.newest();
  std::string bad = log::load(file);
  bad[log::header_bytes + 40] ^= 1;
  place.write(file, bad);
  CHECK_THROWS_AS(log::LocalLog(place.options()), Failure);
  std::uint64_t last = 0;
  {
    log::LocalLog log(place.options(0, true));
    CHECK_FALSE(log.recovery().lost.empty());
    last = log.last().value;
    CHECK(last < 500);
    Place::append(log, last + 1);
  }
  CHECK(count_of(log::LocalLog(place.options())) == last + 1);
}

TEST_CASE("log: one that ends before the state is refused, and replaced only when loss is accepted",
          "[log]") {
  Place place;
  place.fill(20);
  CHECK_THROWS_AS(log::LocalLog(place.options(25)), Failure);
  log::LocalLog log(place.options(25, true));
  CHECK(log.last() == Seq{25});
  CHECK(log.first() == Seq{26});
  Place::append(log, 26);
  CHECK(log.seek(Revision{50}) == Seq{26});
}

TEST_CASE("log: a missing segment in the middle is refused", "[log]") {
  Place place;
  place.fill(900);
  std::vector<std::string> files;
  for (const auto& file : fs::directory_iterator(place.path)) files.push_back(file.path().string());
  std::sort(files.begin(), files.end());
  REQUIRE(files.size() > 3);
  fs::remove(files[1]);
  CHECK_THROWS_AS(log::LocalLog(place.options()), Failure);
}

TEST_CASE("log: a newer format is refused", "[log]") {
  Place place;
  place.fill(3);
  std::string newer = log::load(place.newest());
  newer[8] = 9;
  place.write(place.newest(), newer);
  try {
    const log::LocalLog log(place.options());
    FAIL("it opened");
  } catch (const Failure& failure) {
    CHECK(std::string(failure.what()).find("format 9") != std::string::npos);
  }
}

TEST_CASE("log: trim drops whole segments below the floor, oldest first, and no record above it",
          "[log]") {
  Place place;
  place.fill(900);
  log::LocalLog log(place.options());
  const Seq floor = log.next_floor();
  log.trim(Seq{floor.value - 1});
  CHECK(log.first() == Seq{1});
  log.trim(floor);
  CHECK(log.first() == floor);
  CHECK_FALSE(log.read(Seq{1}, [](const log::Entry&) { return true; }));
  CHECK(count_of(log) == 900 - floor.value + 1);
}

TEST_CASE("log: segments are made ahead by a job; a refusal leaves room for urgent writes only",
          "[log]") {
  Place place;
  log::LocalLog log(place.options());
  CHECK(log.room() == log::Room::all);
  REQUIRE(log.wants_segment());
  log.segment_job();
  log.segment_refused();
  CHECK(log.room() == log::Room::urgent);
  const auto job = log.segment_job();
  job();
  log.segment_made();
  CHECK(log.room() == log::Room::all);
}

TEST_CASE("log: an append that cannot be written ends the process' promise", "[log]") {
  Place place;
  log::LocalLog log(place.options());
  fs::remove_all(place.path);  // the next segment cannot be made there
  CHECK_THROWS_AS(Place::append(log, 900), log::AppendFailure);
}

}  // namespace
}  // namespace muster::test
