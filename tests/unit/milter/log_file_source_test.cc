#include "milter/log_file_source.h"

#include "tests/support/scratch_directory.h"

#include <gtest/gtest.h>

#include <sys/stat.h>

#include <chrono>
#include <filesystem>
#include <memory>
#include <optional>
#include <random>
#include <string>

namespace mtrk {
namespace {

using namespace std::chrono_literals;

// Reads `maillog` in a directory of its own; time passes only by advance().
class FileLogSourceTest : public testing::Test {
 protected:
  void open(const std::optional<store::LogCursor>& resume = std::nullopt) {
    source_.emplace(directory_.path("maillog"), resume, counters_);
  }
  void reopen() { open(cursor_); }

  // All that can be had now, as one string; `cursor_` is what would be stored.
  std::string read() {
    std::string all;
    while (std::optional<LogLines> lines = source_->next(now_)) {
      all += lines->lines;
      cursor_ = lines->cursor;
    }
    return all;
  }
  // The same over all files, however long a rotated one is waited for.
  std::string read_patiently() {
    std::string all = read();
    while (source_->settling()) {
      advance(FileLogSource::kGrace);
      all += read();
    }
    return all;
  }
  void advance(FileLogSource::Clock::duration by) { now_ += by; }

  void append(std::string_view text) { directory_.append("maillog", text); }
  void rotate() {  // rename and create, numbered
    for (int i = 8; i > 0; --i) {
      const std::string from = "maillog." + std::to_string(i);
      if (std::filesystem::exists(directory_.path(from))) {
        directory_.rename(from, "maillog." + std::to_string(i + 1));
      }
    }
    directory_.rename("maillog", "maillog.1");
    directory_.write("maillog", "");
  }
  // rename and gzip do not change a file's modification time; tests are faster than its resolution
  void set_age(std::string_view name, std::chrono::seconds age) {
    std::filesystem::last_write_time(directory_.path(name),
                                     std::filesystem::file_time_type::clock::now() - age);
  }

