#include "common/smtp/reply.h"

#include "common/smtp/extensions.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace mtrk::smtp {
namespace {

// All replies of `bytes` fed in pieces of `chunk`, as texts; "failed" ends the list.
std::vector<std::string> read_all(std::string_view bytes, std::size_t chunk) {
  ReplyParser parser;
  std::vector<std::string> replies;
  for (std::size_t at = 0; at < bytes.size(); at += chunk) {
    parser.feed(bytes.substr(at, chunk));
    while (true) {
      const Expected<std::optional<Reply>> reply = parser.next();
      if (!reply) {
        replies.emplace_back("failed");
        return replies;
      }
      if (!*reply) {
        break;
      }
      replies.push_back((*reply)->text());
    }
  }
  return replies;
}

TEST(SmtpReplyTest, ReadsRepliesInAnySplit) {
  constexpr std::string_view kBytes =
      "220 mx.a.test ESMTP\r\n250-mx.a.test\r\n250-DSN\r\n250 MTRK\r\n354\r\n250 \r\n550 5.1.1 "
      "no\n";
  const std::vector<std::string> want{"220 mx.a.test ESMTP", "250 mx.a.test DSN MTRK", "354 ",
                                      "250 ", "550 5.1.1 no"};
  for (std::size_t chunk = 1; chunk <= kBytes.size(); ++chunk) {
    EXPECT_EQ(read_all(kBytes, chunk), want) << chunk;
  }
}

TEST(SmtpReplyTest, FailsOnWhatIsNoReply) {
  const std::string too_long = "250 " + std::string(3000, 'x');
  std::string too_many;
  for (int i = 0; i < 300; ++i) {
    too_many += "250-x\r\n";
  }
  for (const std::string& bytes :
       {std::string("hello\r\n"), std::string("\r\n"), std::string("25\r\n"),
        std::string("2500 x\r\n"), std::string("250+x\r\n"), std::string("099 x\r\n"),
        std::string("600 x\r\n"), std::string("-50 x\r\n"), std::string("250-a\r\n251 b\r\n"),
        too_long, too_long + "\r\n", too_many}) {
    EXPECT_EQ(read_all(bytes, bytes.size()), std::vector<std::string>{"failed"})
        << bytes.substr(0, 40);
  }
}

TEST(SmtpReplyTest, StaysFailed) {
  ReplyParser parser;
  parser.feed("oops\r\n250 ok\r\n");
  EXPECT_FALSE(parser.next());
  EXPECT_FALSE(parser.next());
}

TEST(SmtpReplyTest, TellsWhatWaitsBehindAReply) {
  ReplyParser parser;
  parser.feed("220 go\r\n250 evil");
  EXPECT_TRUE(parser.next());
  EXPECT_EQ(parser.pending(), 8U);
}

TEST(EhloTest, FindsKeywordsInAnyCase) {  // MTRK-2-01, MTRK-2-03
  Reply reply;
  reply.code = 250;
  reply.lines = {"DSN.a.test MTRK", "mtrk", "Dsn", "STARTTLS", "8BITMIME", "MTRKX"};
  const Extensions extensions = parse_ehlo(reply);
  EXPECT_TRUE(extensions.mtrk && extensions.dsn && extensions.starttls && extensions.eightbitmime);
  reply.lines = {"DSN MTRK", "MTRKX", "XMTRK", "MTRK foo=1"};
  EXPECT_TRUE(parse_ehlo(reply).mtrk);
  reply.lines.pop_back();
  EXPECT_FALSE(parse_ehlo(reply).mtrk);  // the first line is a name, not a keyword
}

}  // namespace
}  // namespace mtrk::smtp
