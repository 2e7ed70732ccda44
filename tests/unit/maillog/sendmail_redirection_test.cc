#include "common/maillog/log_parser.h"
#include "tests/unit/maillog/corpus.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

// What alias and forward records (LogLevel 11) say of a recipient.
namespace mtrk::maillog {
namespace {

const std::string kId = "6ALN9M56003130";
constexpr char kRecipient[] = "dave@example.test";

// The outcome of kRecipient after these records of kId.
std::string outcome_after(const std::vector<std::string>& records) {
  static const TracePolicy policy{Seconds(432000), {}};
  MemoryIndex index;
  DeliveryTrace& trace = index.add(kId, {kRecipient});
  TraceRouter router(policy);
  LogParser parser(Mta::sendmail);
  for (const std::string& record : records) {
    const std::string text = kId + ": " + record;
    LogLine line{};
    line.at = LogTime(Seconds(1'795'000'000));
    line.program = "sm-mta";
    line.text = text;
    EXPECT_EQ(parser.parse(line, [&](const DeliveryEvent& event) { router.route(event, index); }),
              LineKind::events)
        << record;
  }
  std::string encoded;
  trace.encode(encoded);
  std::string_view in = encoded;
  const Outcome outcome = DeliveryTrace::decode(in)->outcome(0, policy);
  return std::string(to_string(action_of(outcome))) + " " +
         format_enhanced_status(status_of(outcome));
}

const std::string kQueued =
    "from=<s@a.test>, size=21, class=0, nrcpts=1, msgid=<m@a.test>, proto=ESMTP, daemon=MTA, "
    "relay=mx.example.test [127.0.0.1]";
std::string sent(const std::string& to, const std::string& mailer) {
  return "to=" + to + ", delay=00:00:00, xdelay=00:00:00, mailer=" + mailer + ", pri=90319, " +
         (mailer == "local" ? "" : "relay=mx1.b.example. [192.0.2.1], ") + "dsn=2.0.0, stat=Sent" +
         (mailer == "local" ? "" : " (ok)");
}

TEST(SendmailRedirectionTest, OneTargetIsFollowed) {
  EXPECT_EQ(outcome_after({kQueued, "forward <dave@example.test> => home@b.example",
                           sent("home@b.example", "esmtp")}),
            "relayed 2.1.9");
}

TEST(SendmailRedirectionTest, ARecordForEachLineOfAForwardFileIsAnExpansion) {
  EXPECT_EQ(outcome_after({kQueued, "forward <dave@example.test> => home@b.example",
                           "forward <dave@example.test> => \\\\dave", sent("\\\\dave", "local"),
                           sent("home@b.example", "esmtp")}),
            "expanded 2.0.0");
}

TEST(SendmailRedirectionTest, TheSameRecordAgainIsARetry) {
  EXPECT_EQ(outcome_after({kQueued, "forward <dave@example.test> => home@b.example",
                           "forward <dave@example.test> => <Home@b.example>",
                           sent("home@b.example", "esmtp")}),
            "relayed 2.1.9");
}

}  // namespace
}  // namespace mtrk::maillog
