#include "milter/gate/session/data_scanner.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace mtrk::smtp {
namespace {

struct Case {
  std::string name;
  std::string in;
  std::string out;
  std::string rest;  // behind the end of the message
  bool done = true;
  std::size_t repaired = 0;
};

const std::vector<Case>& cases() {
  static const std::vector<Case> all{
      {"empty", ".\r\n", ".\r\n", ""},
      {"plain", "a\r\n.\r\nMAIL", "a\r\n.\r\n", "MAIL"},
      {"stuffed dots stay", "..\r\n...\r\n.a\r\n.\r\n", "..\r\n...\r\n.a\r\n.\r\n", ""},
      {"no end", "a\r\nb", "a\r\nb", "", false},
      {"no end without a line end", "a\r\n.", "a\r\n", "", false},
      {"bare LF", "a\nb\r\n.\r\n", "a\r\nb\r\n.\r\n", "", true, 1},
      {"bare CR", "a\rb\r\n.\r\n", "a b\r\n.\r\n", "", true, 1},
      {"CR CR LF", "a\r\r\n.\r\n", "a \r\n.\r\n", "", true, 1},
      {"LF . CRLF", "a\n.\r\nMAIL\r\n.\r\n", "a\r\n..\r\nMAIL\r\n.\r\n", "", true, 1},
      {"LF . LF", "a\n.\nMAIL\r\n.\r\n", "a\r\n..\r\nMAIL\r\n.\r\n", "", true, 2},
      {"CRLF . LF", "a\r\n.\nMAIL\r\n.\r\n", "a\r\n..\r\nMAIL\r\n.\r\n", "", true, 1},
      {"CRLF . CR", "a\r\n.\rMAIL\r\n.\r\n", "a\r\n. MAIL\r\n.\r\n", "", true, 1},
      {"CRLF . CR CRLF", "a\r\n.\r\r\nMAIL\r\n.\r\n", "a\r\n. \r\nMAIL\r\n.\r\n", "", true, 1},
      {"CR . CR", "a\r.\rMAIL\r\n.\r\n", "a . MAIL\r\n.\r\n", "", true, 2},
      {"CR . CRLF", "a\r.\r\nMAIL\r\n.\r\n", "a .\r\nMAIL\r\n.\r\n", "", true, 1},
      {"LF LF . CRLF", "a\n\n.\r\nb\r\n.\r\n", "a\r\n\r\n..\r\nb\r\n.\r\n", "", true, 2},
      {"LF at the beginning", "\n.\r\nb\r\n.\r\n", "\r\n..\r\nb\r\n.\r\n", "", true, 1},
      {"a NUL is content", std::string("a\0b\r\n.\r\n", 8), std::string("a\0b\r\n.\r\n", 8), ""},
  };
  return all;
}

TEST(DataScannerTest, NoEndIsSmuggledInOrOut) {
  for (const Case& one : cases()) {
    DataScanner scanner;
    std::string out;
    const std::size_t taken = scanner.take(one.in, out);
    EXPECT_EQ(out, one.out) << one.name;
    EXPECT_EQ(one.in.substr(taken), one.rest) << one.name;
    EXPECT_EQ(scanner.done(), one.done) << one.name;
    EXPECT_EQ(scanner.repaired(), one.repaired) << one.name;
  }
}

TEST(DataScannerTest, HoweverTheInputIsCut) {
  for (const Case& one : cases()) {
    for (std::size_t cut = 0; cut <= one.in.size(); ++cut) {
      DataScanner scanner;
      std::string out;
      std::size_t taken = scanner.take(std::string_view(one.in).substr(0, cut), out);
      if (!scanner.done()) {
        taken += scanner.take(std::string_view(one.in).substr(cut), out);
      }
      EXPECT_EQ(out, one.out) << one.name << " cut at " << cut;
      EXPECT_EQ(one.in.substr(taken), one.rest) << one.name << " cut at " << cut;
    }
  }
}

}  // namespace
}  // namespace mtrk::smtp
