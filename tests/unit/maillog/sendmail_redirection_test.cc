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

const TracePolicy kPolicy{Seconds(432000), {}};

// The trace of a message to kRecipient after these records of kId, as the store gives it back.
DeliveryTrace trace_after(const std::vector<std::string>& records) {
  MemoryIndex index;
  DeliveryTrace& trace = index.add(kId, {kRecipient});
  TraceRouter router(kPolicy);
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
  return *DeliveryTrace::decode(in);
}

std::string outcome_after(const std::vector<std::string>& records) {
  const Outcome outcome = trace_after(records).outcome(0, kPolicy);
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

// MTRK-3.3-04, MTRK-3.3-07, MTRK-3.3-09: how many there are decides on passing the certifier on.
TEST(SendmailRedirectionTest, TargetsAreCountedAsFarAsTheLogNamesThem) {
  using Targets = DeliveryTrace::Targets;
  const struct {
    std::vector<std::string> records;
    Targets want;
  } cases[] = {
      {{}, Targets::unknown},
      {{"alias <dave@example.test> => home@b.example"}, Targets::one},
      {{"alias <dave@example.test> => dave2", "alias dave2 => home@b.example"}, Targets::one},
      {{"alias <dave@example.test> => dave2", "alias dave2 => erin, home@b.example"},
       Targets::several},
      {{"alias <dave@example.test> => :include:/etc/mail/list"}, Targets::several},
      {{"forward <dave@example.test> => home@b.example", "forward <dave@example.test> => \\\\dave"},
       Targets::several},
      {{"alias <dave@example.test> => " + std::string(90, 'a') + "..."}, Targets::unknown},
      {{"alias <dave@example.test> => erin", "alias erin => dave@example.test"}, Targets::unknown},
      // A list with an owner, also of one member.
      {{"alias <dave@example.test> => home@b.example", "6ALN9M57003130: clone: owner=erin"},
       Targets::several},
  };
  for (const auto& one : cases) {
    std::vector<std::string> records = {kQueued};
    records.insert(records.end(), one.records.begin(), one.records.end());
    const std::string last = one.records.empty() ? "" : one.records.back();
    const DeliveryTrace trace = trace_after(records);
    EXPECT_EQ(trace.targets(0), one.want) << last;
    EXPECT_EQ(trace.find_redirected("Home@b.example").has_value(), one.want == Targets::one)
        << last;
  }
}

}  // namespace
}  // namespace mtrk::maillog
