#include "common/track/report_field.h"

#include "common/track/utf8_address.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace mtrk {
namespace {

std::string field(std::string_view value) {
  std::string out;
  put_field(out, FieldName::action, value);
  return out;
}

std::string field(std::string_view type, std::string_view value) {
  std::string out;
  put_field(out, FieldName::remote_mta, TypedView{type, value});
  return out;
}

std::string address(std::string_view type, std::string_view value) {
  std::string out;
  put_address(out, FieldName::final_recipient, {type, value});
  return out;
}

std::vector<std::string> lines_of(std::string_view text) {
  std::vector<std::string> lines;
  while (!text.empty()) {
    const std::size_t end = text.find("\r\n");
    EXPECT_NE(end, std::string_view::npos);
    lines.emplace_back(text.substr(0, end));
    text.remove_prefix(end + 2);
  }
  return lines;
}

TEST(ReportFieldTest, WritesNameAndValue) {
  EXPECT_EQ(field("delivered"), "Action: delivered\r\n");
  EXPECT_EQ(field(""), "Action: \r\n");
  EXPECT_EQ(field("dns", "mx.example.net"), "Remote-MTA: dns; mx.example.net\r\n");
  EXPECT_EQ(field("dns", "%s%n%x\";rm"), "Remote-MTA: dns; %s%n%x\";rm\r\n");  // THR-P9
}

TEST(ReportFieldTest, NothingEndsTheField) {  // THR-P1 to THR-P3, THR-P5, THR-P7; DSNX-4.2-07
  EXPECT_EQ(field("a\r\nAction: failed"), "Action: a??Action: failed\r\n");
  EXPECT_EQ(field(std::string_view("a\0b\t\x7f\x1b]0;x\x07", 10)), "Action: a?b???]0;x\r\n");
  EXPECT_EQ(field("250-.\r\n250 --%%%%--"), "Action: 250-.??250 --%%%%--\r\n");
  EXPECT_EQ(field("\xc2\x85\xe2\x80\xa8\xff"), "Action: ??????\r\n");
}

TEST(ReportFieldTest, EveryOctetIsJudgedAtEveryPosition) {
  for (int octet = 0; octet < 256; ++octet) {
    const char c = static_cast<char>(octet);
    const bool printable = octet >= 32 && octet < 127;
    for (std::size_t i = 0; i < 20; ++i) {
      std::string value(20, 'x');
      value[i] = c;
      std::string want = value;
      want[i] = printable ? c : '?';
      want.erase(want.find_last_not_of(' ') + 1);
      std::string out = field(value);
      out.resize(out.size() - 2);
      out.erase(out.find_last_not_of(' ') + 1);
      ASSERT_EQ(out, "Action: " + want) << octet << " at " << i;
    }
  }
}

TEST(ReportFieldTest, TypesThatAreNoAtomsAreUnknown) {  // THR-P10
  // DSNF-2.3.1-01
  for (const std::string& type :
       {std::string(), std::string("x y"), std::string("x;y"), std::string("(x"),
        std::string("\"x"), std::string("x\r\n"), std::string("\xce\xb4"), std::string(65, 'x')}) {
    EXPECT_EQ(field(type, "v"), "Remote-MTA: unknown; v\r\n") << type;
  }
  EXPECT_EQ(field(std::string(64, 'x'), "v"), "Remote-MTA: " + std::string(64, 'x') + "; v\r\n");
  EXPECT_EQ(address("x", "y;z"), "Final-Recipient: x; y;z\r\n");
}

TEST(ReportFieldTest, Utf8AddressesAreWrittenInAscii) {  // A-37, MTSN-3.1-02, THR-P6
  EXPECT_EQ(address("utf-8", "\xce\xb4@\xcf\x80.example"),
            "Final-Recipient: utf-8; \\x{3B4}@\\x{3C0}.example\r\n");
  EXPECT_EQ(address("rfc822", "\xf0\x9f\x93\xac@h"), "Final-Recipient: utf-8; \\x{1F4EC}@h\r\n");
  EXPECT_EQ(address("UTF-8", "\\x{3B4}@h"), "Final-Recipient: UTF-8; \\x{3B4}@h\r\n");
  EXPECT_EQ(address("x400", "\xce\xb4"), "Final-Recipient: x400; ??\r\n");
  EXPECT_EQ(address("rfc822", "u+t@h"), "Final-Recipient: rfc822; u+t@h\r\n");
}

TEST(ReportFieldTest, LongestPlainLineIsNotFolded) {
  const std::string fits(998 - 8, 'x');
  EXPECT_EQ(field(fits), "Action: " + fits + "\r\n");
  EXPECT_EQ(lines_of(field(fits + "x")).size(), 2U);
}

TEST(ReportFieldTest, FoldsAtABlankWhereThereIsOne) {
  const std::string value = std::string(600, 'a') + " " + std::string(420, 'b');
  const std::string out = field(value);
  EXPECT_EQ(out, "Action: " + std::string(600, 'a') + "\r\n " + std::string(420, 'b') + "\r\n");
}

TEST(ReportFieldTest, NoLineIsOver998AndNoneIsBlank) {  // THR-P8
  for (std::size_t size = 900; size < 1100; ++size) {
    for (const std::string& value :
         {std::string(size, 'x'), "x" + std::string(size, ' ') + "y", std::string(size, ' '),
          std::string(size, ' ') + "y", "x y" + std::string(size, 'z')}) {
      for (const std::string& out :
           {field(value), field("dns", value), address("utf-8", "\xce\xb4" + value)}) {
        std::string unfolded;
        for (const std::string& line : lines_of(out)) {
          ASSERT_LE(line.size(), 998U);
          ASSERT_NE(line.find_first_not_of(' '), std::string::npos);
          unfolded += line;
        }
        ASSERT_LE(unfolded.size(), 22U + 1024U + 2U);
      }
    }
  }
}

TEST(ReportFieldTest, ValuesAreCutAt1024Octets) {  // THR-P8
  const auto value_of = [](const std::string& out) {
    std::string text;
    for (const std::string& line : lines_of(out)) {
      text += text.empty() ? line : line.substr(1);  // these values have no blank to fold at
    }
    return text.substr(text.find(": ") + 2);
  };
  EXPECT_EQ(value_of(field(std::string(1024, 'x'))), std::string(1024, 'x'));
  EXPECT_EQ(value_of(field(std::string(1025, 'x'))), std::string(1013, 'x') + "[truncated]");
  EXPECT_EQ(value_of(field(std::string(1000000, '\n'))), std::string(1013, '?') + "[truncated]");
  // No escape is cut in two: 1024 is reached inside one.
  for (std::size_t lead = 0; lead < 12; ++lead) {
    std::string hostile(lead, 'a');
    for (int i = 0; i < 500; ++i) {
      hostile += "\xf0\x9f\x93\xac";
    }
    const std::string out = value_of(address("utf-8", hostile));
    EXPECT_LE(out.size(), 1024U);
    EXPECT_NE(out.find("}[truncated]"), std::string::npos) << lead;
  }
}

TEST(Utf8AddressTest,
     KeepsOnlyWellFormedPrintableText) {  // RFC 6533 §3, RFC 3629 §4, THR-P7
  struct Case {
    std::string_view input, want;
  };
  for (const Case& c : {Case{"", ""},
                        Case{"a@b", "a@b"},
                        Case{"a\\b+c=d e", "a\\x{5C}b\\x{2B}c\\x{3D}d\\x{20}e"},
                        Case{"\xc2\xa0", "\\x{A0}"},
                        Case{"\xc3\xa9", "\\x{E9}"},
                        Case{"\xef\xbf\xbd", "\\x{FFFD}"},
                        Case{"\xf4\x8f\xbf\xbf", "\\x{10FFFF}"},
                        Case{"\xf0\x90\x80\x80", "\\x{10000}"},
                        Case{"\xc2\x85", "?"},
                        Case{"\xe2\x80\xa8\xe2\x80\xa9", "??"},
                        Case{"\xed\xa0\x80", "???"},
                        Case{"\xe0\x80\x8a", "???"},
                        Case{"\xc0\x8a", "??"},
                        Case{"\xff", "?"},
                        Case{"\x1b\r\n\x7f", "????"},
                        Case{"\xf4\x90\x80\x80", "????"},
                        Case{"\xf0\x80\x80\x8a", "????"},
                        Case{"\xce", "?"},
                        Case{"\xce"
                             "a",
                             "?a"},
                        Case{"\xe2\x80", "??"},
                        Case{"\x80", "?"}}) {
    EXPECT_EQ(encode_utf8_address(c.input, 1024), c.want) << c.want;
  }
}

TEST(Utf8AddressTest, StopsSoonAfterTheLimit) {
  EXPECT_EQ(encode_utf8_address(std::string(100, 'x'), 10).size(), 11U);
}

}  // namespace
}  // namespace mtrk
