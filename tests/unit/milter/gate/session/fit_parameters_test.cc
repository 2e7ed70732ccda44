#include "milter/gate/session/fit_parameters.h"

#include <gtest/gtest.h>

namespace mtrk::smtp {
namespace {

constexpr char kMail[] = "MAIL FROM:<a@b> SIZE=1 RET=HDRS BODY=7BIT ENVID=e@h MTRK=x AUTH=<>";
constexpr char kRcpt[] = "RCPT TO:<\"a NOTIFY=NEVER\"@b> NOTIFY=NEVER ORCPT=rfc822;a@b";

// DSNX-5.2.2-01
TEST(FitParametersTest, WhatIsNotOfferedIsTakenAway) {
  Extensions offered;
  EXPECT_EQ(fit_parameters(kMail, offered).line, "MAIL FROM:<a@b> MTRK=x AUTH=<>");
  EXPECT_EQ(fit_parameters(kRcpt, offered).line, "RCPT TO:<\"a NOTIFY=NEVER\"@b>");
  offered.mtrk = true;  // RFC 3885 §2 (4): both parameters are known to it
  EXPECT_EQ(fit_parameters(kMail, offered).line, "MAIL FROM:<a@b> ENVID=e@h MTRK=x AUTH=<>");
  EXPECT_EQ(fit_parameters(kRcpt, offered).line, "RCPT TO:<\"a NOTIFY=NEVER\"@b> ORCPT=rfc822;a@b");
  offered.dsn = offered.size = offered.eightbitmime = true;
  EXPECT_EQ(fit_parameters(kMail, offered).line, kMail);
  EXPECT_EQ(fit_parameters(kRcpt, offered).line, kRcpt);
}

TEST(FitParametersTest, AMessageThatCannotBeSentThereIsRefused) {
  const Extensions none;
  EXPECT_EQ(fit_parameters("MAIL FROM:<a@b> body=8bitmime", none).refusal.substr(0, 9),
            "554 5.6.3");
  EXPECT_EQ(fit_parameters("MAIL FROM:<a@b> smtputf8", none).refusal.substr(0, 9), "550 5.6.7");
  Extensions all;
  all.eightbitmime = all.smtputf8 = true;
  EXPECT_EQ(fit_parameters("MAIL FROM:<a@b> BODY=8BITMIME SMTPUTF8", all).refusal, "");
}

TEST(FitParametersTest, WhatCannotBeReadIsForTheServerToJudge) {
  for (const char* line : {"MAIL", "MAIL FROM:", "MAIL FROM:<a RET=HDRS"}) {
    EXPECT_EQ(fit_parameters(line, {}).line, line);
  }
}

}  // namespace
}  // namespace mtrk::smtp
