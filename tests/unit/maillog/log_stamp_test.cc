#include "common/maillog/log_stamp.h"

#include "common/maillog/month_names.h"

#include <gtest/gtest.h>

#include <string>

namespace mtrk::maillog {
namespace {

const TimePoint kWritten = std::chrono::sys_days(std::chrono::year{2026} / 11 / 22);

std::string read(std::string_view text, Minutes zone = Minutes(0)) {
  const std::optional<LogStamp> stamp = take_stamp(text, {kWritten, zone}, TimePoint::min());
  return stamp ? format_rfc3339(stamp->at) + (stamp->dated ? " " : " undated ") + std::string(text)
               : "none";
}

TEST(LogStampTest, MonthsHaveTheWordsOfTheirLanguages) {
  for (const std::string_view language :
       {"Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec",
        "January February March April May June July August September October November December",
        "Jan Feb Mär Apr Mai Jun Jul Aug Sep Okt Nov Dez",
        "Jänner Februar März April Mai Juni Juli August September Oktober November Dezember",
        "janv févr mars avril mai juin juil août sept oct nov déc",
        "ene feb mar abr may jun jul ago sep oct nov dic",
        "gen febr març abr maig juny jul ag set oct nov des",
        "gen feb mar apr mag giu lug ago set ott nov dic",
        "jan fev mar abr mai jun jul ago set out nov dez",
        "jan feb mrt apr mei jun jul aug sep okt nov dec",
        "sty lut mar kwi maj cze lip sie wrz paź lis gru",
        "led úno bře dub kvě čen čec srp zář říj lis pro",
        "jan feb mar apr maj jun jul aug sep okt nov dec",
        "jan feb mars april mai juni juli aug sep okt nov des",
        "tammi helmi maalis huhti touko kesä heinä elo syys loka marras joulu",
        "Ιαν Φεβ Μάρ Απρ Μάι Ιούν Ιούλ Αύγ Σεπ Οκτ Νοέ Δεκ",
        "янв фев мар апр мая июн июл авг сен окт ноя дек",
        "яну фев мар апр май юни юли авг сеп окт ное дек",
        "січ лют бер кві тра чер лип сер вер жов лис гру",
        "jan febr márc ápr máj jún júl aug szept okt nov dec",
        "ian feb mar apr mai iun iul aug sep oct noi dec",
        "Oca Şub Mar Nis May Haz Tem Ağu Eyl Eki Kas Ara",
        "jaan veebr märts apr mai juuni juuli aug sept okt nov dets",
        "saus vas kov bal geg birž liep rugp rugs spal lapkr gruod"}) {
    std::string_view rest = language;
    for (unsigned month = 1; month <= 12; ++month) {
      const std::string_view word = rest.substr(0, rest.find(' '));
      EXPECT_EQ(month_of(word), month) << word;
      rest.remove_prefix(std::min(word.size() + 1, rest.size()));
    }
  }
  for (const std::string_view word : {"", "mx", "Mon", "Sat", "|", "jan|", "warning", "no"}) {
    EXPECT_EQ(month_of(word), 0U) << word;
  }
}

TEST(LogStampTest, ReadsTheFormsThatAreKnown) {
  const std::string dated = "2026-11-21T16:54:11Z mx";
  const std::string undated = "2026-11-21T16:54:11Z undated mx";
  for (const std::string_view text :
       {"2026-11-21T16:54:11 mx",          "2026-11-21 16:54:11 mx",
        "2026-11-21T16:54:11Z mx",         "2026-11-21T17:54:11+01 mx",
        "2026-11-21T17:54:11+0100 mx",     "2026-11-21T17:54:11+01:00 mx",
        "2026-11-21 17:54:11 +0100 mx",    "2026-11-21 17:54:11 CET  mx",
        "2026/11/21 16:54:11 mx",          "2026.11.21 16:54:11 mx",
        "2026-11-21 11:54:11 -05:00 mx",   "Sat 2026-11-21 16:54:11 UTC mx",
        "Sa. 2026-11-21 17:54:11 CET mx",  "Sat, 21 Nov 2026 16:54:11 +0000 mx",
        "Sat Nov 21 16:54:11 2026 mx",     "Sat Nov 21 16:54:11 UTC 2026 mx",
        "Nov 21 2026 16:54:11 mx",         "Nov 21, 2026 16:54:11 mx",
        "2026 Nov 21 16:54:11 mx",         "21 Nov 2026 16:54:11 mx",
        "21-Nov-2026 16:54:11 mx",         "21/Nov/2026:16:54:11 +0000 mx",
        "21.11.2026 16:54:11 mx",          "[2026-11-21 16:54:11] mx",
        "[21/Nov/2026:16:54:11 +0000] mx", "1795280051 mx",
        "2026-11-21T16:54:11: mx",         "土 2026-11-21 16:54:11 UTC mx",
        "2026-11-21_16:54:11 mx",          "mar 2026-11-21 16:54:11 UTC mx",
        "2026-11-21\t16:54:11\tmx"}) {
    EXPECT_EQ(read(text), dated) << text;
  }
  for (const std::string_view text :
       {"Nov 21 16:54:11 mx", "nov. 21 16:54:11 mx", "Nov  21 16:54:11  mx", "21 Nov 16:54:11 mx",
        "21. Nov 16:54:11 mx", "Sat Nov 21 16:54:11 mx", "11月 21 16:54:11 mx",
        "11월 21 16:54:11 mx", "Nov 21 17:54:11 CET mx", "Nov 21 16:54:11: mx",
        "marras 21 16:54:11 mx"}) {
    EXPECT_EQ(read(text), undated) << text;
  }
  EXPECT_EQ(read("Nov 9 16:54:11 mx"), "2026-11-09T16:54:11Z undated mx");
  EXPECT_EQ(read("Nov 21 16:54:11.985366 mx"), "2026-11-21T16:54:11.985366Z undated mx");
  EXPECT_EQ(read("2026-11-21 16:54:11,985 mx"), "2026-11-21T16:54:11.985000Z mx");
  EXPECT_EQ(read("1795280051.985366 mx"), "2026-11-21T16:54:11.985366Z mx");
}

TEST(LogStampTest, WithoutAZoneItIsThisMachines) {
  EXPECT_EQ(read("2026-11-21T16:54:11 mx", Minutes(60)), "2026-11-21T15:54:11Z mx");
  EXPECT_EQ(read("Nov 21 16:54:11.5 mx", Minutes(60)), "2026-11-21T15:54:11.500000Z undated mx");
  EXPECT_EQ(read("2026-11-21 16:54:11 UTC mx", Minutes(60)), "2026-11-21T16:54:11Z mx");
  EXPECT_EQ(read("2026-11-21 16:54:11 MX mx", Minutes(60)), "2026-11-21T15:54:11Z MX mx");
}

TEST(LogStampTest, RefusesWhatIsNone) {
  for (const std::string_view text : {"",
                                      "mx",
                                      "21",
                                      "2026",
                                      "2026-11-21",
                                      "16:54:11 mx",
                                      "2026-11-21T16:54:11",
                                      "2026-13-21 16:54:11 mx",
                                      "2026-11-31 16:54:11 mx",
                                      "Nov 31 16:54:11 mx",
                                      "Nov 21 24:54:11 mx",
                                      "Nov 21 16:60:11 mx",
                                      "Nov 21 16:54 mx",
                                      "Nov 21 16:54:1 mx",
                                      "Nov 211 16:54:11 mx",
                                      "Foo 21 16:54:11 mx",
                                      "11/21/2026 16:54:11 mx",
                                      "[2026-11-21 16:54:11 mx",
                                      "179528005 mx",
                                      "17952800511 mx",
                                      "2026-11-21T16:54:11+99 mx",
                                      "32.11.2026 16:54:11 mx",
                                      "13月 21 16:54:11 mx",
                                      "0000-11-21 16:54:11 mx",
                                      "Nov 21 16:54:11mx"}) {
    EXPECT_EQ(read(text), "none") << text;
  }
}

}  // namespace
}  // namespace mtrk::maillog
