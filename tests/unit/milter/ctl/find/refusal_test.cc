#include "milter/ctl/find/refusal.h"

#include <gtest/gtest.h>

#include <string>

namespace mtrk::find {
namespace {

std::optional<Refusal> refusal(std::string_view text, std::string_view program = "postfix/smtpd") {
  maillog::LogLine line;
  line.program = program;
  line.text = text;
  EXPECT_TRUE(may_be_refusal(text)) << text;
  return parse_refusal(line);
}

TEST(RefusalTest, PostfixRefusesARecipient) {
  const auto what = refusal(
      "NOQUEUE: reject: RCPT from mx.example.org[192.0.2.7]: 550 5.1.1 <bob@example.net>: "
      "Recipient "
      "address rejected: User unknown; from=<a@example.org> to=<bob@example.net> proto=ESMTP "
      "helo=<mx.example.org>");
  ASSERT_TRUE(what);
  EXPECT_EQ(what->queue_id, "");
  EXPECT_EQ(what->stage, "RCPT");
  EXPECT_EQ(what->client, "mx.example.org[192.0.2.7]");
  EXPECT_EQ(what->reply, "550 5.1.1 <bob@example.net>: Recipient address rejected: User unknown");
  EXPECT_EQ(what->status, (EnhancedStatus{5, 1, 1}));
  EXPECT_EQ(what->from, "a@example.org");
  EXPECT_EQ(what->to, "bob@example.net");
  EXPECT_FALSE(what->discarded);
}

TEST(RefusalTest, PostscreenPutsCommasBetween) {
  const auto what = refusal(
      "NOQUEUE: reject: RCPT from [192.0.2.7]:50213: 550 5.7.1 Service unavailable; client "
      "[192.0.2.7] blocked using zen.example; from=<a@example.org>, to=<bob@example.net>, "
      "proto=ESMTP, helo=<h>",
      "postfix/postscreen");
  ASSERT_TRUE(what);
  EXPECT_EQ(what->client, "[192.0.2.7]:50213");
  EXPECT_EQ(what->from, "a@example.org");
  EXPECT_EQ(what->to, "bob@example.net");
  EXPECT_EQ(what->status, (EnhancedStatus{5, 7, 1}));
}

TEST(RefusalTest, AMilterRefusesAtTheEnd) {
  const auto what = refusal(
      "4jWyyK3WHXz1cjpW: milter-reject: END-OF-MESSAGE from unknown[127.0.0.1]: 5.7.1 Command "
      "rejected; from=<s@sender.test> to=<ok2@relay.test> proto=ESMTP helo=<c>",
      "postfix/cleanup");
  ASSERT_TRUE(what);
  EXPECT_EQ(what->queue_id, "4jWyyK3WHXz1cjpW");
  EXPECT_EQ(what->stage, "END-OF-MESSAGE");
  EXPECT_EQ(what->status, (EnhancedStatus{5, 7, 1}));
}

TEST(RefusalTest, AHeaderIsRefusedOrDiscarded) {
  const auto reject = refusal(
      "4jWypR19H4z1cM19: reject: header X-Test: a from b[1]: c; from=<e> to=<f> from "
      "unknown[127.0.0.1]; from=<s@sender.test> to=<ok1@relay.test> proto=ESMTP helo=<c>: 5.7.1 no "
      "such header",
      "postfix/cleanup");
  ASSERT_TRUE(reject);
  EXPECT_EQ(reject->reply, "5.7.1 no such header");
  EXPECT_EQ(reject->client, "unknown[127.0.0.1]");
  EXPECT_EQ(reject->to, "ok1@relay.test");
  const auto discard = refusal(
      "4jWypQ6ynfz1cM19: discard: header X-Test: discard from unknown[127.0.0.1]; from=<s@a> "
      "to=<ok1@relay.test> proto=ESMTP helo=<c>: header says so",
      "postfix/cleanup");
  ASSERT_TRUE(discard);
  EXPECT_TRUE(discard->discarded);
  EXPECT_FALSE(discard->status);
}

TEST(RefusalTest, StagesBeforeARecipientHaveNone) {
  const auto connect = refusal(
      "NOQUEUE: reject: CONNECT from unknown[192.0.2.7]: 554 5.7.1 <unknown>: no; proto=SMTP");
  ASSERT_TRUE(connect);
  EXPECT_FALSE(connect->to);
  EXPECT_EQ(connect->client, "unknown[192.0.2.7]");
  const auto milter =
      refusal("NOQUEUE: milter-reject: CONNECT from x[192.0.2.7]: 421 no; proto=SMTP");
  ASSERT_TRUE(milter);
  EXPECT_EQ(milter->status, (EnhancedStatus{4, 0, 0}));
}

TEST(RefusalTest, ALoginIsSaid) {
  const auto what = refusal(
      "NOQUEUE: reject: RCPT from x[192.0.2.7]: 554 5.7.1 no; from=<a@b> to=<c@d> proto=ESMTP "
      "helo=<h> sasl_username=<ann>");
  ASSERT_TRUE(what);
  EXPECT_EQ(what->user, "ann");
}

TEST(RefusalTest, SendmailSaysWho) {
  const auto ruleset = refusal(
      "6ALGn3jX012893: ruleset=check_rcpt, arg1=<denied@example.net>, relay=mx.example.org "
      "[192.0.2.7], reject=550 5.7.1 <denied@example.net>... Relaying denied",
      "sm-mta");
  ASSERT_TRUE(ruleset);
  EXPECT_EQ(ruleset->to, "denied@example.net");
  EXPECT_EQ(ruleset->client, "mx.example.org [192.0.2.7]");
  EXPECT_EQ(ruleset->stage, "check_rcpt");
  EXPECT_EQ(ruleset->status, (EnhancedStatus{5, 7, 1}));
  const auto sender = refusal(
      "6ALGn3jX012893: ruleset=check_mail, arg1=<bad@example.org>, relay=x [192.0.2.7], reject=553 "
      "5.1.8 no",
      "sm-mta");
  ASSERT_TRUE(sender);
  EXPECT_EQ(sender->from, "bad@example.org");
  const auto milter = refusal(
      "6ALGogvR019532: Milter: to=<miltertemp@example.net>, reject=451 4.3.2 Please try again "
      "later",
      "sm-mta");
  ASSERT_TRUE(milter);
  EXPECT_EQ(milter->to, "miltertemp@example.net");
  EXPECT_EQ(milter->status, (EnhancedStatus{4, 3, 2}));
  const auto unknown =
      refusal("6ALGoNqM018689: <nosuch@mx.example.test>... User unknown", "sm-mta");
  ASSERT_TRUE(unknown);
  EXPECT_EQ(unknown->to, "nosuch@mx.example.test");
  EXPECT_EQ(unknown->reply, "User unknown");
}

TEST(RefusalTest, OtherRecordsAreNone) {
  maillog::LogLine line;
  line.program = "postfix/smtp";
  for (const char* text :
       {"4jWyyK3WHXz1cjpW: removed", "NOQUEUE: client=x[1]", "warning: reject: x",
        "4jWyyK3WHXz1cjpW: to=<a@b>, status=sent (reject: RCPT)", ""}) {
    line.text = text;
    EXPECT_FALSE(parse_refusal(line)) << text;
  }
  line.program = "mtrk-milter";
  line.text = "NOQUEUE: reject: RCPT from x[1]: 550 no";
  EXPECT_FALSE(parse_refusal(line));
}

}  // namespace
}  // namespace mtrk::find
