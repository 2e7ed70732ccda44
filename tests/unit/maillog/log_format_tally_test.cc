#include "common/maillog/log_format_tally.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace mtrk::maillog {
namespace {

const StampContext kContext{std::chrono::sys_days(std::chrono::year{2026} / 11 / 22), Minutes(0)};
const std::string kKnown = "Nov 21 10:00:00 mx postfix/qmgr[1]: 4dCXzt0Cvjz5Z: removed";
const std::string kUnknown =
    "?? 10:00 postfix/smtp[1]: 4dCXzt0Cvjz5Z: to=<bob@example.org>, relay=x";
const std::string kOther = "Nov 21 10:00:00 mx dovecot: imap-login: Login: user=<ann>";

LogFormatTally tally_of(const std::vector<std::string>& lines) {
  LogFormatTally tally;
  for (const std::string& text : lines) {
    const std::optional<LogLine> line = split_log_line(text, kContext);
    if (line) {
      tally.known(text, *line,
                  parse_postfix(*line).index() == 0 ? LineKind::events : LineKind::ignored);
    } else {
      tally.unknown(text);
    }
  }
  return tally;
}

TEST(LogFormatTallyTest, ARecordBehindAnUnknownHeaderCounts) {
  for (const std::string_view line :
       {"x: 4dCXzt0Cvjz5Z: to=<bob@example.org>", "4dCXzt0Cvjz5Z: to=\\u003cbob",
        "\"MESSAGE\" : \"4dCXzt0Cvjz5Z: from=<ann@example.net>\"", "MESSAGE=4ABC12: removed",
        "[ 12.5] mx sm-mta[1]: 6ALA00bC000101: to=bob, delay=00:00:01", "a;b;4ABC12: client=x[y]",
        "4ABC12:\tmessage-id=<x>", "4ABC12: uid=0 from=<root>"}) {
    EXPECT_TRUE(holds_mail_record(line)) << line;
  }
  for (const std::string_view line :
       {"", "to=<bob@example.org>", "NOQUEUE: to=<bob>", "mx: to=<bob>", "4ABC12: text to=<bob>",
        "4ABC12:to=<bob>", "4ABC1234567890123456789: to=<bob>", "note: from=<x>"}) {
    EXPECT_FALSE(holds_mail_record(line)) << line;
  }
}

TEST(LogFormatTallyTest, ALogOfUnknownLinesIsUnknown) {
  const LogFormatTally tally = tally_of({kUnknown, kUnknown, kOther});
  EXPECT_FALSE(tally.mail());
  EXPECT_EQ(tally.unknown_lines(), 2U);
  EXPECT_EQ(tally.example(), kUnknown);
  EXPECT_EQ(tally_of({kUnknown}).unknown_lines(), 1U);
}

TEST(LogFormatTallyTest, ASpoiltTagMakesNoKnownLogUnknown) {
  const std::string spoilt =
      "Nov 21 10:00:00 mx postfix/smtp[99 4dCXzt0Cvjz5Z: to=<bob@example.org>";
  const LogFormatTally known = tally_of({kKnown, spoilt});
  EXPECT_EQ(known.unknown_lines(), 0U);
  EXPECT_EQ(known.spoilt_lines(), 1U);
  EXPECT_EQ(known.example(), spoilt);
  const LogFormatTally unknown = tally_of({spoilt, kOther});
  EXPECT_EQ(unknown.unknown_lines(), 1U);
  EXPECT_EQ(unknown.spoilt_lines(), 0U);
}

TEST(LogFormatTallyTest, AFirstLineThatIsCutDoesNotMakeALogUnknown) {
  EXPECT_EQ(tally_of({kUnknown, kKnown}).unknown_lines(), 0U);
  EXPECT_EQ(tally_of({kUnknown, kKnown, kUnknown}).unknown_lines(), 2U);
  EXPECT_EQ(tally_of({kKnown, kUnknown}).unknown_lines(), 1U);
}

TEST(LogFormatTallyTest, AnotherDaemonsLogIsNoMailLog) {
  const LogFormatTally tally = tally_of({kOther, "words"});
  EXPECT_FALSE(tally.mail());
  EXPECT_FALSE(tally.empty());
  EXPECT_EQ(tally.unknown_lines(), 0U);
  EXPECT_EQ(tally.example(), "words");
  EXPECT_TRUE(tally_of({"Nov 21 10:00:00 mx postfix/master[1]: daemon started"}).mail());
  EXPECT_TRUE(tally_of({"Nov 21 10:00:00 mx mx1/smtpd[1]: connect from x"}).mail());
}

TEST(LogFormatTallyTest, PartsAreAddedInTheirOrder) {
  for (std::size_t i = 0; i <= 4; ++i) {
    const std::vector<std::string> lines = {kUnknown, kKnown, kUnknown, kOther};
    const auto middle = lines.begin() + static_cast<std::ptrdiff_t>(i);
    LogFormatTally tally = tally_of({lines.begin(), middle});
    tally += tally_of({middle, lines.end()});
    EXPECT_EQ(tally.unknown_lines(), 2U) << i;
    EXPECT_TRUE(tally.mail());
  }
}

TEST(LogFormatTallyTest, ACompressedFileIsNamed) {
  EXPECT_EQ(compression_of("\x1F\x8B\x08"), "gzip");
  EXPECT_EQ(compression_of("BZh91AY"), "bzip2");
  EXPECT_EQ(compression_of("\xFD\x37\x7A\x58\x5A"), "xz");
  EXPECT_EQ(compression_of("\x28\xB5\x2F\xFD\x04"), "zstd");
  EXPECT_EQ(compression_of("Nov 21"), "");
  EXPECT_EQ(compression_of(""), "");
}

}  // namespace
}  // namespace mtrk::maillog
