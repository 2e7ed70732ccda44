#include "milter/log/file_source.h"

#include "tests/support/scratch_directory.h"

#include <gtest/gtest.h>

#include <sys/stat.h>

#include <chrono>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

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

TEST_F(FileLogSourceTest, HalfALineWaitsForItsLineFeed) {  // THR-B4
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

TEST_F(FileLogSourceTest, LinesThatAreTooLongAreSkippedAndCounted) {  // THR-B5
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

TEST_F(FileLogSourceTest, AnyOctetsPass) {  // THR-B5
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

TEST_F(FileLogSourceTest, RotationReadsTheOldFileToItsEndFirst) {  // THR-B1
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

TEST_F(FileLogSourceTest, RotatedThreeTimesWhileDown) {  // THR-B2
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

TEST_F(FileLogSourceTest, ACompressedFileIsAGapAndTheOthersAreRead) {  // THR-B2
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

TEST_F(FileLogSourceTest, CopytruncateGoesOnWithTheCopyThenTheStart) {  // THR-B3
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

// The inode of a generation that was deleted is given out to the next log file.
TEST_F(FileLogSourceTest, ReusedInodesAreNewFiles) {  // THR-B1
  append("line 0\n");
  open();
  std::string got;
  std::string written;
  int number = 1;
  for (int round = 0; round < 20; ++round) {
    // Two rotations between two looks; of the old ones only one is kept.
    for (int i = 0; i < 2; ++i) {
      const std::string line = "line " + std::to_string(number++) + "\n";
      append(line);
      written += line;
      set_age("maillog", std::chrono::seconds(1000 - number));
      directory_.remove("maillog.2");
      if (std::filesystem::exists(directory_.path("maillog.1"))) {
        directory_.rename("maillog.1", "maillog.2");
      }
      directory_.rename("maillog", "maillog.1");
      directory_.write("maillog", "");
    }
    got += read_patiently();
  }
  EXPECT_EQ(got, written);
}

// What comes after the grace, from a logger that was told late.
TEST_F(FileLogSourceTest, AVeryLateLineOfTheOldFileIsReadAllTheSame) {  // THR-B1
  append("old\n");
  open();
  rotate();
  append("new\n");
  EXPECT_EQ(read_patiently(), "new\n");
  EXPECT_FALSE(source_->settling());
  directory_.append("maillog.1", "late\n");
  EXPECT_EQ(read(), "late\n");
  append("newer\n");
  EXPECT_EQ(read(), "newer\n");
  reopen();
  EXPECT_EQ(read(), "");
  EXPECT_EQ(counters_.gaps, 0U);
}

TEST_F(FileLogSourceTest, TheHoleOfAWriterThatDoesNotAppendIsSkipped) {  // THR-B5
  append("old\n");
  open();
  append("one\n");
  EXPECT_EQ(read(), "one\n");
  directory_.write("maillog", std::string(1'000'000, '\0') + "two\n");
  EXPECT_EQ(read(), "two\n");
  EXPECT_EQ(counters_.truncated, 0U);
}

TEST_F(FileLogSourceTest, TheRestOfALongLineIsNeverReadAsALine) {  // THR-B5
  append(std::string(200'000, 'x'));
  open();
  cursor_ = source_->cursor();
  reopen();  // killed within it
  append("postfix/smtp[1]: forged\nafter\n");
  EXPECT_EQ(read(), "after\n");
}

// The log file, or a first one, appears after the first start, and we are killed before anything
// of it is committed.
TEST_F(FileLogSourceTest, AFileThatAppearsLaterLosesNothingToAKill) {
  for (const bool has_generation : {false, true}) {
    const test::ScratchDirectory directory;
    if (has_generation) {
      directory.write("maillog.1", "long ago\n");
    }
    store::LogCursor stored;
    {
      FileLogSource first(directory.path("maillog"), std::nullopt, counters_);
      stored = first.cursor();
    }
    if (has_generation) {
      directory.append("maillog.1", "zero\n");  // its logger has not reopened
      std::filesystem::rename(directory.path("maillog.1"), directory.path("maillog.2"));
    }
    directory.write("maillog.1", "one\n");
    directory.write("maillog", "two\n");
    FileLogSource second(directory.path("maillog"), stored, counters_);
    std::string got;
    do {
      while (const std::optional<LogLines> lines = second.next(now_)) {
        got += lines->lines;
      }
      advance(FileLogSource::kGrace);
    } while (second.settling());
    EXPECT_EQ(got, has_generation ? "zero\none\ntwo\n" : "one\ntwo\n");
  }
  EXPECT_EQ(counters_.gaps, 0U);
}

}  // namespace
}  // namespace mtrk
