#include "common/smtp/submission.h"

#include <gtest/gtest.h>

namespace mtrk::smtp {
namespace {

TEST(SubmissionTest, PutsTheCertifierWhereTheServerTakesIt) {  // MTRK-3.2-01
  const EnvelopeId id = *EnvelopeId::from_decoded("12345-20010101@example.com");
  const MtrkParam mtrk = *parse_mtrk_param("VheLhqV/rCKJmplkGFwsyW59pYk:864000");
  const TrackedEnvelope envelope{id, mtrk};
  EXPECT_EQ(format_mail("s@example.com", Carrier::mtrk, &envelope, false),
            "MAIL FROM:<s@example.com> MTRK=VheLhqV/rCKJmplkGFwsyW59pYk:864000 "
            "ENVID=12345-20010101@example.com");
  EXPECT_EQ(format_mail("", Carrier::folded, &envelope, true),
            "MAIL FROM:<> ENVID=12345-20010101@example.com;MTRK:VheLhqV/rCKJmplkGFwsyW59pYk:864000"
            " BODY=8BITMIME");
  EXPECT_EQ(format_mail("s@example.com", Carrier::none, nullptr, false),
            "MAIL FROM:<s@example.com>");
}

TEST(SubmissionTest, FoldSizeIsWhatTheFoldAdds) {
  const EnvelopeId id = *EnvelopeId::from_decoded("a@b");
  for (const char* value : {"VheLhqV/rCKJmplkGFwsyW59pYk", "oEXH6X5FLKgINtmw+EpTPyDYEGw:9"}) {
    const MtrkParam mtrk = *parse_mtrk_param(value);
    EXPECT_EQ(fold_envid(id.xtext(), mtrk).size(), id.xtext().size() + fold_size(mtrk));
  }
}

TEST(SubmissionTest, MtrkBeatsDsn) {
  EXPECT_EQ(carrier_for({.mtrk = true, .dsn = true}), Carrier::mtrk);
  EXPECT_EQ(carrier_for({.dsn = true}), Carrier::folded);
  EXPECT_EQ(carrier_for({}), Carrier::none);
}

TEST(SubmissionTest, OrcptIsTheRecipientAsXtext) {  // DSNX-4.2-01, -04
  EXPECT_EQ(format_rcpt("a+b@c", Carrier::mtrk), "RCPT TO:<a+b@c> ORCPT=rfc822;a+2Bb@c");
  EXPECT_EQ(format_rcpt("a+b@c", Carrier::none), "RCPT TO:<a+b@c>");
}

TEST(FormatDataTest, StuffsDotsAndNormalisesLineEnds) {
  const struct {
    const char* message;
    const char* want;
  } cases[] = {
      {"", ".\r\n"},
      {"a", "a\r\n.\r\n"},
      {"a\n", "a\r\n.\r\n"},
      {"a\r\nb\r\n", "a\r\nb\r\n.\r\n"},
      {"a\rb", "a\r\nb\r\n.\r\n"},
      {"\n\n", "\r\n\r\n.\r\n"},
      {".\n..\n.x", "..\r\n...\r\n..x\r\n.\r\n"},
      {"a\n.\r\nMAIL FROM:<x>\r\n", "a\r\n..\r\nMAIL FROM:<x>\r\n.\r\n"},  // no smuggling
      {"a\r.\r\n", "a\r\n..\r\n.\r\n"},
  };
  for (const auto& c : cases) {
    EXPECT_EQ(format_data(c.message), c.want);
  }
}

}  // namespace
}  // namespace mtrk::smtp
