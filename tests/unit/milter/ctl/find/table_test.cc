#include "milter/ctl/find/table.h"

#include "common/base/utf8.h"

#include <gtest/gtest.h>

#include <sstream>

namespace mtrk::find {
namespace {

Row row(std::string_view at, std::string from, std::string to) {
  Row row;
  row.arrival = parse_rfc3339(at)->at;
  row.queue_id = "4dCXzt0Cvjz5Z";
  row.from = std::move(from);
  row.to = std::move(to);
  row.action = "relayed";
  row.status = EnhancedStatus{2, 1, 9};
  row.next_hop = "mx1.example.org";
  row.paint = Paint::good;
  return row;
}

PageStyle style() {
  PageStyle style;
  style.utc = true;
  return style;
}

void expect_narrow(const std::string& table) {
  std::istringstream lines(table);
  for (std::string line; std::getline(lines, line);) {
    EXPECT_LE(display_columns(line), 80U) << line;
  }
}

TEST(TableTest, ARowATimeUnderItsDay) {
  const Row rows[] = {row("2026-11-21T10:00:02Z", "a@b.example", "c@d.example"),
                      row("2026-11-22T10:00:02Z", "", "c@d.example")};
  EXPECT_EQ(format_table(rows, style(), 80),
            "Sat 2026-11-21 +0000\n"
            "10:00:02 a@b.example c@d.example relayed 2.1.9 4dCXzt0Cvjz5Z\n"
            "         by mx1.example.org\n"
            "Sun 2026-11-22 +0000\n"
            "10:00:02 <>          c@d.example relayed 2.1.9 4dCXzt0Cvjz5Z\n"
            "         by mx1.example.org\n");
}

TEST(TableTest, LongAddressesAreCutWithinTheColumns) {
  Row rows[] = {row("2026-11-21T10:00:02Z", std::string(60, 'a') + "@long.example",
                    std::string(300, 'b') + "@d.example"),
                row("2026-11-21T10:00:03Z", "a@b", "\xC3\xA4\xE4\xB8\xAD@d.example")};
  rows[1].words = std::string(1000, 'x');
  const std::string table = format_table(rows, style(), 80);
  expect_narrow(table);
  EXPECT_NE(table.find("\xE2\x80\xA6"), std::string::npos);
  EXPECT_NE(table.find(".example "), std::string::npos);
  PageStyle ascii = style();
  ascii.utf8 = false;
  const std::string plain = format_table(rows, ascii, 80);
  expect_narrow(plain);
  EXPECT_NE(plain.find("~"), std::string::npos);
}

TEST(TableTest, WhatComesFromALogDoesNotSteerATerminal) {
  Row rows[] = {row("2026-11-21T10:00:02Z", "a\x1b[2J@b", "c\xE2\x80\xAE@d")};
  rows[0].words = "x\x1b]0;y\x07";
  const std::string table = format_table(rows, style(), 80);
  EXPECT_EQ(table.find('\x1b'), std::string::npos);
  EXPECT_EQ(table.find("\xE2\x80\xAE"), std::string::npos);
  EXPECT_EQ(table.find('\x07'), std::string::npos);
}

TEST(TableTest, WhatIsNotKnownIsSaid) {
  Row refused = row("2026-11-21T10:00:02Z", "a@b", "");
  refused.queue_id.clear();
  refused.action = "refused";
  refused.from.reset();
  refused.next_hop.clear();
  Row early = row("2026-11-21T10:00:03Z", "a@b", "c@d");
  early.begun_before = true;
  early.target = "e@f";
  const Row rows[] = {refused, early};
  EXPECT_EQ(format_table(rows, style(), 80),
            "Sat 2026-11-21 +0000\n"
            "10:00:02  -   -   refused 2.1.9 -\n"
            "10:00:03< a@b c@d relayed 2.1.9 4dCXzt0Cvjz5Z\n"
            "          sent to e@f; by mx1.example.org\n");
}

TEST(TableTest, MarksAndColoursAreForTerminals) {
  PageStyle terminal = style();
  terminal.colours = terminal.symbols = true;
  const Row rows[] = {row("2026-11-21T10:00:02Z", "a@b", "c@d")};
  const std::string table = format_table(rows, terminal, 80);
  EXPECT_NE(table.find("\x1b[32m\xE2\x9C\x93 relayed 2.1.9\x1b[0m 4dCX"), std::string::npos)
      << table;
}

}  // namespace
}  // namespace mtrk::find
