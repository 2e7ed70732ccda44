#include "common/track/tracking_status.h"

#include "common/track/tracking_report.h"

#include <gtest/gtest.h>

namespace mtrk {
namespace {

TimePoint at(int hour, int minute, int second) {  // 1 January 2001, -0500
  return std::chrono::sys_days{std::chrono::year{2001} / 1 / 1} + std::chrono::hours(hour + 5) +
         Minutes(minute) + Seconds(second);
}

TrackedMessage golden_message(Outcome outcome) {
  TrackedMessage message;
  message.reporting_mta = {"dns", "mx.example2.com"};
  message.arrival = at(15, 15, 15);
  message.utc_offset = Minutes(-300);
  const TypedAddress user{"rfc822", "user1@example1.com"};
  message.recipients.push_back({user, user, std::move(outcome)});
  return message;
}

OutcomeFields attempted(Action action, EnhancedStatus status) {
  return {action, status, MtaName{"dns", "mx.example3.com"}, at(19, 15, 3), std::nullopt};
}

constexpr std::string_view kEnvelopeId = "12345-20010101@example.com";

TEST(TrackingReportTest, GoldenG1) {  // MTSN-3-01 to MTSN-3.3.6-01, DSNF-2.2.5-01, A-13
  // MTSN-3-01 to -03, MTSN-3.1-01, MTSN-3.1-05, MTSN-3.2-02, MTSN-3.3.2-01, MTSN-3.3.3-01,
  // MTSN-3.3.3-05, MTSN-3.3.4-01, MTSN-3.3.6-01, MTQP-4-05, REL-01, REL-03, DSNF-2.3.5-01,
  // DSNX-6.3-04
  OutcomeFields fields{Action::delivered, {2, 1, 5}, std::nullopt, at(15, 15, 16), std::nullopt};
  const TrackedMessage message = golden_message(*make_outcome(fields));
  std::string out;
  append_report(out, kEnvelopeId, MessageViews({&message, 1}).messages(), "b1");
  EXPECT_EQ(out,
            "Content-Type: multipart/related; boundary=\"b1\"; type=\"message/tracking-status\"\r\n"
            "\r\n"
            "--b1\r\n"
            "Content-Type: message/tracking-status\r\n"
            "\r\n"
            "Original-Envelope-Id: 12345-20010101@example.com\r\n"
            "Reporting-MTA: dns; mx.example2.com\r\n"
            "Arrival-Date: Mon, 1 Jan 2001 15:15:15 -0500\r\n"
            "\r\n"
            "Original-Recipient: rfc822; user1@example1.com\r\n"
            "Final-Recipient: rfc822; user1@example1.com\r\n"
            "Action: delivered\r\n"
            "Status: 2.1.5\r\n"
            "Last-Attempt-Date: Mon, 1 Jan 2001 15:15:16 -0500\r\n"
            "\r\n"
            "--b1--\r\n");
}

TEST(TrackingStatusTest, GoldenG2ToG7) {  // MTSN-3.3-01, MTSN-3.3.5-01, MTSN-3.3.7-02, A-14, A-31
  // MTSN-3.3.3-03, MTSN-3.3.3-07, MTSN-3.3.3-09, MTSN-3.3.3-11, MTSN-3.3.3-13, MTSN-3.3.5-02,
  // MTSN-3.3.6-02, MTSN-3.3.7-01, MTQP-4-11, DSNX-6.3-06
  const std::string remote = "Remote-MTA: dns; mx.example3.com\r\n";
  const std::string last = "Last-Attempt-Date: Mon, 1 Jan 2001 19:15:03 -0500\r\n";
  const std::string retry = "Will-Retry-Until: Thu, 4 Jan 2001 15:15:15 -0500\r\n";
  const TimePoint until = at(15, 15, 15) + std::chrono::days(3);
  OutcomeFields delayed = attempted(Action::delayed, {4, 4, 1});
  delayed.will_retry_until = until;
  OutcomeFields expanded = attempted(Action::expanded, {2, 1, 5});
  expanded.remote_mta.reset();
  const std::pair<Outcome, std::string> table[] = {
      {*make_outcome(attempted(Action::transferred, {2, 4, 0})),
       "Action: transferred\r\nStatus: 2.4.0\r\n" + remote + last},
      {*make_outcome(attempted(Action::relayed, {2, 1, 9})),
       "Action: relayed\r\nStatus: 2.1.9\r\n" + remote + last},
      {*make_outcome(delayed), "Action: delayed\r\nStatus: 4.4.1\r\n" + remote + last + retry},
      {never_tried(until), "Action: delayed\r\nStatus: 4.0.0\r\n" + retry},
      {*make_outcome(attempted(Action::failed, {5, 1, 1})),
       "Action: failed\r\nStatus: 5.1.1\r\n" + remote + last},
      {*make_outcome(expanded), "Action: expanded\r\nStatus: 2.1.5\r\n" + last},
      {Opaque{}, "Action: opaque\r\nStatus: 2.0.0\r\n"},
  };
  for (const auto& [outcome, group] : table) {
    std::string out;
    const TrackedMessage message = golden_message(outcome);
    append_recipient_groups(out, MessageViews({&message, 1}).messages().front());
    EXPECT_EQ(out,
              "\r\nOriginal-Recipient: rfc822; user1@example1.com\r\nFinal-Recipient: rfc822; "
              "user1@example1.com\r\n" +
                  group);
  }
}

TEST(TrackingReportTest, TransactionsWithOneMtaAndArrivalShareAPart) {  // A-29, MTSN-3-04
  // MTSN-3-03, DSNF-2.2.2-01, REL-02
  std::vector<TrackedMessage> messages(4, golden_message(Opaque{}));
  messages[0].arrival += Seconds(1);
  messages[1].reporting_mta.name = "mx9.example2.com";
  messages[3].recipients[0].final.value = "user2@example1.com";
  TrackedMessage nobody = golden_message(Opaque{});
  nobody.recipients.clear();
  messages.push_back(nobody);
  std::string out("kept");
  append_report(out, kEnvelopeId, MessageViews(messages).messages(), "b1");
  EXPECT_EQ(out.substr(0, 4), "kept");
  const auto times = [&out](std::string_view text) {
    int count = 0;
    for (std::size_t i = out.find(text); i != std::string::npos; i = out.find(text, i + 1)) {
      ++count;
    }
    return count;
  };
  EXPECT_EQ(times("--b1\r\n"), 3);
  EXPECT_EQ(times("--b1--\r\n"), 1);
  EXPECT_EQ(times("Reporting-MTA:"), 3);
  EXPECT_EQ(times("Action:"), 4);
  // Two recipients of one part, parted by an empty line.
  EXPECT_EQ(times("2.0.0\r\n\r\nOriginal-Recipient: rfc822; user1@example1.com\r\nFinal-Recipient: "
                  "rfc822; user2"),
            1);
}

TEST(TrackingReportTest, BoundaryThatOccursInTheContentIsReplaced) {  // THR-P4
  // REL-04
  TrackedMessage message = golden_message(Opaque{});
  message.recipients[0].final.value = "x--b1--y@h";
  std::string out;
  append_report(out, kEnvelopeId, MessageViews({&message, 1}).messages(), "b1");
  EXPECT_EQ(out.find("\r\n--b1\r\n"), std::string::npos);
  EXPECT_NE(out.find("boundary=\"b1-mtrk-"), std::string::npos);
  EXPECT_NE(out.find("x--b1--y@h"), std::string::npos);
}

TEST(TrackingReportTest, BoundariesDifferAndAreLegal) {
  // REL-04
  const std::string boundary = make_boundary();
  EXPECT_NE(boundary, make_boundary());
  EXPECT_GE(boundary.size(), 32U);
  EXPECT_LE(boundary.size(), 70U);
}

}  // namespace
}  // namespace mtrk
