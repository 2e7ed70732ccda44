#include "mtqpd/chain/merge.h"

#include "common/track/confidentiality.h"
#include "common/track/tracking_report.h"
#include "tests/support/report_checker.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace mtrk::mtqpd {
namespace {

using mtrk::testing::ReportChecker;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::SizeIs;

constexpr char kId[] = "1@x.test";
constexpr char kNow[] = "Mon, 1 Jan 2001 15:15:15 -0500";

Recipient own_recipient(const std::string& address, const std::string& remote) {
  const TypedAddress typed{"rfc822", address};
  return {typed, typed,
          Transferred{*SuccessStatus::make({2, 4, 0}), TimePoint(Seconds(1)), {"dns", remote}},
          false};
}

// A part as a server writes it.
struct Part {
  std::string id = kId;
  std::string mta = "dns; b.example.test";
  std::string recipient = "u@x.test";
  std::string outcome =
      std::string("Action: delivered\r\nStatus: 2.1.5\r\nLast-Attempt-Date: ") + kNow + "\r\n";
  std::string final = {};

  [[nodiscard]] std::string text() const {
    return "Original-Envelope-Id: " + id + "\r\nReporting-MTA: " + mta +
           "\r\nArrival-Date: " + kNow + "\r\n\r\nOriginal-Recipient: rfc822; " + recipient +
           "\r\nFinal-Recipient: rfc822; " + (final.empty() ? recipient : final) + "\r\n" + outcome;
  }
};

class ChainMergeTest : public ::testing::Test {
 protected:
  ChainMergeTest() {
    TrackedMessage message;
    message.reporting_mta = {"dns", "a.example.test"};
    message.arrival = TimePoint(Seconds(978380115));
    message.recipients = {own_recipient("u@x.test", "b.example.test"),
                          own_recipient("w@x.test", "other.example.test")};
    const TypedAddress here{"rfc822", "here@x.test"};
    message.recipients.push_back(
        {here, here, Delivered{*SuccessStatus::make({2, 1, 5}), {TimePoint(), {}}}, false});
    own_.push_back(message);
  }

  std::vector<TrackedMessage> accept(const std::vector<Part>& parts) {
    std::vector<TrackingStatus> statuses;
    for (const Part& part : parts) {
      statuses.push_back(parse_tracking_status(part.text()).value());
    }
    return accept_parts(statuses, "b.example.test", {kId, own_, rules_});
  }
  std::string own_report() {
    std::string report;
    append_report(report, kId, MessageViews(own_).messages(), "boundary-1");
    return report;
  }
  static std::string relayed(const std::string& remote, const std::string& action = "relayed") {
    return "Action: " + action + "\r\nStatus: " + (action == "relayed" ? "2.1.9" : "2.4.0") +
           "\r\nRemote-MTA: dns; " + remote + "\r\nLast-Attempt-Date: " + kNow + "\r\n";
  }

