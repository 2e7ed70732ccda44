// FileLogSource while others write, rotate and truncate, and while it is killed itself.
#include "common/base/ascii.h"
#include "milter/log/file_source.h"
#include "tests/support/scratch_directory.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace mtrk {
namespace {

using namespace std::chrono_literals;

// Rotates a log under load as logrotate does: .1 becomes .2 and so on, the oldest goes; the writer
// notices a little later.
class LoadedLog {
 public:
  LoadedLog(const test::ScratchDirectory& directory, int keep)
      : directory_(directory), keep_(keep), out_(directory.path("maillog"), std::ios::app) {}

  void write(int lines) {
    for (int i = 0; i < lines; ++i) {
      out_ << "line " << written_++ << '\n';
    }
    out_.flush();
  }
  void reopen() { out_ = std::ofstream(directory_.path("maillog"), std::ios::app); }
  void rename_and_create() {
    std::filesystem::remove(name(keep_));
    for (int i = keep_ - 1; i > 0; --i) {
      if (std::filesystem::exists(name(i))) {
        std::filesystem::rename(name(i), name(i + 1));
      }
    }
    directory_.rename("maillog", "maillog.1");
    directory_.append("maillog", "");
  }
  void copy_and_truncate(int generation) {
    std::filesystem::copy_file(directory_.path("maillog"), name(generation));
    std::filesystem::resize_file(directory_.path("maillog"), 0);
  }
  [[nodiscard]] int written() const { return written_; }

 private:
  [[nodiscard]] std::string name(int generation) const {
    return directory_.path("maillog." + std::to_string(generation));
  }

  const test::ScratchDirectory& directory_;
  int keep_;
  std::ofstream out_;
  int written_ = 0;
};

// The numbers of the lines; -1 for anything else.
std::vector<int> numbers_of(std::string_view lines) {
  std::vector<int> numbers;
  while (!lines.empty()) {
    const std::size_t feed = lines.find('\n');
    const std::string_view line = lines.substr(0, feed);
    numbers.push_back(line.starts_with("line ") ? parse_number<int>(line.substr(5)).value_or(-1)
                                                : -1);
    lines.remove_prefix(feed + 1);
  }
  return numbers;
}

class LogFileLoadTest : public testing::Test {
 protected:
  LogFileLoadTest() {
    directory_.write("maillog", "");
    source_.emplace(directory_.path("maillog"), std::nullopt, counters_);
  }
  // What the source hands out while `work` is at it, and after.
  template <typename Work>
  std::vector<int> follow(Work work) {
    std::atomic<bool> done{false};
    std::thread writer([&] {
      work();
      done = true;
    });
    std::string got;
    const auto collect = [&] {
      while (const std::optional<LogLines> lines = source_->next(LogSource::Clock::now())) {
        got += lines->lines;
      }
    };
    while (!done) {
      collect();
    }
    writer.join();
    do {
      collect();
    } while (source_->settling());
    return numbers_of(got);
  }

  test::ScratchDirectory directory_;
  Counters counters_;
  std::optional<FileLogSource> source_;
};

TEST_F(LogFileLoadTest, RotationUnderLoadLosesNothingAndDoublesNothing) {  // THR-B1
  int written = 0;
  const std::vector<int> numbers = follow([&] {
    LoadedLog log(directory_, 100);
    for (int generation = 0; generation < 40; ++generation) {
      log.write(200);
      log.rename_and_create();
      log.write(50);  // to the old one still
      std::this_thread::sleep_for(5ms);
      log.write(50);
      log.reopen();
    }
    written = log.written();
  });
  ASSERT_EQ(numbers.size(), static_cast<std::size_t>(written));
  EXPECT_TRUE(std::is_sorted(numbers.begin(), numbers.end()));
  EXPECT_EQ(std::set<int>(numbers.begin(), numbers.end()).size(), numbers.size());
  EXPECT_EQ(counters_.gaps, 0U);
}

// What is written between the two steps of copytruncate is lost to everybody; nothing else is, no
// line comes twice, and none is made of two.
TEST_F(LogFileLoadTest, CopytruncateWithFastRefillNeverMixesLines) {  // THR-B3
  int written = 0;
  const std::vector<int> numbers = follow([&] {
    LoadedLog log(directory_, 100);
    for (int generation = 1; generation <= 40; ++generation) {
      log.write(300);
      std::this_thread::sleep_for(3ms);
      log.copy_and_truncate(generation);
      log.write(300 + generation);  // beyond the old position at once
      std::this_thread::sleep_for(3ms);
    }
    written = log.written();
  });
  const std::set<int> distinct(numbers.begin(), numbers.end());  // how many, the scheduler decides
  ASSERT_FALSE(distinct.empty());
  EXPECT_EQ(distinct.size(), numbers.size());
  EXPECT_FALSE(distinct.contains(-1));
  EXPECT_EQ(*distinct.rbegin(), written - 1);
  EXPECT_TRUE(static_cast<int>(distinct.size()) == written || counters_.gaps > 0);
}

// Killed anywhere = not killed: whatever is done to the files, and wherever the follower is
// restarted at the position it had stored, every line comes once and in order.
TEST(LogFileKillTest, RestartsAnywhereAreNotNoticed) {
  Counters counters;
  LogSource::Clock::time_point now{1000s};
  for (unsigned seed = 0; seed < 60; ++seed) {
    const test::ScratchDirectory directory;
    std::mt19937 random(seed);
    const auto one_in = [&](unsigned n) { return random() % n == 0; };
    directory.write("maillog", "");
    std::optional<FileLogSource> source;
    source.emplace(directory.path("maillog"), std::nullopt, counters);
    store::LogCursor stored = source->cursor();
    std::string written;
    std::string got;
    int generation = 0;
    int serial = 0;
    const auto step = [&] {
      if (std::optional<LogLines> lines = source->next(now)) {
        got += lines->lines;
        stored = lines->cursor;
      } else {
        now += 100ms;
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
        source.emplace(directory.path("maillog"), stored, counters);
      }
    }
    for (int i = 0; i < 400; ++i) {
      step();
    }
    ASSERT_EQ(got, written) << "seed " << seed;
  }
  EXPECT_EQ(counters.gaps, 0U);
}

}  // namespace
}  // namespace mtrk
