// journal: what a daemon finds after its end, whatever kind of end that was.
#include "node/journal.hpp"

#include <filesystem>
#include <fstream>
#include <sstream>

#include "test/support/catch.hpp"
#include "test/support/temporary.hpp"

namespace muster::node {
namespace {

const std::vector<Fact> some = {
    {.what = Fact::What::accepted, .job = "a"},
    {.what = Fact::What::stopped, .job = "b"},
    {.what = Fact::What::ended,
     .job = "a",
     .outcome = {.state = "exited",
                 .code = -1,
                 .signal = 9,
                 .duration_ms = 12,
                 .out_bytes = 5,
                 .err_bytes = 6,
                 .message = "why not"}},
    {.what = Fact::What::ended, .job = "c", .outcome = {.state = "lost", .message = "two\nlines"}},
    {.what = Fact::What::done, .job = "a"}};

std::string text_of(const std::vector<Fact>& facts) {
  std::string text;
  for (const Fact& fact : facts) text += line_of(fact);
  return text;
}

std::string content(const std::string& path) {
  std::stringstream all;
  all << std::ifstream(path).rdbuf();
  return all.str();
}

void put(const std::string& path, std::string_view text) { std::ofstream(path) << text; }

}  // namespace

TEST_CASE("journal: facts are lines, there and back", "[node]") {
  CHECK(text_of(some) ==
        "accepted a\n"
        "stopped b\n"
        "ended a exited -1 9 12 5 6 why not\n"
        "ended c lost 0 0 0 0 0 two lines\n"
        "done a\n");
  for (const Fact& fact : some) {
    const std::string line = line_of(fact);
    const auto back = fact_of(std::string_view(line).substr(0, line.size() - 1));
    REQUIRE(back);
    CHECK(line_of(*back) == line);
  }
  for (const char* line : {"", "accepted", "accepted ", "accepted a b", "begun a", "ended a",
                           "ended a exited 1 2 3 4", "ended a exited one 0 0 0 0 ", "done  a"}) {
    CHECK_FALSE(fact_of(line));
  }
}

TEST_CASE("journal: what was noted is there after a restart, and so is the identity", "[node]") {
  const test::TemporaryFolder folder;
  {
    Journal journal(folder.path(), "id-1");
    for (const Fact& fact : some) CHECK(journal.note(fact));
    journal.saw("h", Epoch{3});
    journal.saw("h", Epoch{2});
  }
  Journal journal(folder.path(), "id-2");
  CHECK(text_of(journal.take_facts()) == text_of(some));
  CHECK(journal.identity().id == "id-1");
  CHECK(journal.identity().history == "h");
  CHECK(journal.identity().epoch == Epoch{3});
  journal.saw("other", Epoch{1});
  CHECK(journal.identity().epoch == Epoch{1});
}

TEST_CASE("journal: cut at every byte, whole lines count and the rest was never acted upon",
          "[node]") {
  const test::TemporaryFolder folder;
  const std::string path = folder.path() + "/tasks";
  const std::string whole = text_of(some);
  for (std::size_t bytes = 0; bytes <= whole.size(); ++bytes) {
    put(path, whole.substr(0, bytes));
    const std::size_t newline = whole.rfind('\n', bytes - 1);
    const std::string expected =
        bytes == 0 || newline == std::string::npos ? "" : whole.substr(0, newline + 1);
    Journal journal(folder.path(), "id");
    CHECK(text_of(journal.take_facts()) == expected);
    CHECK(journal.note({.what = Fact::What::accepted, .job = "next"}));
    CHECK(content(path) == expected + "accepted next\n");
  }
}

TEST_CASE("journal: a line that was never written here is refused, by file and number", "[node]") {
  const test::TemporaryFolder folder;
  put(folder.path() + "/tasks",
      "accepted a\nacc\xff"
      "pted b\n");
  try {
    const Journal second(folder.path(), "id");
    FAIL("it was taken");
  } catch (const Failure& failure) {
    CHECK(std::string(failure.what()).starts_with(folder.path() + "/tasks is damaged in line 2"));
  }
}

TEST_CASE("journal: a damaged identity is refused, not replaced", "[node]") {
  const test::TemporaryFolder folder;
  put(folder.path() + "/identity", "id h\n");
  CHECK_THROWS_AS(Journal(folder.path(), "fresh"), Failure);
}

TEST_CASE("journal: one daemon a folder", "[node]") {
  const test::TemporaryFolder folder;
  const Journal first(folder.path(), "id");
  try {
    const Journal second(folder.path(), "id");
    FAIL("it was taken");
  } catch (const Failure& failure) {
    CHECK(std::string(failure.what()) == "another muster-node runs on " + folder.path());
  }
}

TEST_CASE("journal: it is written anew when it has grown, and does not grow from that", "[node]") {
  const test::TemporaryFolder folder;
  Journal journal(folder.path(), "id");
  const Fact fact{.what = Fact::What::done, .job = std::string(limits::job_id_bytes_max, 'x')};
  while (!journal.overgrown()) REQUIRE(journal.note(fact));
  CHECK(content(folder.path() + "/tasks").size() > limits::journal_bytes_max);
  journal.rewrite({fact});
  CHECK_FALSE(journal.overgrown());
  CHECK(journal.note(fact));
  CHECK(content(folder.path() + "/tasks") == line_of(fact) + line_of(fact));
}

TEST_CASE("journal: a folder that cannot be made is one clear line", "[node]") {
  CHECK_THROWS_WITH(Journal("/proc/none/here", "id"),
                    Catch::Matchers::StartsWith("cannot make /proc/none/here: "));
}

}  // namespace muster::node