  ChainRules rules_{{"example.test"}, false};
  std::vector<TrackedMessage> own_;
};

TEST_F(ChainMergeTest, PartsFollowTheOwnOne) {  // MTQP-2.4-02, MTSN-3-04, example 10
  const auto onward = accept({Part{}});
  ASSERT_THAT(onward, SizeIs(1));
  const std::string own = own_report();
  std::string report = own;
  EXPECT_EQ(append_parts(report, kId, MessageViews(onward).messages(), 1 << 20), 1U);
  const auto checked = ReportChecker::check(report);
  EXPECT_EQ(checked.problem, "") << report;
  EXPECT_EQ(checked.parts, 2U);
  // The own part is as it was, with the referral.
  EXPECT_TRUE(report.starts_with(own.substr(0, own.rfind("\r\n--boundary-1--"))));
  const auto parsed = parse_report(report);
  ASSERT_TRUE(parsed);
  EXPECT_EQ((*parsed)[0].recipients.front().action, Action::transferred);
  EXPECT_EQ((*parsed)[1].reporting_mta, (MtaName{"dns", "b.example.test"}));
  EXPECT_EQ((*parsed)[1].recipients.front().action, Action::delivered);
}

TEST_F(ChainMergeTest, OnlyAboutTheMessageAskedFor) {
  EXPECT_THAT(accept({Part{.id = "2@x.test"}, Part{.id = ""}}), SizeIs(0));
  EXPECT_THAT(accept({Part{.id = "<1@x.test>"}}), SizeIs(1));
}

TEST_F(ChainMergeTest, OnlyByServersThatMaySpeak) {  // THR-X7: a forged Reporting-MTA
  for (const char* mta : {"dns; a.example.test", "dns; A.EXAMPLE.TEST", "dns; bank.example",
                          "x-local-hostname; mailbox", "x; y", "dns; 10.0.0.1"}) {
    EXPECT_THAT(accept({Part{.mta = mta}}), SizeIs(0)) << mta;
  }
  EXPECT_THAT(accept({Part{.mta = "dns; c.example.test"}}), SizeIs(1));
  EXPECT_THAT(accept({Part{.mta = "x-local-hostname; b.example.test"}}), SizeIs(1));
}

TEST_F(ChainMergeTest, OnlyOfRecipientsThatWentThere) {
  EXPECT_THAT(accept({Part{.recipient = "stranger@x.test"}, Part{.recipient = "here@x.test"},
                      Part{.recipient = "w@x.test"}}),
              SizeIs(0));
  EXPECT_THAT(accept({Part{.recipient = "U@X.test"}}), SizeIs(1));
}

TEST_F(ChainMergeTest, FollowsRecipientsThatWereRedirected) {
  const std::vector<Part> parts{{.final = "new@y.test"},
                                {.mta = "dns; c.example.test", .recipient = "new@y.test"}};
  EXPECT_THAT(accept(parts), SizeIs(2));
  EXPECT_THAT(accept({parts[1]}), SizeIs(0));
}

TEST_F(ChainMergeTest, OnlyGroupsThatTheRfcAllows) {
  for (const char* outcome :
       {"Action: delivered\r\nStatus: 2.1.5\r\n", "Action: stolen\r\nStatus: 2.1.5\r\n",
        "Action: relayed\r\nStatus: 2.1.5\r\n", "Status: 2.1.5\r\n", "Action: opaque\r\n"}) {
    EXPECT_THAT(accept({Part{.outcome = outcome}}), SizeIs(0)) << outcome;
  }
}

TEST_F(ChainMergeTest, NothingOfTheTextIsCopied) {  // THR-C6
  Part part;
  part.mta = "dns; b.example.test (--boundary-1 hello)";
  part.outcome += "X-Evil: yes\r\n--boundary-1--\r\n+OK\r\n.\r\n";
  part.final = "u\x01\x7f@\xff.test --boundary-1--";
  const auto onward = accept({part});
  ASSERT_THAT(onward, SizeIs(1));
  std::string report = own_report();
  EXPECT_EQ(append_parts(report, kId, MessageViews(onward).messages(), 1 << 20),
            0U);  // our boundary is in it
  EXPECT_EQ(report, own_report());
  std::string other;
  append_report(other, kId, MessageViews(own_).messages(), "boundary-2");
  EXPECT_EQ(append_parts(other, kId, MessageViews(onward).messages(), 1 << 20), 1U);
  EXPECT_EQ(ReportChecker::check(other).problem, "") << other;
  EXPECT_THAT(other, Not(HasSubstr("X-Evil")));
}

TEST_F(ChainMergeTest, TheAnswerHasALimit) {  // THR-P8
  std::vector<Part> parts(30);
  const auto onward = accept(parts);
  ASSERT_THAT(onward, SizeIs(30));
  std::string report = own_report();
  const std::size_t added = append_parts(report, kId, MessageViews(onward).messages(), 2000);
  EXPECT_GT(added, 0U);
  EXPECT_LT(added, 30U);
  EXPECT_LE(report.size(), 2000U);
  EXPECT_EQ(ReportChecker::check(report).parts, 1 + added);
}

TEST_F(ChainMergeTest, HostsOfOursAreDisguised) {  // MTQP-2.4-02, example 12
  const auto parts = accept(
      {{.outcome = relayed("c.example.test", "transferred"), .final = "u@store.example.test"},
       {.mta = "dns; c.example.test", .outcome = relayed("outside.example")}});
  ASSERT_THAT(parts, SizeIs(2));
  MessageViews views(parts);
  const std::span<MessageView> onward = views.messages();
  const TypedView own{"dns", "a.example.test"};
  disguise_hosts(onward, own);
  EXPECT_EQ(onward[0].reporting_mta, own);
  EXPECT_EQ(onward[0].recipients[0].action, Action::relayed);
  EXPECT_EQ(onward[0].recipients[0].remote_mta, std::nullopt);
  EXPECT_EQ(onward[0].recipients[0].final.value, "u@x.test");
  EXPECT_EQ(onward[1].reporting_mta, own);
  EXPECT_EQ(onward[1].recipients[0].remote_mta, (TypedView{"dns", "outside.example"}));
  MessageViews shown(own_);
  Confidentiality hidden;
  hidden.hide_hosts = true;
  apply_confidentiality(shown.messages()[0], hidden);
  std::string report;
  append_report(report, kId, shown.messages(), "boundary-1");
  EXPECT_EQ(append_parts(report, kId, onward, 1 << 20), 2U);
  EXPECT_EQ(ReportChecker::check(report).problem, "") << report;
  for (const char* name : {"b.example.test", "c.example.test", "store.example.test"}) {
    EXPECT_THAT(report, Not(HasSubstr(name)));
  }
}

TEST_F(ChainMergeTest, HostsOfOthersKeepTheirNames) {
  rules_.domains = {"*"};
  const auto parts = accept({Part{.mta = "dns; c.partner.example"}});
  MessageViews views(parts);
  disguise_hosts(views.messages(), {"dns", "a.example.test"});
  EXPECT_EQ(views.messages()[0].reporting_mta.value, "c.partner.example");
}

TEST_F(ChainMergeTest, TheFinalHopSpeaksForAll) {  // MTQP-2.4-02, example 11
  const auto onward = accept({{.outcome = relayed("c.example.test", "transferred")},
                              {.mta = "dns; c.example.test",
                               .outcome = std::string("Action: failed\r\nStatus: 5.2.2\r\n")}});
  ASSERT_THAT(onward, SizeIs(2));
  std::vector<TrackedMessage> own = own_;
  EXPECT_EQ(adopt_final_outcomes(own, onward, rules_), 1U);
  EXPECT_EQ(own[0].recipients[0].outcome, Outcome(Failed{*FailureStatus::make({5, 2, 2}), {}}));
  EXPECT_EQ(own[0].recipients[0].final.value, "u@x.test");
  EXPECT_EQ(own[0].recipients[1], own_[0].recipients[1]);  // nobody knew more
  EXPECT_EQ(own[0].recipients[2], own_[0].recipients[2]);
}

TEST_F(ChainMergeTest, OpaqueIsNoNews) {
  const auto onward = accept({Part{.outcome = "Action: opaque\r\nStatus: 2.0.0\r\n"}});
  ASSERT_THAT(onward, SizeIs(1));
  std::vector<TrackedMessage> own = own_;
  EXPECT_EQ(adopt_final_outcomes(own, onward, rules_), 0U);
  EXPECT_EQ(own, own_);
}

TEST_F(ChainMergeTest, Utf8AddressesAreKnownInBothForms) {  // A-37, RFC 6533
  own_[0].recipients[0].original = own_[0].recipients[0].final = {"utf-8", "\xce\xb4@x.test"};
  TrackingStatus status = parse_tracking_status(Part{}.text()).value();
  status.recipients[0].original = status.recipients[0].final = {"utf-8", "\\x{3B4}@x.test"};
  EXPECT_THAT(accept_parts({&status, 1}, "b.example.test", {kId, own_, rules_}), SizeIs(1));
}

}  // namespace
}  // namespace mtrk::mtqpd
