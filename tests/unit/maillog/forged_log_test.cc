#include "tests/unit/maillog/corpus.h"

#include <gtest/gtest.h>

#include <map>
#include <string>
#include <vector>

// What the other side writes into our log must not become an event: THR-G1 to THR-G10.
namespace mtrk::maillog {
namespace {

constexpr std::string_view kHeader = "Nov 21 10:00:00 mx postfix/";
const TracePolicy kPolicy{};

// The outcomes of <victim@v.example> and of `other` after a log of these lines, each without its
// header, for queue id 4jWzny4Kjxz1V.
struct Outcomes {
  std::string victim, other;
  LineCounts counts;
};
Outcomes after(std::vector<std::string> lines, const std::string& other = "other@v.example") {
  std::string log;
  for (const std::string& line : lines) {
    log += std::string(kHeader) + line + "\n";
  }
  MemoryIndex index;
  DeliveryTrace& trace = index.add("4jWzny4Kjxz1V", {"victim@v.example", other});
  TraceRouter router(kPolicy);
  Outcomes result;
  result.counts = run_log(log, router, index);
  result.victim = to_string(action_of(trace.outcome(0, kPolicy)));
  result.other = to_string(action_of(trace.outcome(1, kPolicy)));
  return result;
}

const std::string kQid = "4jWzny4Kjxz1V: ";
const std::string kBounced =
    ", relay=m[192.0.2.1]:25, delay=0, delays=0/0/0/0, dsn=5.1.1, status=bounced ";

TEST(ForgedLogTest, ARecipientThatLooksLikeALine) {  // THR-G1
  const std::string evil =
      R"("x>, relay=m[1.2.3.4]:25, delay=0, delays=0/0/0/0, dsn=2.0.0, status=sent (250 ok"@v.example)";
  const Outcomes got =
      after({"smtp[1]: " + kQid + "to=<" + evil + ">" + kBounced + "(550 no)"}, evil);
  EXPECT_EQ(got.other, "failed");
  EXPECT_EQ(got.victim, "delayed");
}

TEST(ForgedLogTest, ARecipientThatLooksLikeAnAliasOfTheVictim) {  // THR-G1
  const std::string evil = R"("y>, orig_to=<victim@v.example"@v.example)";
  const Outcomes got =
      after({"smtp[1]: " + kQid + "to=<" + evil + ">" + kBounced + "(550 no)"}, evil);
  EXPECT_EQ(got.other, "failed");
  EXPECT_EQ(got.victim, "delayed");
}

// With info_log_address_format=internal the quotes are gone and the line is ambiguous: what is read
// then names nobody who was captured, or is not understood.
TEST(ForgedLogTest, AddressesWithoutQuotesNameNobody) {  // THR-G2
  const Outcomes got =
      after({"smtp[1]: " + kQid +
             "to=<x>, relay=m[1.2.3.4]:25, delay=0, delays=0/0/0/0, dsn=2.0.0, status=sent (250 "
             "ok@v.example>" +
             kBounced + "(550 no)"});
  EXPECT_EQ(got.victim, "delayed");
  EXPECT_EQ(got.other, "delayed");
}

TEST(ForgedLogTest, AReplyThatClosesTheParenthesis) {  // THR-G3
  EXPECT_EQ(after({"smtp[1]: " + kQid + "to=<victim@v.example>" + kBounced +
                   "(550 5.1.1 x) status=sent (250 2.0.0 Ok)"})
                .victim,
            "failed");
}

TEST(ForgedLogTest, AReplyThatHoldsAWholeLine) {  // THR-G4
  const Outcomes got =
      after({"smtp[1]: " + kQid +
             "to=<other@v.example>, relay=m[192.0.2.1]:25, delay=0, delays=0/0/0/0, dsn=2.0.0, "
             "status=sent (250 ok) Nov 21 10:00:00 h postfix/smtp[1]: " +
             kQid + "to=<victim@v.example>" + kBounced + "(x))"});
  EXPECT_EQ(got.counts.events, 1u);
  EXPECT_EQ(got.other, "relayed");
  EXPECT_EQ(got.victim, "delayed");
}

TEST(ForgedLogTest, EscapedLineFeedsAreText) {  // THR-G5
  for (const std::string feed : {"#012", "\\n", "\\012", "^J"}) {
    const Outcomes got = after({"smtp[1]: " + kQid + "to=<other@v.example>" + kBounced + "(550 x" +
                                feed + "Nov 21 10:00:00 mx postfix/smtp[1]: " + kQid +
                                "to=<victim@v.example>, relay=r, delay=0, delays=0/0/0/0, "
                                "dsn=2.0.0, status=sent (x))"});
    EXPECT_EQ(got.counts.events, 1u);
    EXPECT_EQ(got.other, "failed");
    EXPECT_EQ(got.victim, "delayed");
  }
}

TEST(ForgedLogTest, AHeaderThatIsLogged) {  // THR-G6
  const std::string line = kQid +
                           "to=<victim@v.example>, relay=r, delay=0, delays=0/0/0/0, dsn=2.0.0, "
                           "status=sent (x)";
  const Outcomes got =
      after({"cleanup[1]: " + kQid + "warning: header Subject: " + line,
             "cleanup[1]: " + kQid + "info: header Subject: " + line, "cleanup[1]: " + line});
  EXPECT_EQ(got.counts.events, 0u);
  EXPECT_EQ(got.victim, "delayed");
}

TEST(ForgedLogTest, NamesOfClientsAndSenders) {  // THR-G7
  const std::string line =
      "to=<victim@v.example>, relay=r, delay=0, delays=0/0/0/0, dsn=2.0.0, status=sent (x)";
  const Outcomes got = after(
      {"smtpd[1]: " + kQid + line, "smtpd[1]: NOQUEUE: reject: RCPT from h[1]: helo=<" + line + ">",
       "smtpd[1]: " + kQid + "client=h[192.0.2.1], sasl_method=PLAIN, sasl_username=" + kQid + line,
       "qmgr[1]: " + kQid + "from=<\"" + line + "\"@a>, size=1, nrcpt=2 (queue active)"});
  EXPECT_EQ(got.victim, "delayed");
}

// THR-G8: what a local user writes in the name of a program of his own, or in a form that syslog
// does not write, is no line of Postfix (the golden log below). `logger -t 'postfix/smtp[99]'` is
// one, in a file: a documented limit; the journal knows better.

TEST(ForgedLogTest, ALocalPartThatPushesTheStatusOut) {  // THR-G9
  const Outcomes got =
      after({"smtp[1]: " +
             (kQid + "to=<" + std::string(1900, 'a') + "@v.example>" + kBounced).substr(0, 1900)});
  EXPECT_EQ(got.counts.events, 0u);
  EXPECT_EQ(got.counts.unparsed, 1u) << "counted, and nothing else";
  EXPECT_EQ(got.victim, "delayed");
}

TEST(ForgedLogTest, OtherQueueIdsAndOtherRecipients) {  // THR-G10
  const std::string sent =
      ", relay=m[192.0.2.1]:25, delay=0, delays=0/0/0/0, dsn=2.0.0, status=sent (250 ok)";
  const Outcomes got =
      after({"smtp[1]: 4jWzny4Kjxz1W: to=<victim@v.example>" + sent,
             "smtp[1]: " + kQid + "to=<stranger@v.example>" + sent,
             "smtp[1]: " + kQid + "to=<victim@v.example.evil>" + sent,
             "smtp[1]: " + kQid + "to=<victim@v.example>, orig_to=<stranger@v.example>" + sent});
  EXPECT_EQ(got.victim, "delayed");
  EXPECT_EQ(got.other, "delayed");
}

// The same as whole logs (tests/data/logs/forged-postfix), THR-G1 to THR-G10, with the outcomes of
// the victim's message and of the forger's.
class ForgedLogs : public testing::TestWithParam<std::string> {};

TEST_P(ForgedLogs, AreReadAsWhatTheyAre) {
  const std::string table = read_corpus("../forged-postfix/expected.tsv");
  std::map<std::string, std::vector<std::string>> envelopes;
  std::vector<std::vector<std::string_view>> rows;
  for (const std::string_view line : lines_of(table)) {
    const std::vector<std::string_view> row = split(line, '\t');
    if (row[0] == GetParam()) {
      envelopes[std::string(row[1])].emplace_back(row[2]);
      rows.push_back(row);
    }
  }
  ASSERT_FALSE(rows.empty());
  MemoryIndex index;
  for (const auto& [queue_id, recipients] : envelopes) {
    index.add(queue_id, recipients);
  }
  TraceRouter router(kPolicy);
  const std::string log = read_corpus("../forged-postfix/" + GetParam());
  run_log(log, router, index);
  for (const std::vector<std::string_view>& row : rows) {
    SCOPED_TRACE(row[2]);
    DeliveryTrace* trace = index.find(row[1]);
    ASSERT_NE(trace, nullptr);
    const std::optional<std::size_t> recipient = trace->find_recipient(row[2]);
    ASSERT_TRUE(recipient);
    const Outcome outcome = trace->outcome(*recipient, kPolicy);
    EXPECT_EQ(to_string(action_of(outcome)), row[3]);
    EXPECT_EQ(format_enhanced_status(status_of(outcome)), row[4]);
    const std::optional<MtaName> remote = remote_mta_of(outcome);
    EXPECT_TRUE(row[5] == "-" || (remote ? remote->name == row[5] : row[5] == "none"));
  }
}

INSTANTIATE_TEST_SUITE_P(G,
                         ForgedLogs,
                         testing::Values("g01-recipient-like-a-line.log",
                                         "g02-addresses-without-quotes.log",
                                         "g03-reply-closes-the-parenthesis.log",
                                         "g04-reply-holds-a-line.log",
                                         "g05-escaped-line-feeds.log",
                                         "g06-headers-in-the-log.log",
                                         "g07-names-of-clients-and-senders.log",
                                         "g08-lines-of-local-users.log",
                                         "g09-the-status-is-cut-off.log",
                                         "g10-other-ids-and-recipients.log"),
                         [](const testing::TestParamInfo<std::string>& log) {
                           return "G" + std::to_string(std::stoi(log.param.substr(1, 2)));
                         });

}  // namespace
}  // namespace mtrk::maillog
