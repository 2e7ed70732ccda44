#include "milter/ctl/json.h"

#include <boost/json.hpp>
#include <gtest/gtest.h>

#include <unistd.h>

#include <string>

namespace mtrk {
namespace {

// What the output writes, through a pipe: what is written here fits into one.
std::string written(JsonOutput& json) {
  int ends[2];
  EXPECT_EQ(::pipe(ends), 0);
  json.write_to(ends[1]);
  ::close(ends[1]);
  std::string text;
  char buffer[4096];
  for (ssize_t n = 0; (n = ::read(ends[0], buffer, sizeof buffer)) > 0;) {
    text.append(buffer, static_cast<std::size_t>(n));
  }
  ::close(ends[0]);
  return text;
}

std::string escaped(std::string_view value) {
  JsonOutput json;
  json.begin();
  json.text("k", value);
  json.end();
  return written(json);
}

TEST(JsonOutputTest, WritesObjectsOneALine) {
  JsonOutput json;
  json.begin();
  json.text("a", "x");
  json.text_if("b", "");
  json.number("c", 18446744073709551615U);
  json.null("d");
  json.time("e", LogTime(Seconds(0)));
  json.time("f", LogTime(Seconds(1)) + Microseconds(50));
  json.begin_list("g");
  json.item("1");
  json.item("2");
  json.end_list();
  json.begin_list("h");
  json.end_list();
  json.end();
  json.begin();
  json.end();
  EXPECT_EQ(written(json),
            R"({"a":"x","c":18446744073709551615,"d":null,"e":"1970-01-01T00:00:00Z",)"
            R"("f":"1970-01-01T00:00:01.000050Z","g":["1","2"],"h":[]})"
            "\n{}\n");
}

TEST(JsonOutputTest, WritesStatusCodes) {
  JsonOutput json;
  json.begin();
  json.status("a", {2, 1, 9});
  json.status("b", {5, 999, 100});
  json.end();
  EXPECT_EQ(written(json), "{\"a\":\"2.1.9\",\"b\":\"5.999.100\"}\n");
}

TEST(JsonOutputTest, KnowsWhatNeedsNoEscaping) {
  for (const std::size_t length : {1U, 7U, 15U, 16U, 17U, 33U, 48U}) {
    for (std::size_t place = 0; place < length; ++place) {
      for (unsigned octet = 0; octet < 256; ++octet) {
        std::string text(length, 'x');
        text[place] = static_cast<char>(octet);
        const bool plain = octet >= 0x20 && octet < 0x7f && octet != '"' && octet != '\\';
        ASSERT_EQ(is_plain(text), plain) << length << " " << place << " " << octet;
      }
    }
  }
  EXPECT_TRUE(is_plain(""));
}

TEST(JsonOutputTest, CopiesTextsThatArePlain) {
  JsonOutput json;
  json.texts_are_plain(true);
  json.begin();
  json.text("k", std::string(100000, 'x'));  // and makes room for them
  json.end();
  json.begin();
  json.texts_are_plain(false);
  json.text("k", "\"");
  json.end();
  EXPECT_EQ(json.size(), 100000U + 9 + 11);
}

TEST(JsonOutputTest, EscapesWhatALogMayHold) {
  struct Case {
    std::string_view value, want;
  };
  const Case cases[] = {
      {"", ""},
      {"plain text of more than eight octets", "plain text of more than eight octets"},
      {"a \"quoted\" \\ word", "a \\\"quoted\\\" \\\\ word"},
      {std::string_view("\0\x1b[2J\n\t", 7), "\\u0000\\u001b[2J\\u000a\\u0009"},
      {"j\xC3\xB6s\xC3\xA9 \xE2\x82\xAC \xF0\x9F\x93\xAC",
       "j\xC3\xB6s\xC3\xA9 \xE2\x82\xAC \xF0\x9F\x93\xAC"},
      {"\x7F", "\\u007f"},
      {"\xC2\x9B[2J", "\\u009b[2J"},  // C1: CSI
      {"a\xE2\x80\xAE"
       "b",
       "a\\u202eb"},                                   // from right to left
      {"\xE2\x81\xA6\xE2\x80\xA8", "\\u2066\\u2028"},  // isolate, a new line
      {"\xF3\xA0\x81\x81", "\\udb40\\udc41"},          // a tag nobody sees
      {"\xFF", "\\ufffd"},
      {"\xC3", "\\ufffd"},                                   // cut
      {"\xC0\xAF", "\\ufffd\\ufffd"},                        // overlong
      {"\xED\xA0\x80", "\\ufffd\\ufffd\\ufffd"},             // a surrogate
      {"\xF4\x90\x80\x80", "\\ufffd\\ufffd\\ufffd\\ufffd"},  // over U+10FFFF
      {"\xE2\x82", "\\ufffd\\ufffd"},
  };
  for (const Case& test : cases) {
    EXPECT_EQ(escaped(test.value), "{\"k\":\"" + std::string(test.want) + "\"}\n");
  }
}

// Each octet at each place of a word of eight, and before the end.
TEST(JsonOutputTest, IsValidJsonWhateverTheOctets) {
  for (unsigned octet = 0; octet < 256; ++octet) {
    for (std::size_t place = 0; place < 17; ++place) {
      std::string value(17, 'x');
      value[place] = static_cast<char>(octet);
      boost::json::error_code error;
      const boost::json::value parsed = boost::json::parse(escaped(value), error);
      ASSERT_FALSE(error) << octet << " at " << place;
      if (octet < 0x80) {
        EXPECT_EQ(std::string_view(parsed.at("k").as_string()), value);
      }
    }
  }
}

TEST(JsonOutputTest, GrowsWithAValue) {
  const std::string value(300000, '\x01');
  JsonOutput json;
  json.begin();
  json.text("k", value);
  json.end();
  EXPECT_EQ(json.size(), 6 * value.size() + 9);
}

}  // namespace
}  // namespace mtrk
