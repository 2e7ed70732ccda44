#include "common/maillog/attempt_meaning.h"
#include "common/maillog/postfix_log.h"
#include "tests/unit/maillog/corpus.h"

#include <gtest/gtest.h>

#include <map>
#include <string>
#include <vector>

// Lines of Postfix that are not quite as the stock releases write them: something behind the
// record, a record that was cut, further fields, addresses without brackets, programs that work for
// it. The logs are tests/data/logs/odd-postfix.
namespace mtrk::maillog {
namespace {

constexpr std::string_view kId = "4jWzny4Kjxz1V: ";

LineKind read(std::string_view text, std::string_view program, DeliveryEvent& event) {
  LogLine line{};
  line.program = program;
  line.text = text;
  return parse_postfix(line, event);
}

// What the line says of its recipient: "a@b sent relayed"; else "ignored", "unparsed".
std::string said(const std::string& fields, std::string_view program = "postfix/smtp") {
  DeliveryEvent event{};
  const std::string text = std::string(kId) + fields;
  switch (read(text, program, event)) {
    case LineKind::ignored:
      return "ignored";
    case LineKind::unparsed:
      return "unparsed";
    case LineKind::events:
      break;
  }
  const Attempt* attempt = std::get_if<Attempt>(&event.what);
  return attempt == nullptr
             ? std::string(event_name(event))
             : std::string(attempt->recipient) + " " + std::string(attempt->original) + " " +
                   std::string(attempt->status);
}

const std::string kRelay = ", relay=mx[192.0.2.1]:25";
const std::string kBounced = ", delay=0, delays=0/0/0/0, dsn=5.1.1, status=bounced (550 no)";
const std::string kSent = ", dsn=2.0.0, status=sent (250 ok)";

TEST(OddPostfixTest, FollowsAForwardedCopyWhereverItsIdIsWhole) {
  const std::string begin =
      std::string(kId) + "to=<a@b>, relay=local, delay=1, dsn=2.0.0, status=sent (";
  for (const std::string tail : {")", ")\r", ") ", ")\t", ")\"", ")$", ")\",", ")'", ")#015",
                                 ")\x1b[0m", ")\\r\\n", ")^M"}) {
    DeliveryEvent event{};
    const std::string text = begin + "forwarded as 4jWznz2T4sz3L" + tail;
    ASSERT_EQ(read(text, "postfix/local", event), LineKind::events) << tail;
    const Attempt& attempt = std::get<Attempt>(event.what);
    EXPECT_EQ(attempt.forwarded_as, "4jWznz2T4sz3L") << tail;
    EXPECT_EQ(attempt.text, "forwarded as 4jWznz2T4sz3L") << tail;
    EXPECT_FALSE(attempt.cut) << tail;
  }
}

// Whatever a log cuts, and wherever: nothing is ever called delivered that was handed on.
TEST(OddPostfixTest, ACutForwardedCopyIsNeverADelivery) {
  const std::string whole = "forwarded as 4jWznz2T4sz3L";
  for (const std::string_view program : {"postfix/local", "postfix"}) {
    for (std::size_t length = 0; length <= whole.size(); ++length) {
      for (const std::string mark : {"", "\r", " ", "...", " ..."}) {
        DeliveryEvent event{};
        const std::string text = std::string(kId) +
                                 "to=<a@b>, relay=local, delay=1, dsn=2.0.0, status=sent (" +
                                 whole.substr(0, length) + mark;
        ASSERT_EQ(read(text, program, event), LineKind::events);
        const Attempt& attempt = std::get<Attempt>(event.what);
        EXPECT_TRUE(attempt.cut);
        EXPECT_EQ(attempt.forwarded_as, "");
        if (mark != "\r") {  // taken off with the line's end
          EXPECT_EQ(meaning_of(attempt, {})->last, trace::Last::unknown) << text;
        }
      }
    }
  }
}

TEST(OddPostfixTest, ReadsTheOtherEventsWithLitterBehindThem) {
  for (const std::string tail :
       {"\r", " ", "\"", "$", "\",", "'", "#015", "\x1b[0m", "\\r", "^M"}) {
    const std::vector<std::pair<std::string, std::string>> cases = {
        {"removed", "removed"},
        {"requeued", "requeued"},
        {"expired", "force-expired"},
        {"placed on hold", "held"},
        {"released from hold", "released"},
        {"removed (canceled)", "rejected"},
        {"removed (discarded)", "discarded"},
        {"removed (some day)", "removed"},
        {"from=<a@b>, status=expired, returned to sender", "expired"},
        {"from=<a@b>, size=1, nrcpt=1 (queue active)", "queued"}};
    for (const auto& [text, want] : cases) {
      EXPECT_EQ(said(text + tail, "postfix/qmgr"), want) << text << tail;
    }
    DeliveryEvent event{};
    const std::string client = std::string(kId) + "client=localhost[127.0.0.1]" + tail;
    ASSERT_EQ(read(client, "postfix/smtpd", event), LineKind::events);
    EXPECT_EQ(std::get<Client>(event.what).client, "localhost[127.0.0.1]");
    const std::string id = std::string(kId) + "message-id=<a@b>" + tail;
    ASSERT_EQ(read(id, "postfix/cleanup", event), LineKind::events);
    EXPECT_EQ(std::get<MessageId>(event.what).message_id, "<a@b>");
    const std::string queued = std::string(kId) + "to=<a@b>" + kRelay +
                               ", dsn=2.0.0, status=sent (250 Ok: queued as A1B2C3D4)" + tail;
    ASSERT_EQ(read(queued, "postfix/smtp", event), LineKind::events);
    EXPECT_EQ(std::get<Attempt>(event.what).queued_as, "A1B2C3D4");
  }
  EXPECT_EQ(said("removed by force", "postfix/qmgr"), "ignored");
  EXPECT_EQ(said("expired since", "postfix/qmgr"), "ignored");
}

TEST(OddPostfixTest, SkipsFieldsThatItDoesNotKnow) {
  for (const std::string extra :
       {", notes=bare_lf", ", from=<s@x>", ", from=<>", ", notes=\"a, b\"", ", tls_verify=OK",
        ", x-new=1", ", attempts=3", ", envid=a=b@c", ", notes=two words", ", a=1, b=2, c=3",
        ", from=<\"x>, status=sent (y\"@z>"}) {
    for (const std::string& text :
         {"to=<a@b>" + extra + kRelay + kBounced, "to=<a@b>" + kRelay + extra + kBounced,
          "to=<a@b>" + kRelay + ", delay=0, delays=0/0/0/0" + extra +
              ", dsn=5.1.1, status=bounced (550 no)",
          "to=<a@b>" + kRelay + ", delay=0, delays=0/0/0/0, dsn=5.1.1" + extra +
              ", status=bounced (550 no)"}) {
      EXPECT_EQ(said(text), "a@b  bounced") << text;
    }
  }
  EXPECT_EQ(said("from=<s@x>, to=<a@b>" + kRelay + kBounced), "a@b  bounced");
  EXPECT_EQ(said("to=<a@b>, notes=x, orig_to=<c@d>" + kRelay + kBounced), "a@b c@d bounced");
}

// What the other side may get into such a field: no status= of its own is ever believed.
TEST(OddPostfixTest, AFieldThatItDoesNotKnowSmugglesNothing) {
  const std::string fake = ", delay=0, delays=0/0/0/0" + kSent;
  for (const std::string& text :
       {"to=<a@b>, helo=x" + kRelay + fake + kRelay + kBounced,
        "to=<a@b>" + kRelay + ", helo=x" + fake + kBounced,
        "to=<a@b>" + kRelay + ", helo=x, dsn=2.0.0, status=sent (250 ok" + kBounced,
        "to=<a@b>" + kRelay + ", helo=x, status=sent (250 ok, dsn=5.1.1, status=bounced (550 no)",
        "to=<a@b>" + kRelay + ", helo=\"x" + fake + kBounced,
        "to=<a@b>" + kRelay + ", helo=<x" + fake + kBounced,
        "to=<a@b>" + kRelay + ", helo=x, to=<victim@v>" + kBounced,
        "to=<a@b>" + kRelay + ", helo=x, orig_to=<victim@v>, orig_to=<c@d>" + kBounced,
        "to=<a@b>" + kRelay + ", helo=x" + kRelay + kBounced,
        // the log cut it: what follows the field may be missing
        "to=<a@b>" + kRelay + ", helo=x, delay=0, dsn=2.0.0, status=sent (250 ok"}) {
    EXPECT_EQ(said(text), "unparsed") << text;
  }
  // What ends a line of qmgr's ends none of an agent's.
  EXPECT_EQ(said("from=<s@x>, to=<a@b>" + kRelay +
                 ", notes=x, status=bounced (no, size=1, nrcpt=1 (queue active)"),
            "a@b  bounced");
  EXPECT_EQ(said("from=<s@x>, status=bounced (no, size=1, nrcpt=1 (queue active)"), "ignored");
  // Where a client fills it, it names no queue id.
  for (const std::string field : {"sasl_username=x", "sasl_method=x", "helo=x", "ident=\"x\""}) {
    DeliveryEvent event{};
    const std::string text =
        std::string(kId) + "client=a[192.0.2.9], " + field + ", orig_queue_id=EVIL01";
    ASSERT_EQ(read(text, "postfix/smtpd", event), LineKind::events);
    EXPECT_EQ(std::get<Client>(event.what).orig_queue_id, "") << field;
  }
  DeliveryEvent event{};
  const std::string text = std::string(kId) + "client=a[192.0.2.9], tls=may, orig_queue_id=A1B2C3";
  ASSERT_EQ(read(text, "postfix/smtpd", event), LineKind::events);
  EXPECT_EQ(std::get<Client>(event.what).orig_queue_id, "A1B2C3");
}

TEST(OddPostfixTest, ReadsAnAddressWithoutBracketsIfThatLeavesNoDoubt) {
  for (const std::string to : {"a@b", "&lt;a@b&gt;"}) {
    EXPECT_EQ(said("to=" + to + kRelay + kBounced), "a@b  bounced") << to;
  }
  EXPECT_EQ(said("to=a@b, orig_to=c@d" + kRelay + kBounced), "a@b c@d bounced");
  EXPECT_EQ(said("to=a@b, orig_to=<c@d>" + kRelay + kBounced), "a@b c@d bounced");
  EXPECT_EQ(said("to=<a@b>, orig_to=c@d" + kRelay + kBounced), "a@b c@d bounced");
  EXPECT_EQ(said("to=SRS0=x=y=z=a@b" + kRelay + kBounced), "SRS0=x=y=z=a@b  bounced");
  EXPECT_EQ(said("from=s@x, size=1, nrcpt=1 (queue active)", "postfix/qmgr"), "queued");
  EXPECT_EQ(said("from=, size=1, nrcpt=1 (queue active)", "postfix/qmgr"), "queued");
  for (const std::string& text :
       {"to=" + kRelay + kBounced, "to=a b@c" + kRelay + kBounced, "to=\"a\"@b" + kRelay + kBounced,
        "to=<a@b" + kRelay + kBounced, "to=a@b>" + kRelay + kBounced,
        "to=a@b,c@d" + kRelay + kBounced, "to=a@b" + kBounced,
        "to=a@b, notes=x" + kRelay + kBounced, "to=[a@b]" + kRelay + kBounced,
        "to=a@b" + kRelay + ", delay=0, dsn=2.0.0, status=sent (250 ok@c" + kRelay + kBounced}) {
    EXPECT_EQ(said(text), "unparsed") << text;
  }
}

TEST(OddPostfixTest, CountsWhatOnlyBeginsLikeADelivery) {
  for (const std::string text : {"to=", "to=a", "to =<a@b>, relay=x, status=sent (x)", "to: <a@b>",
                                 "To=<a@b>, relay=x, status=sent (x)", "orig_to=<a@b>, to=<c@d>",
                                 "from=<a@b>, to=c, status=sent", "TO=<a@b>", "to\t=<a@b>",
                                 "to={a@b}, relay=x, status=sent (x)"}) {
    EXPECT_EQ(said(text), "unparsed") << text;
    EXPECT_EQ(said(text, "postfix/smtpd"), "ignored") << "it delivers nothing: " << text;
  }
  EXPECT_EQ(said("table lookup problem"), "ignored");
  EXPECT_EQ(said("to be continued"), "ignored");
}

TEST(OddPostfixTest, FollowsMailScannerAndNobodyElse) {
  const auto origin = [](std::string_view program, std::string_view text) {
    DeliveryEvent event{};
    return read(text, program, event) == LineKind::events
               ? std::string(event.queue_id) + " was " + std::string(origin_of(event))
               : "";
  };
  for (const std::string_view program :
       {"MailScanner", "mailscanner", "MAILSCANNER", "EFA-MailScanner", "baruwa.mailscanner"}) {
    EXPECT_EQ(origin(program, "Requeue: 063FD412A2.A8366 to 9E02D664D3C"),
              "9E02D664D3C was 063FD412A2")
        << program;
  }
  for (const auto& [text, want] : std::vector<std::pair<std::string, std::string>>{
           {"Requeue: 3sK7N64rr3zJX5T.A6FFB to D74D7218040", "D74D7218040 was 3sK7N64rr3zJX5T"},
           {"Requeue: 063FD412A2.AE4DF to 3sK7N64rr3zJX5T", "3sK7N64rr3zJX5T was 063FD412A2"},
           {"Requeue: 3sK7N64rr3zJX5T to 3sK7N64rr4zJX5T", "3sK7N64rr4zJX5T was 3sK7N64rr3zJX5T"},
           {"Requeue: 063FD412A2.A8366 to 9E02D664D3C\r", "9E02D664D3C was 063FD412A2"},
           {"Requeue: 063FD412A2.A8366 to 9E02D664D3C again", ""},
           {"Requeue: 063FD412A2.A8366 to ", ""},
           {"Requeue: 063FD412A2.A8366", ""},
           {"Requeue: 06.A8366 to 9E02D664D3C", ""},
           {"Requeue: 063FD412A2 x to 9E02D664D3C", ""},
           {"Message 063FD412A2.A8366 from 192.0.2.1 (Requeue: A1B2C3 to D4E5F6) is spam", ""}}) {
    EXPECT_EQ(origin("MailScanner", text), want) << text;
  }
  for (const std::string_view program :
       {"", "postfix/smtpd", "postfix/mailscanner", "postfix", "logger", "mail-scanner", "clamd"}) {
    EXPECT_EQ(origin(program, "Requeue: 063FD412A2.A8366 to 9E02D664D3C"), "") << program;
  }
}

class OddPostfixLogs : public testing::TestWithParam<std::string> {};

TEST_P(OddPostfixLogs, AreReadAsWhatTheyAre) {
  const std::string table = read_corpus("../odd-postfix/expected.tsv");
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
  const TracePolicy policy{};
  TraceRouter router(policy);
  const std::string log = read_corpus("../odd-postfix/" + GetParam());
  EXPECT_EQ(run_log(log, router, index).unparsed, 0U);
  for (const std::vector<std::string_view>& row : rows) {
    SCOPED_TRACE(std::string(row[1]) + " " + std::string(row[6]));
    const DeliveryTrace& trace = *index.find(row[1]);
    const Outcome outcome = trace.outcome(*trace.find_recipient(row[2]), policy);
    EXPECT_EQ(to_string(action_of(outcome)), row[3]);
    EXPECT_EQ(format_enhanced_status(status_of(outcome)), row[4]);
    const std::optional<MtaName> remote = remote_mta_of(outcome);
    EXPECT_EQ(remote ? remote->name : "none", row[5]);
  }
}

INSTANTIATE_TEST_SUITE_P(O,
                         OddPostfixLogs,
                         testing::Values("o01-behind-the-record.log",
                                         "o02-forwarded-cut.log",
                                         "o03-further-fields.log",
                                         "o04-without-brackets.log",
                                         "o05-mailscanner.log",
                                         "o06-releases.log",
                                         "o07-members-to-come.log"),
                         [](const testing::TestParamInfo<std::string>& log) {
                           return "O" + log.param.substr(1, 2);
                         });

TEST(OddPostfixTest, WhatCleanupGaveUpIsNoMessage) {
  const std::string table = read_corpus("../odd-postfix/norecord.tsv");
  for (const std::string_view line : lines_of(table)) {
    const std::vector<std::string_view> row = split(line, '\t');
    if (row[0] == "file") {
      continue;
    }
    MemoryIndex index;
    index.add(row[1], {"bob@example.org"});
    TraceRouter router(TracePolicy{});
    const std::string log = read_corpus("../odd-postfix/" + std::string(row[0]));
    run_log(log, router, index);
    EXPECT_TRUE(index.find(row[1])->refused()) << row[1];
  }
}

}  // namespace
}  // namespace mtrk::maillog
