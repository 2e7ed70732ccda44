#include "common/track/mime.h"
#include "common/track/tracking_report.h"

#include <gtest/gtest.h>

#include <fstream>
#include <iterator>

namespace mtrk {
namespace {

std::string file(const std::string& name) {
  std::ifstream in(std::string(MTRK_TEST_DATA "/reports/like-rfc3887-") + name + ".txt",
                   std::ios::binary);
  EXPECT_TRUE(in) << name;
  return {std::istreambuf_iterator<char>(in), {}};
}

std::vector<TrackingStatus> report(const std::string& name) {
  return parse_report(file(name)).value();
}

std::string hour_of(const std::optional<ZonedTime>& time) {
  return time ? format_rfc5322_date(time->at, time->utc_offset).substr(16) : "absent";
}

// What every example of RFC 3887 §4.1 does, file by file. Each has the peculiarity that
// its name tells; all of them have an unquoted `type` without "message/" and the boundary %%%%.
TEST(ReportParserTest, DeliveredWithoutAttemptDate) {
  const TrackingStatus status = report("06-no-attempt-date").at(0);
  const MtaName reporting{"dns", "mx.east.example"};
  const TypedAddress ann{"rfc822", "ann@east.example"};
  EXPECT_EQ(status.original_envelope_id, "7.k3@sender.example");
  EXPECT_EQ(status.reporting_mta, reporting);
  EXPECT_EQ(hour_of(status.arrival), "09:30:00 +0100");
  ASSERT_EQ(status.recipients.size(), 1U);
  const ReportedRecipient& recipient = status.recipients[0];
  EXPECT_EQ(recipient.original, ann);
  EXPECT_EQ(recipient.final, ann);
  EXPECT_EQ(recipient.action, Action::delivered);
  EXPECT_EQ(format_enhanced_status(*recipient.status), "2.5.0");
  EXPECT_FALSE(recipient.last_attempt);
  EXPECT_TRUE(recipient.complete);
}

TEST(ReportParserTest, StatusAfterTheDatesAndWithoutBlank) {
  const TrackingStatus status = report("07-status-last").at(0);
  EXPECT_EQ(hour_of(status.arrival), "09:30:00 +0100");  // two blanks before the day
  const ReportedRecipient& recipient = status.recipients.at(0);
  EXPECT_EQ(recipient.action, Action::transferred);
  EXPECT_EQ(format_enhanced_status(*recipient.status), "2.4.0");
  EXPECT_EQ(recipient.remote_mta->name, "west.example");
  EXPECT_EQ(hour_of(recipient.last_attempt), "11:45:10 +0100");
  EXPECT_TRUE(recipient.complete);
}

TEST(ReportParserTest, OddHeaderAndCommentAfterStatus) {  // DSNF-2.1.1-01
  const ReportedRecipient recipient = report("08-odd-header-and-comment").at(0).recipients.at(0);
  EXPECT_EQ(recipient.action, Action::delayed);
  EXPECT_EQ(format_enhanced_status(*recipient.status), "4.4.1");
  EXPECT_EQ(hour_of(recipient.will_retry_until), " 09:30:00 +0100");
}

TEST(ReportParserTest, StatusWithoutColonIsSkipped) {
  const TrackingStatus status = report("09-status-without-colon").at(0);
  ASSERT_EQ(status.recipients.size(), 2U);
  EXPECT_EQ(status.recipients[0].action, Action::relayed);
  EXPECT_EQ(status.recipients[1].action, Action::failed);
  EXPECT_FALSE(status.recipients[1].status);
  EXPECT_FALSE(status.recipients[1].complete);
  EXPECT_EQ(status.recipients[1].remote_mta->name, "west.example");
}

TEST(ReportParserTest, SeveralPartsAndGroups) {  // MTSN-3-04
  const std::vector<TrackingStatus> two_parts = report("10-two-parts");
  ASSERT_EQ(two_parts.size(), 2U);
  EXPECT_EQ(two_parts[1].reporting_mta.name, "inner.west.example");
  EXPECT_EQ(two_parts[1].recipients.at(0).final.value, "robert@west.example");
  EXPECT_EQ(report("11-two-groups").at(0).recipients.size(), 2U);
  EXPECT_EQ(report("12-remote-is-reporting").size(), 2U);
}

TEST(ReportParserTest, ReadsBareLineFeedsToo) {
  std::string text = file("10-two-parts");
  for (std::size_t i = text.find('\r'); i != std::string::npos; i = text.find('\r')) {
    text.erase(i, 1);
  }
  EXPECT_EQ(parse_report(text)->size(), 2U);
}

TEST(ReportParserTest, EveryPrefixIsSurvived) {
  const std::string text = file("10-two-parts");
  for (std::size_t size = 0; size <= text.size(); ++size) {
    (void)parse_report(text.substr(0, size));
  }
}

TEST(ReportParserTest, KeepsToItsLimits) {
  const std::string text = file("10-two-parts");
  EXPECT_EQ(parse_report(text, {.octets = text.size() - 1, .parts = 32}).error().code,
            ErrorCode::too_long);
  EXPECT_EQ(parse_report(text, {.octets = text.size(), .parts = 1}).error().code,
            ErrorCode::too_long);
  EXPECT_TRUE(parse_report(text, {.octets = text.size(), .parts = 2}));
}

TEST(ReportParserTest, RefusesWhatIsNoReport) {
  for (const std::string_view text :
       {"", "\r\n", "Content-Type: text/plain\r\n\r\nhello\r\n",
        "Content-Type: multipart/related\r\n\r\n--\r\n",
        "Content-Type: multipart/related; boundary=\"\"\r\n\r\n--\r\n\r\nAction: failed\r\n",
        "Content-Type: multipart/related; boundary=b\r\n\r\n--b--\r\n",
        "Content-Type: multipart/related; boundary=b\r\n\r\n--b\r\nContent-Type: "
        "text/plain\r\n\r\nAction: failed\r\n",
        "Content-Type: multipart/related; boundary=b\r\n\r\n--b\r\n\r\nX-Only: extension\r\n"}) {
    EXPECT_FALSE(parse_report(text)) << text;
  }
}

TEST(ReportParserTest, NestedMultipartsAreNotFollowed) {
  const std::string_view text =
      "Content-Type: multipart/related; boundary=b\r\n\r\n"
      "--b\r\nContent-Type: multipart/related; boundary=c\r\n\r\n--c\r\n\r\nAction: "
      "failed\r\n--c--\r\n"
      "--b\r\nContent-Type: message/tracking-status\r\n\r\nReporting-MTA: dns; h\r\n\r\nAction: "
      "delayed\r\n--b--\r\n";
  const Expected<std::vector<TrackingStatus>> statuses = parse_report(text);
  ASSERT_EQ(statuses->size(), 1U);
  EXPECT_EQ(statuses->at(0).recipients.at(0).action, Action::delayed);
}

TEST(StatusParserTest,
     NamesInAnyCaseFoldedLinesAndExtensions) {  // DSNF-2.1.1-01, MTSN-3.4-01, A-16
  const TrackingStatus status =
      parse_tracking_status(
          "\r\nREPORTING-mta :\r\n\tdns;\r\n mx.example (192.0.2.1)\r\n"
          "X-Note: one\r\n  two\r\nno field at all\r\n with continuation\r\n"
          "\r\n \t\r\n"
          "action: DELIVERED (at last)\r\nX-Id: 7\r\nfinal-recipient: RFC822;u@d\r\n"
          "Action: failed\r\nDiagnostic-Code: smtp; 250 ok\r\n")
          .value();
  EXPECT_EQ(status.reporting_mta.name, "mx.example");
  ASSERT_EQ(status.extensions.size(), 1U);
  EXPECT_EQ(status.extensions[0].second, "one  two");
  ASSERT_EQ(status.recipients.size(), 1U);
  const ReportedRecipient& recipient = status.recipients[0];
  EXPECT_EQ(recipient.action, Action::delivered);  // the first counts
  EXPECT_EQ(recipient.final.type, "RFC822");
  EXPECT_EQ(recipient.original.type, "");
  EXPECT_EQ(recipient.extensions.size(), 2U);
  EXPECT_FALSE(recipient.complete);
}

TEST(StatusParserTest, UnknownActionIsOpaqueAndIncomplete) {  // MTSN-3.3.3-02
  const std::string_view group =
      "Reporting-MTA: dns; h\r\n\r\nOriginal-Recipient: rfc822; u@d\r\nFinal-Recipient: rfc822; "
      "u@d\r\n"
      "Action: vanished\r\nStatus: 2.0.0\r\n";
  const ReportedRecipient recipient = parse_tracking_status(group)->recipients.at(0);
  EXPECT_EQ(recipient.action, Action::opaque);
  EXPECT_FALSE(recipient.complete);
}

TEST(StatusParserTest, ValuesWithoutTypeAreUnknown) {  // ABNF-29, the draft's form
  const TrackingStatus status =
      parse_tracking_status(
          "Reporting-MTA: h\r\n\r\nFinal-Recipient: u@d\r\nRemote-MTA: dns; (none)\r\n")
          .value();
  const MtaName unknown{"unknown", "h"};
  EXPECT_EQ(status.reporting_mta, unknown);
  EXPECT_EQ(status.recipients.at(0).final.type, "unknown");
  EXPECT_EQ(status.recipients.at(0).final.value, "u@d");
  EXPECT_FALSE(status.recipients.at(0).remote_mta);
}

TEST(MimeTest, ContentTypeParameters) {
  struct Case {
    std::string_view value, media_type, boundary;
  };
  for (const Case& c :
       {Case{"", "", ""}, Case{"Multipart/Related", "multipart/related", ""},
        Case{"multipart/related; boundary=%%%%; type=x", "multipart/related", "%%%%"},
        Case{"multipart/related;type=\"a;boundary=no\";BOUNDARY=\"a;\\\"b\"", "multipart/related",
             "a;\"b"},
        Case{"m/r; boundary = x ;boundary=y", "m/r", "x"},
        Case{"m/r;;boundary;boundary=x", "m/r", "x"}, Case{"m/r; boundary=\"open", "m/r", "open"},
        Case{"m/r; boundary=\"open\\", "m/r", "open\\"}}) {
    const ContentType type = parse_content_type(c.value);
    EXPECT_EQ(type.media_type, c.media_type) << c.value;
    EXPECT_EQ(type.boundary, c.boundary) << c.value;
  }
}

TEST(MimeTest, DelimitersMayHaveTrailingBlanksAndThePartEndsBeforeThem) {  // REL-05
  const std::string_view body =
      "preamble\r\n--b \t\r\none\r\n--bb\r\n\r\n--b\r\n\r\n--b-- \r\n--b\r\nepilogue\r\n";
  const Expected<std::vector<std::string_view>> parts = split_multipart(body, "b", 9);
  ASSERT_EQ(parts->size(), 2U);
  EXPECT_EQ(parts->at(0), "one\r\n--bb\r\n");
  EXPECT_EQ(parts->at(1), "");
}

}  // namespace
}  // namespace mtrk
