#include "common/maillog/log_years.h"

#include "common/maillog/log_line.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace mtrk::maillog {
namespace {

TimePoint day(int year, unsigned month, unsigned number) {
  return std::chrono::sys_days(std::chrono::year{year} / std::chrono::month{month} /
                               std::chrono::day{number});
}

struct YearsCase {
  const char* name;
  TimePoint written;
  std::vector<std::string> stamps;
  std::vector<std::string> want;  // days
};

// The day of each line, in the stretch it belongs to.
std::vector<std::string> days_of(const YearsCase& test) {
  std::vector<std::string> lines;
  for (const std::string& stamp : test.stamps) {
    lines.push_back(stamp + " mx postfix/qmgr[1]: 4ABCDEF: removed");
  }
  std::vector<YearSample> samples;
  std::uint64_t offset = 0;
  for (const std::string& line : lines) {
    samples.push_back({offset, line});
    offset += line.size() + 1;
  }
  const std::vector<YearStretch> stretches = find_years(samples, test.written, Minutes(0));
  std::vector<std::string> days;
  for (const YearSample& sample : samples) {
    const std::optional<LogLine> line =
        split_log_line(sample.line, {stretch_at(stretches, sample.offset).reference, Minutes(0)});
    days.push_back(line ? format_rfc3339(std::chrono::floor<Seconds>(line->at)).substr(0, 10)
                        : std::string("none"));
  }
  return days;
}

TEST(LogYearsTest, OrderOfLinesNeverGoesBackByYears) {
  const YearsCase cases[] = {
      {"a line with a year gives it to those before",
       day(2026, 6, 12),
       {"Jun 10 10:00:00", "2024-06-11T10:00:00+00:00", "2026-06-12T10:00:00+00:00"},
       {"2024-06-10", "2024-06-11", "2026-06-12"}},
      {"two Decembers",
       day(2026, 1, 2),
       {"Dec 30 10:00:00", "Jan  2 10:00:00", "Dec 30 10:00:00", "Jan  2 10:00:00"},
       {"2024-12-30", "2025-01-02", "2025-12-30", "2026-01-02"}},
      {"three years, a line a season",
       day(2026, 8, 1),
       {"May  1 10:00:00", "Sep  1 10:00:00", "Jan  1 10:00:00", "May  1 10:00:00",
        "Sep  1 10:00:00", "Jan  1 10:00:00", "May  1 10:00:00"},
       {"2024-05-01", "2024-09-01", "2025-01-01", "2025-05-01", "2025-09-01", "2026-01-01",
        "2026-05-01"}},
      {"within a year as ever",
       day(2026, 11, 22),
       {"Dec 24 10:00:00", "Jan  3 10:00:00", "Nov 21 10:00:00"},
       {"2025-12-24", "2026-01-03", "2026-11-21"}},
      {"a little disorder",
       day(2026, 1, 1),
       {"Jan  1 00:00:01", "Dec 31 23:59:59", "Jan  1 00:00:02"},
       {"2026-01-01", "2025-12-31", "2026-01-01"}},
      {"the newer file in front of the older one",
       day(2026, 11, 22),
       {"Nov 15 10:00:00", "Nov 21 10:00:00", "Nov  8 10:00:00", "Nov 14 10:00:00"},
       {"2026-11-15", "2026-11-21", "2026-11-08", "2026-11-14"}},
      {"a new time of the file: the year before is nearer",
       day(2026, 11, 30),
       {"2024-06-11T10:00:00+00:00", "Jun 12 10:00:00", "Jun 13 10:00:00"},
       {"2024-06-11", "2024-06-12", "2024-06-13"}},
      {"changed back to stamps without a year",
       day(2026, 6, 12),
       {"2024-06-11T10:00:00+00:00", "Jan  5 10:00:00", "Jun 12 10:00:00"},
       {"2024-06-11", "2026-01-05", "2026-06-12"}},
      {"the years of stamps with one are theirs",
       day(2026, 6, 12),
       {"2021-06-11T10:00:00Z", "2020 Nov 21 10:00:00", "Nov 21 2022 10:00:00"},
       {"2021-06-11", "2020-11-21", "2022-11-21"}},
      {"traditional until the change, for more than a year",
       day(2026, 6, 12),
       {"Mar  1 10:00:00", "Nov 20 10:00:00", "Feb 20 10:00:00", "Nov  1 10:00:00",
        "2024-06-11T10:00:00+00:00"},
       {"2022-03-01", "2022-11-20", "2023-02-20", "2023-11-01", "2024-06-11"}},
      {"29 February of a leap year long ago",
       day(2026, 6, 12),
       {"Feb 28 10:00:00", "Feb 29 10:00:00", "2024-03-01T10:00:00Z"},
       {"2024-02-28", "2024-02-29", "2024-03-01"}},
      {"lines without a header do not matter",
       day(2026, 6, 12),
       {"Jun 10 10:00:00", "no header", "2024-06-11T10:00:00+00:00"},
       {"2024-06-10", "none", "2024-06-11"}},
  };
  for (const YearsCase& test : cases) {
    EXPECT_EQ(days_of(test), test.want) << test.name;
  }
}

TEST(LogYearsTest, WithoutLinesThereIsOneStretch) {
  const std::vector<YearStretch> stretches = find_years({}, day(2026, 1, 1), Minutes(0));
  ASSERT_EQ(stretches.size(), 1U);
  EXPECT_EQ(stretch_at(stretches, 12345).reference, day(2026, 1, 1));
}

}  // namespace
}  // namespace mtrk::maillog
