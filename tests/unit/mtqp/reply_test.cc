#include "common/mtqp/reply.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace mtrk::mtqp {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

constexpr std::size_t kLimit = 4096;

// "ok[info,info] text {body}" for each reply, "failed" at the end if it did.
std::string describe(ReplyParser& parser) {
  std::string all;
  for (;;) {
    const Expected<std::optional<Reply>> next = parser.next();
    if (!next) {
      return all + "failed";
    }
    if (!*next) {
      return all;
    }
    const Reply& reply = **next;
    static constexpr const char* kNames[] = {"ok", "temp", "err", "bad"};
    all += kNames[static_cast<int>(reply.status)];
    for (const std::string& item : reply.info) {
      all += '/' + item;
    }
    all += " [" + reply.text + ']';
    if (reply.body) {
      all += '{' + *reply.body + '}';
    }
    all += ';';
  }
}

std::string parse(const std::string& input) {
  ReplyParser whole(kLimit);
  whole.feed(input);
  const std::string expected = describe(whole);
  for (std::size_t cut = 0; cut <= input.size() && input.size() < 3000; ++cut) {
    ReplyParser two(kLimit);
    two.feed(std::string_view(input).substr(0, cut));
    std::string result = describe(two);
    if (!result.ends_with("failed")) {
      two.feed(std::string_view(input).substr(cut));
      result += describe(two);
    }
    EXPECT_EQ(result, expected) << "cut at " << cut;
  }
  return expected;
}

TEST(ReplyTest, ReadsStatusLines) {  // MTQP-2.3-02 to MTQP-2.3-05, MTQP-2.3-04, ABNF-17 to ABNF-21
  EXPECT_EQ(parse("+OK\r\n"), "ok [];");
  EXPECT_EQ(parse("+OK/MTQP x y\r\n"), "ok/MTQP [x y];");
  EXPECT_EQ(parse("+ok/mtqp/foo hi\r\n"), "ok/mtqp/foo [hi];");
  EXPECT_EQ(parse("-ERR/MTQP/unavailable text\r\n"), "err/MTQP/unavailable [text];");
  EXPECT_EQ(parse("-TEMP/MTQP/admin\r\n-BAD\r\n"), "temp/MTQP/admin [];bad [];");
  EXPECT_EQ(parse("-ERR /noinfo\r\n"), "err [/noinfo];");
  EXPECT_EQ(parse("-ERR/noinfo\tx\r\n"), "err/noinfo [x];");
  EXPECT_EQ(parse("+OK +\r\n"), "ok [+];");
  EXPECT_EQ(parse("+OK+\r\n.\r\n"), "ok []{};");
}

TEST(ReplyTest, RefusesWhatNoServerMaySend) {
  for (const char* line : {"220 smtp", "OK", "", " +OK", "+OKAY", "+OK++", "-ERR+", "+OK/a.b",
                           "+OK//", "+OK/", "-ERROR", "+OK/\xc3"}) {
    EXPECT_EQ(parse(std::string(line) + "\r\n"), "failed") << line;
  }
  EXPECT_EQ(parse("+OK\n"), "failed");
  EXPECT_EQ(parse("+OK\rx\r\n"), "failed");
  EXPECT_EQ(parse("+OK " + std::string(995, 'x') + "\r\n"), "failed");
  EXPECT_EQ(parse("+OK " + std::string(5000, 'x')), "failed");
}

TEST(ReplyTest, ReadsBodiesAndUndoesDotStuffing) {  // MTQP-2.3-09
  EXPECT_EQ(parse("+OK+/MTQP r\r\nSTARTTLS\r\n.\r\n"), "ok/MTQP [r]{STARTTLS\r\n};");
  EXPECT_EQ(parse("+OK+\r\n..x\r\n..\r\na.b\r\n\r\n.\r\n+OK\r\n"),
            "ok []{.x\r\n.\r\na.b\r\n\r\n};ok [];");
  EXPECT_EQ(parse("+OK+\r\na\nb\r\n.\r\n"), "failed");
  EXPECT_EQ(parse("+OK+\r\nno end\r\n"), "");
}

TEST(ReplyTest, LimitsBodies) {
  std::string body;
  for (int i = 0; i < 60; ++i) {
    body += std::string(98, 'x') + "\r\n";
  }
  EXPECT_EQ(parse("+OK+\r\n" + body + ".\r\n"), "failed");
}

TEST(ReplyTest, StaysFailed) {
  ReplyParser parser(kLimit);
  parser.feed("HTTP/1.1 400 Bad Request\r\n+OK\r\n");
  EXPECT_FALSE(parser.next());
  EXPECT_FALSE(parser.next());
}

TEST(ReplyTest, KnowsWhatIsPending) {  // THR-C1
  ReplyParser parser(kLimit);
  parser.feed("+OK go\r\n+OK/MTQP evil");
  ASSERT_TRUE(parser.next());
  EXPECT_EQ(parser.pending(), 13U);
}

TEST(ReplyTest, StuffsDots) {  // MTQP-2.3-08
  const auto stuff = [](std::string_view body) {
    std::string out;
    append_stuffed(out, body);
    return out;
  };
  EXPECT_EQ(stuff(""), ".\r\n");
  EXPECT_EQ(stuff("a\r\n"), "a\r\n.\r\n");
  EXPECT_EQ(stuff("a"), "a\r\n.\r\n");
  EXPECT_EQ(stuff(".\r\n.x\r\na.b\r\n..\r\n\r\n."), "..\r\n..x\r\na.b\r\n...\r\n\r\n..\r\n.\r\n");
}

TEST(ReplyTest, StuffingRoundTrips) {
  for (const std::string body : {"", ".\r\n", "..\r\n.a\r\n", "x\r\n\r\n.\r\n", "\r\n"}) {
    std::string wire = "+OK+\r\n";
    append_stuffed(wire, body);
    ReplyParser parser(kLimit);
    parser.feed(wire);
    const auto reply = parser.next();
    ASSERT_TRUE(reply && *reply);
    EXPECT_EQ((*reply)->body, body);
    EXPECT_EQ(parser.pending(), 0U);
  }
}

}  // namespace
}  // namespace mtrk::mtqp
