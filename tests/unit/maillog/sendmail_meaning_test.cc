#include "common/maillog/sendmail_meaning.h"

#include "common/maillog/sendmail_record.h"

#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <vector>

namespace mtrk::maillog {
namespace {

using trace::Last;

const std::vector<std::string> kGates = {"127.0.0.1:10023", "[::1]:10023"};

// Of a record "to=<b@r.example>, …" with this end.
std::optional<SendmailMeaning> meaning(const std::string& relay,
                                       const std::string& dsn,
                                       const std::string& end) {
  SendmailDelivery delivery{};
  const std::string record =
      "to=<b@r.example>, delay=00:00:01, xdelay=00:00:01, mailer=relay, pri=30000, relay=" + relay +
      ", dsn=" + dsn + ", " + end;
  EXPECT_TRUE(parse_sendmail_delivery(record, delivery)) << record;
  return sendmail_meaning_of(delivery.attempt, kGates);
}

// MTSN-3.3.3-11: what the gate says of its next hop counts, in its place.
TEST(SendmailMeaningTest, BelievesTheTagOfAConfiguredGate) {
  for (const char* gate :
       {"[127.0.0.1] [127.0.0.1]", "localhost. [127.0.0.1]", "x [IPv6:::1]", "x [::1]"}) {
    const auto passed =
        meaning(gate, "2.0.0", "stat=Sent (mtrk-gate=transferred/mx.x[192.0.2.1]:25 Ok)");
    ASSERT_TRUE(passed) << gate;
    EXPECT_EQ(passed->last, Last::transferred) << gate;
    EXPECT_EQ(format_enhanced_status(passed->status), "2.4.0");
    EXPECT_EQ(passed->remote_mta, "mx.x");
    EXPECT_FALSE(passed->loopback) << "it is no filter";
  }
  const auto relayed = meaning("[127.0.0.1] [127.0.0.1]", "2.0.0",
                               "stat=Sent (mtrk-gate=relayed/[192.0.2.1]:25 Ok: queued as A)");
  EXPECT_EQ(relayed->last, Last::relayed);
  EXPECT_EQ(relayed->remote_mta, "[192.0.2.1]");
}

TEST(SendmailMeaningTest, TheNextHopOfARefusalIsTheOneBehindTheGate) {
  const auto refused = meaning(
      "[127.0.0.1] [127.0.0.1]", "5.1.1",
      "reply=550 5.1.1 mtrk-gate=relayed/mx.x[192.0.2.1]:25 no such user, stat=User unknown");
  EXPECT_EQ(refused->last, Last::bounced);
  EXPECT_EQ(refused->remote_mta, "mx.x");
  const auto deferred = meaning(
      "[127.0.0.1] [127.0.0.1]", "4.7.1",
      "reply=451 4.7.1 mtrk-gate=relayed/mx.x[192.0.2.1]:25 later, stat=Deferred: 451 4.7.1 "
      "mtrk-gate=relayed/mx.x[192.0.2.1]:25 later");
  EXPECT_EQ(deferred->last, Last::deferred);
  EXPECT_EQ(deferred->remote_mta, "mx.x");
  const auto nowhere =
      meaning("[127.0.0.1] [127.0.0.1]", "5.1.10",
              "reply=556 5.1.10 r.example takes no mail, stat=Service unavailable");
  EXPECT_EQ(nowhere->last, Last::bounced);
  EXPECT_EQ(nowhere->remote_mta, "") << "the gate is this host";
  const auto named = meaning("mx.r.example. [127.0.0.1]", "5.1.1",
                             "reply=550 5.1.1 no such user, stat=User unknown");
  EXPECT_EQ(named->remote_mta, "mx.r.example") << "somebody else at that address";
}

TEST(SendmailMeaningTest, BelievesNobodyElseAndNothingInAnotherPlace) {
  const std::string tag = "mtrk-gate=transferred/mx.x[192.0.2.1]:25";
  const auto evil = meaning("mx.evil. [192.0.2.66]", "2.0.0", "stat=Sent (" + tag + " Ok)");
  EXPECT_EQ(evil->last, Last::relayed);
  EXPECT_EQ(evil->remote_mta, "mx.evil");
  const auto named = meaning("127.0.0.1. [192.0.2.66]", "2.0.0", "stat=Sent (" + tag + " Ok)");
  EXPECT_EQ(named->last, Last::relayed) << "a name that looks like the gate's address";
  for (const std::string& text : {"Ok " + tag, "x 2.0.0 " + tag, std::string("Ok")}) {
    const auto filter = meaning("[127.0.0.1] [127.0.0.1]", "2.0.0", "stat=Sent (" + text + ")");
    EXPECT_EQ(filter->last, Last::relayed) << text;
    EXPECT_TRUE(filter->loopback) << text;
  }
  // A final mailer has no next hop, whatever its output says.
  SendmailDelivery delivery{};
  const std::string local =
      "to=<b@r.example>, delay=00:00:01, xdelay=00:00:01, mailer=local, pri=30000, relay=x "
      "[127.0.0.1], dsn=2.0.0, stat=Sent (" +
      tag + ")";
  ASSERT_TRUE(parse_sendmail_delivery(local, delivery));
  EXPECT_EQ(sendmail_meaning_of(delivery.attempt, kGates)->last, Last::delivered);
}

}  // namespace
}  // namespace mtrk::maillog