  test::ScratchDirectory directory_;
  Counters counters_;
  std::optional<FileLogSource> source_;
  std::optional<store::LogCursor> cursor_;
  FileLogSource::Clock::time_point now_{1000s};
};

TEST_F(FileLogSourceTest, WithoutAPositionItBeginsAtTheEnd) {
  append("old\n");
  open();
  append("new\n");
  EXPECT_EQ(read(), "new\n");
}

TEST_F(FileLogSourceTest, ALineUnderWayAtTheStartIsStillToCome) {
  append("old\nhal");
  open();
  EXPECT_EQ(source_->cursor().offset, 4U);
  append("f\n");
  EXPECT_EQ(read(), "half\n");
}

TEST_F(FileLogSourceTest, AFileThatAppearsLaterIsReadFromItsStart) {
  open();
  EXPECT_EQ(source_->cursor().inode, 0U);
  EXPECT_EQ(read(), "");
  append("first\n");
  EXPECT_EQ(read(), "first\n");
}

TEST_F(FileLogSourceTest, ContinuesAtAPosition) {
  append("old\n");
  open();
  append("one\ntwo\n");
  EXPECT_EQ(read(), "one\ntwo\n");
  append("three\n");
  reopen();
  EXPECT_EQ(read(), "three\n");
  EXPECT_EQ(counters_.gaps, 0U);
}

// B4
TEST_F(FileLogSourceTest, HalfALineWaitsForItsLineFeed) {
  append("");
  directory_.write("maillog", "");
  open();
  const std::string text = "first line\nsecond line\n";
  std::string got;
  for (const char octet : text) {
    append(std::string(1, octet));
    const std::string lines = read();
    EXPECT_TRUE(lines.empty() || lines.back() == '\n');
    got += lines;
  }
  EXPECT_EQ(got, text);
}

// B5
TEST_F(FileLogSourceTest, LinesThatAreTooLongAreSkippedAndCounted) {
  directory_.write("maillog", "");
  open();
  append("before\n" + std::string(300'000, 'x'));
  EXPECT_EQ(read(), "before\n");
  append(std::string(300'000, 'y'));
  EXPECT_EQ(read(), "");
  append("\nafter\n");
  EXPECT_EQ(read(), "after\n");
  EXPECT_EQ(counters_.truncated, 1U);
}

TEST_F(FileLogSourceTest, AnyOctetsPass) {
  directory_.write("maillog", "");
  open();
  const std::string line("a\0b\xff\xc3\n", 6);
  append(line);
  EXPECT_EQ(read(), line);
}

TEST_F(FileLogSourceTest, LargeFilesComeInChunksOfWholeLines) {
  directory_.write("maillog", "");
  open();
  std::string text;
  for (int i = 0; text.size() < 3 * FileLogSource::kChunk; ++i) {
    text += "line " + std::to_string(i) + "\n";
  }
  append(text);
  EXPECT_EQ(read(), text);
  EXPECT_EQ(cursor_->offset, text.size());
}

// B1
TEST_F(FileLogSourceTest, RotationReadsTheOldFileToItsEndFirst) {
  append("old\n");
  open();
  append("one\n");
  rotate();
  directory_.append("maillog.1", "two\n");  // the logger has not reopened its file yet
  EXPECT_EQ(read(), "one\ntwo\n");
  append("four\n");
  EXPECT_EQ(read(), "");
  directory_.append("maillog.1", "three\n");
  EXPECT_EQ(read(), "three\n");
  EXPECT_EQ(read(), "");
  advance(FileLogSource::kShortGrace);
  EXPECT_EQ(read(), "four\n");
  EXPECT_FALSE(source_->settling());
}

TEST_F(FileLogSourceTest, AnEmptyNewFileIsAwaitedLonger) {
  append("old\n");
  open();
  rotate();
  EXPECT_EQ(read(), "");
  advance(FileLogSource::kShortGrace);
  EXPECT_EQ(read(), "");
  EXPECT_TRUE(source_->settling());
  advance(FileLogSource::kGrace);
  EXPECT_EQ(read(), "");
  EXPECT_FALSE(source_->settling());
  // The position moved with it, so that the old file may be compressed now.
  directory_.remove("maillog.1");
  append("new\n");
  reopen();
  EXPECT_EQ(read(), "new\n");
  EXPECT_EQ(counters_.gaps, 0U);
}

TEST_F(FileLogSourceTest, SeveralRotationsBetweenTwoLooksLoseNothing) {
  append("old\n");
  open();
  EXPECT_EQ(read(), "");
  append("one\n");
  set_age("maillog", 30s);
  rotate();
  append("two\n");
  set_age("maillog", 20s);
  rotate();
  append("three\n");
  set_age("maillog", 10s);
  rotate();
  append("four\n");
  EXPECT_EQ(read_patiently(), "one\ntwo\nthree\nfour\n");
  EXPECT_EQ(counters_.gaps, 0U);
}

TEST_F(FileLogSourceTest, AFileRemovedAndCreatedAgainIsRead) {
  append("old\n");
  open();
  append("one\n");
  EXPECT_EQ(read(), "one\n");
  directory_.remove("maillog");
  EXPECT_EQ(read(), "");
  append("two\n");
  std::string all = read();
  advance(FileLogSource::kShortGrace);
  EXPECT_EQ(all + read(), "two\n");
}

// B2
TEST_F(FileLogSourceTest, RotatedThreeTimesWhileDown) {
  append("old\n");
  open();
  append("one\n");
  EXPECT_EQ(read(), "one\n");
  append("two\n");
  set_age("maillog", 300s);
  rotate();
  append("three\n");
  set_age("maillog", 200s);
  rotate();
  append("four\n");
  set_age("maillog", 100s);
  rotate();
  append("five\n");
  reopen();
  std::string all = read();
  advance(FileLogSource::kGrace);
  EXPECT_EQ(all + read(), "two\nthree\nfour\nfive\n");
  EXPECT_EQ(counters_.gaps, 0U);
}

TEST_F(FileLogSourceTest, DatedNamesAreSiblingsToo) {
  append("old\n");
  open();
  append("one\n");
  EXPECT_EQ(read(), "one\n");
  append("two\n");
  set_age("maillog", 300s);
  directory_.rename("maillog", "maillog.20261121-164922");
  append("three\n");
  set_age("maillog", 200s);
  directory_.rename("maillog", "maillog-20261122");
  append("four\n");
  directory_.write("maillogger", "not a sibling\n");
  directory_.write("mail", "neither\n");
  reopen();
  std::string all = read();
  advance(FileLogSource::kGrace);
  EXPECT_EQ(all + read(), "two\nthree\nfour\n");
}

TEST_F(FileLogSourceTest, ACompressedFileIsAGapAndTheOthersAreRead) {
  append("old\n");
  open();
  append("one\n");
  EXPECT_EQ(read(), "one\n");
  append("lost\n");
  directory_.remove("maillog");
  directory_.write("maillog.3.gz", "\x1f\x8b");
  set_age("maillog.3.gz", 300s);
  directory_.write("maillog.4.gz", "\x1f\x8b");
  set_age("maillog.4.gz", 400s);
  directory_.write("maillog.2", "two\n");
  set_age("maillog.2", 200s);
  directory_.write("maillog.1", "three\n");
  set_age("maillog.1", 100s);
  append("four\n");
  reopen();
  std::string all = read();
  advance(FileLogSource::kGrace);
  EXPECT_EQ(all + read(), "two\nthree\nfour\n");
  EXPECT_EQ(counters_.gaps, 1U);
}

TEST_F(FileLogSourceTest, APositionInAFileThatIsGoneMeansAGapAndThePresentFile) {
  append("old\n");
  open();
  append("one\n");
  EXPECT_EQ(read(), "one\n");
  directory_.remove("maillog");
  directory_.write("maillog.1", "read long ago\n");
  append("two\n");
  reopen();
  EXPECT_EQ(read(), "two\n");
  EXPECT_EQ(counters_.gaps, 1U);
}

// B3
TEST_F(FileLogSourceTest, CopytruncateGoesOnWithTheCopyThenTheStart) {
  append("old\n");
  open();
  append("one\n");
  EXPECT_EQ(read(), "one\n");
  append("two\n");
  std::filesystem::copy_file(directory_.path("maillog"), directory_.path("maillog.1"));
  directory_.write("maillog", "");
  EXPECT_EQ(read(), "two\n");
  append("three\n");
  EXPECT_EQ(read(), "three\n");
  EXPECT_EQ(counters_.gaps, 1U);  // what came between copy and truncation is lost
}

TEST_F(FileLogSourceTest, TruncatedAndGrownBeyondThePositionIsNoticed) {
  append("old line of some length\n");
  open();
  EXPECT_EQ(read(), "");
  directory_.write("maillog", "completely different and longer\n");
  EXPECT_EQ(read(), "completely different and longer\n");
  EXPECT_EQ(counters_.gaps, 1U);
}

TEST_F(FileLogSourceTest, TruncatedWhileDown) {
  append("old\nolder\n");
  open();
  append("one\n");
  EXPECT_EQ(read(), "one\n");
  directory_.write("maillog", "new\n");
  reopen();
  EXPECT_EQ(read(), "new\n");
  EXPECT_EQ(counters_.gaps, 1U);
}

TEST_F(FileLogSourceTest, CopyTruncatedWhileDownIsFoundByContent) {
  append("old\n");
  open();
  append("one\n");
  EXPECT_EQ(read(), "one\n");
  append("two\n");
  std::filesystem::copy_file(directory_.path("maillog"), directory_.path("maillog.1"));
  directory_.write("maillog", "three\n");
  reopen();
  std::string all = read();
  advance(FileLogSource::kGrace);
  EXPECT_EQ(all + read(), "two\nthree\n");
}

TEST_F(FileLogSourceTest, WarmUpGivesWholeLinesBeforeThePosition) {
  std::string text;
  for (int i = 0; text.size() < FileLogSource::kWarmUp + 1000; ++i) {
    text += "line " + std::to_string(i) + "\n";
  }
  append(text);
  open();
  const std::optional<LogLines> before = source_->warm_up();
  ASSERT_TRUE(before);
  EXPECT_TRUE(before->warm_up);
  EXPECT_LE(before->lines.size(), FileLogSource::kWarmUp);
  EXPECT_GT(before->lines.size(), FileLogSource::kWarmUp - 100);
  EXPECT_TRUE(text.ends_with(before->lines));
  EXPECT_EQ(before->lines.substr(0, 5), "line ");
}

TEST_F(FileLogSourceTest, WarmUpReachesBackOverRotations) {
  append("one\n");
  set_age("maillog", 20s);
  rotate();
  append("two\n");
  set_age("maillog", 10s);
  open();
  rotate();
  directory_.append("maillog.1", "tor");
  append("three\n");
  EXPECT_EQ(source_->warm_up()->lines, "one\ntwo\n");
  (void)read();
  advance(FileLogSource::kGrace);
  EXPECT_EQ(read(), "three\n");
  reopen();
  EXPECT_EQ(source_->warm_up()->lines, "one\ntwo\nthree\n");
}

// Killed anywhere = not killed: whatever is done to the files, and wherever the follower is
// restarted at the position it had stored, every line comes once and in order.
TEST_F(FileLogSourceTest, RestartsAnywhereAreNotNoticed) {
  for (unsigned seed = 0; seed < 60; ++seed) {
    const test::ScratchDirectory directory;
    std::mt19937 random(seed);
    const auto one_in = [&](unsigned n) { return random() % n == 0; };
    directory.write("maillog", "");
    std::optional<FileLogSource> source;
    source.emplace(directory.path("maillog"), std::nullopt, counters_);
    store::LogCursor stored = source->cursor();
    std::string written;
    std::string got;
    int generation = 0;
    int serial = 0;
    const auto step = [&] {
      if (std::optional<LogLines> lines = source->next(now_)) {
        got += lines->lines;
        stored = lines->cursor;
      } else {
        advance(100ms);
      }
    };
    for (int i = 0; i < 400; ++i) {
      const std::string line = std::to_string(seed) + " line " + std::to_string(serial++) + "\n";
      const std::size_t half = random() % line.size();
      directory.append("maillog", line.substr(0, half));
      if (one_in(3)) {
        step();
      }
      directory.append("maillog", line.substr(half));
      written += line;
      if (one_in(20)) {
        // Old enough for the order of the files to show.
        std::filesystem::last_write_time(
            directory.path("maillog"),
            std::filesystem::file_time_type::clock::now() - 3600s + generation * 1s);
        directory.rename("maillog", "maillog." + std::to_string(100 + generation++));
        directory.write("maillog", "");
      }
      if (one_in(15)) {
        source.emplace(directory.path("maillog"), stored, counters_);
      }
    }
    for (int i = 0; i < 400; ++i) {
      step();
    }
    ASSERT_EQ(got, written) << "seed " << seed;
  }
  EXPECT_EQ(counters_.gaps, 0U);
}

}  // namespace
}  // namespace mtrk
