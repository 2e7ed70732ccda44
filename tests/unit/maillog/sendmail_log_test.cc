#include "common/maillog/sendmail_log.h"

#include "common/maillog/log_parser.h"
#include "common/maillog/sendmail_record.h"
#include "tests/unit/maillog/corpus.h"

#include <gtest/gtest.h>

#include <list>
#include <string>
#include <vector>

namespace mtrk::maillog {
namespace {

const std::string kHeader = "Nov 21 16:45:34 mx.example.test sm-mta[29830]: ";
constexpr std::string_view kId = "6ALGjYoB029826";

// The events of the last of some lines, each a record without header.
class Reading {
 public:
  explicit Reading(const std::vector<std::string>& texts) {
    for (const std::string& text : texts) {
      read(kHeader + text);
    }
  }
  void read(const std::string& text) {
    kept_.push_back(text);
    const std::optional<LogLine> line = split_log_line(kept_.back(), kCorpusContext);
    kind = line ? parser_.parse(*line) : LineKind::ignored;
    events = parser_.events();
  }
  template <typename T>
  [[nodiscard]] const T& only() const {
    EXPECT_EQ(events.size(), 1U);
    return std::get<T>(events[0].what);
  }

  LineKind kind = LineKind::ignored;
  std::span<const DeliveryEvent> events;

 private:
  std::list<std::string> kept_;
  SendmailParser parser_;
};

std::string record(const std::string& text) {
  return std::string(kId) + ": " + text;
}

struct DeliveryCase {
  const char* text;
  std::string recipients, mailer, owner, delay, relay, dsn, status, reply, queued_as;
};

TEST(SendmailLogTest, ReadsEachFieldOfADeliveryRecord) {
  const std::vector<DeliveryCase> cases = {
      {"to=<alice@mx.example.test>, delay=00:00:00, xdelay=00:00:00, mailer=local, pri=30386, "
       "dsn=2.0.0, stat=Sent",
       "<alice@mx.example.test>", "local", "", "00:00:00", "", "2.0.0", "Sent", "", ""},
      {"to=<carol@example.net>,<bob@example.net>, delay=2+00:10:01, xdelay=00:00:00, mailer=esmtp, "
       "pri=240358, relay=mx1.example.net. [127.0.0.1], dsn=2.0.0, stat=Sent (Ok: queued as "
       "4SINK00061)",
       "<carol@example.net> <bob@example.net>", "esmtp", "", "2+00:10:01",
       "mx1.example.net. [127.0.0.1]", "2.0.0", "Sent (Ok: queued as 4SINK00061)",
       "Ok: queued as 4SINK00061", "4SINK00061"},
      {"to=root, ctladdr=root (0/0), delay=00:00:15, xdelay=00:00:00, mailer=relay, pri=120015, "
       "relay=[127.0.0.1] [127.0.0.1], dsn=2.0.0, stat=Sent (6ALGs098000069 Message accepted for "
       "delivery)",
       "root", "relay", "root", "00:00:15", "[127.0.0.1] [127.0.0.1]", "2.0.0",
       "Sent (6ALGs098000069 Message accepted for delivery)",
       "6ALGs098000069 Message accepted for delivery", "6ALGs098000069"},
      {R"(to="|cat >/dev/null, -x", ctladdr=<prog@mx.example.test> (1/0), delay=00:00:00, )"
       "xdelay=00:00:00, mailer=prog, pri=120358, dsn=2.0.0, stat=Sent",
       R"("|cat >/dev/null, -x")", "prog", "<prog@mx.example.test>", "00:00:00", "", "2.0.0",
       "Sent", "", ""},
      {R"(to=|"cat >/dev/null", ctladdr=carol (61003/61003), delay=00:00:00, mailer=prog, )"
       "pri=90358, dsn=4.0.0, stat=Deferred: prog mailer (/bin/sh) exited with EX_TEMPFAIL",
       R"(|"cat >/dev/null")", "prog", "carol", "00:00:00", "", "4.0.0",
       "Deferred: prog mailer (/bin/sh) exited with EX_TEMPFAIL",
       "prog mailer (/bin/sh) exited with EX_TEMPFAIL", ""},
      {R"(to=\\bob, ctladdr=dave (61004/61004), delay=00:00:00, xdelay=00:00:00, mailer=local, )"
       "pri=150358, dsn=2.0.0, stat=Sent",
       R"(\bob)", "local", "dave", "00:00:00", "", "2.0.0", "Sent", "", ""},
      {"to=<drop1@example.net>, delay=00:00:00, xdelay=00:00:00, mailer=esmtp, pri=30129, "
       "relay=mx1.example.net. [127.0.0.1], dsn=4.4.2, reply=421 4.4.1 Connection reset by "
       "mx1.example.net., stat=Deferred",
       "<drop1@example.net>", "esmtp", "", "00:00:00", "mx1.example.net. [127.0.0.1]", "4.4.2",
       "Deferred", "421 4.4.1 Connection reset by mx1.example.net.", ""},
      {"to=<a@x.test>,<b@x.test>, [more], delay=00:00:00, mailer=esmtp, pri=1, relay=x.test., "
       "dsn=5.1.2, stat=Host unknown (Name server: x.test.: host not found)",
       "<a@x.test> <b@x.test>", "esmtp", "", "00:00:00", "x.test.", "5.1.2",
       "Host unknown (Name server: x.test.: host not found)", "", ""},
      {"to=<alice@mx.example.test>, delay=00:00:00, pri=60129, stat=Message refused by milter",
       "<alice@mx.example.test>", "", "", "00:00:00", "", "", "Message refused by milter", "", ""},
      {"to=<@hop.test,@hop2.test:a@x.test>, delay=00:00:00, mailer=esmtp, pri=1, stat=queued",
       "<@hop.test,@hop2.test:a@x.test>", "esmtp", "", "00:00:00", "", "", "queued", "", ""},
  };
  for (const DeliveryCase& want : cases) {
    SCOPED_TRACE(want.text);
    const Reading reading({record(want.text)});
    ASSERT_EQ(reading.kind, LineKind::events);
    std::string recipients;
    for (const DeliveryEvent& event : reading.events) {
      EXPECT_EQ(event.queue_id, kId);
      EXPECT_EQ(event.mta, Mta::sendmail);
      const Attempt& got = std::get<Attempt>(event.what);
      const std::string address(got.recipient);
      recipients +=
          (recipients.empty() ? "" : " ") + (got.bracketed ? "<" + address + ">" : address);
      const std::string owner(got.original);
      EXPECT_EQ(got.original_bracketed ? "<" + owner + ">" : owner, want.owner);
      EXPECT_EQ(got.agent, want.mailer);
      EXPECT_EQ(got.delay, want.delay);
      EXPECT_EQ(got.relay, want.relay);
      EXPECT_EQ(got.dsn ? format_enhanced_status(*got.dsn) : "", want.dsn);
      EXPECT_EQ(got.status, want.status);
      EXPECT_EQ(got.text, want.reply);
      EXPECT_EQ(got.queued_as, want.queued_as);
    }
    EXPECT_EQ(recipients, want.recipients);
  }
}

TEST(SendmailLogTest, LeavesWhatIsNoDeliveryRecordUnparsed) {
  for (const char* const text : {"to=", "to=<a@x.test>", "to=<a@x.test>, stat=Sent",
                                 "to=<a@x.test, delay=00:00:00, stat=Sent",
                                 "to=<\"a@x.test>, delay=00:00:00, pri=1, dsn=2.0.0, stat=Sent",
                                 "to=<a@x.test>, delay=soon, pri=1, dsn=2.0.0, stat=Sent",
                                 "to=<a@x.test>, delay=00:00:00, pri=1, dsn=2.0, stat=Sent",
                                 "to=<a@x.test>, delay=00:00:00, pri=1, dsn=2.0.0, reply=250 ok",
                                 "to=<a@x.test>, delay=00:00:00, pri=1, dsn=2.0.0, stat=",
                                 "to=,<a@x.test>, delay=00:00:00, pri=1, dsn=2.0.0, stat=Sent"}) {
    const Reading reading({record(text)});
    EXPECT_EQ(reading.kind, LineKind::unparsed) << text;
    EXPECT_TRUE(reading.events.empty()) << text;
  }
}

TEST(SendmailLogTest, KnowsAQueueIdByItsForm) {
  for (const char* const text :
       {"NOQUEUE: to=<a@x.test>, delay=00:00:00, pri=1, dsn=2.0.0, stat=Sent",
        "6ALGjYo: to=<a@x.test>, delay=00:00:00, pri=1, dsn=2.0.0, stat=Sent",
        "6ALGjYoB02982: done; delay=00:00:00, ntries=1", "4dCXzt0Cvjz5Z: removed", "6ALGjYoB029826",
        "6ALGjYoB029826:done; delay=00:00:00, ntries=1", "AUTH warning: no mechanisms",
        "gethostbyaddr(192.0.2.2) failed: 1"}) {
    EXPECT_EQ(Reading({text}).kind, LineKind::ignored) << text;
  }
  Reading any_tag({});
  any_tag.read("Nov 21 16:45:34 mx whatever[1]: 6ALGjYoB0298261: done; delay=00:00:00, ntries=1");
  EXPECT_EQ(any_tag.kind, LineKind::events);
  any_tag.read("Nov 21 16:45:34 mx mtrk-milter[1]: 6ALGjYoB029826: done; delay=00:00:00, ntries=1");
  EXPECT_EQ(any_tag.kind, LineKind::ignored);
}

TEST(SendmailLogTest, ReadsTheOtherRecords) {
  const Queued queued =
      Reading({record("from=<s@x.test>, size=129, class=0, nrcpts=2, msgid=<a, proto=b@x>, "
                      "bodytype=8BITMIME, proto=ESMTP, daemon=MTA, relay=localhost [127.0.0.1]")})
          .only<Queued>();
  EXPECT_EQ(queued.recipients, 2U);
  const Reading from(
      {record("from=<s@x.test>, size=129, class=0, nrcpts=2, msgid=<a, proto=b@x>, "
              "bodytype=8BITMIME, proto=ESMTP, daemon=MTA, relay=localhost "
              "[127.0.0.1]")});
  EXPECT_EQ(from.only<Queued>().sender, "s@x.test");
  EXPECT_EQ(from.only<Queued>().message_id, "<a, proto=b@x>");
  EXPECT_EQ(from.only<Queued>().client, "localhost [127.0.0.1]");
  const Reading no_data(
      {record("from=<>, size=0, class=0, nrcpts=0, proto=ESMTP, daemon=MTA, "
              "relay=localhost [127.0.0.1]")});
  EXPECT_EQ(no_data.only<Queued>().message_id, "");

  const Reading expired({record("6ALGqRB0032740: DSN: Cannot send message for 5 days")});
  EXPECT_EQ(expired.only<GaveUp>().child, "6ALGqRB0032740");
  const Reading after_warning(
      {record("6ALGqRB0032740: sender notify: Cannot send message for 1 s")});
  EXPECT_EQ(after_warning.only<GaveUp>().status, "expired");
  for (const char* const text :
       {"6ALGqRB0032740: DSN: Return receipt", "6ALGqRB0032740: return to sender: User unknown",
        "6ALGqRB0032740: sender notify: Warning: could not send message",
        "6ALGqRB0032740: postmaster notify: User unknown"}) {
    const Reading notified({record(text)});
    EXPECT_EQ(notified.only<Notification>().child, "6ALGqRB0032740") << text;
  }
  const Reading clone({record("6ALGoWOt019127: clone: owner=dave")});
  EXPECT_EQ(clone.only<Cloned>().child, "6ALGoWOt019127");
  EXPECT_EQ(clone.only<Cloned>().owner, "dave");
  const Reading split(
      {record("split: maxrcpts=3, rcpts=7, count=2, ids=6ALH16DZ002768; "
              "6ALH16Da002768")});
  EXPECT_EQ(split.only<Split>().children, "6ALH16DZ002768; 6ALH16Da002768");
  const Reading one_child({record("split: count=1, id=6ALH16DY002768")});
  EXPECT_EQ(one_child.only<Split>().children, "6ALH16DY002768");
  const Reading alias({record("alias <team@mx.example.test> => alice, bob, carol")});
  EXPECT_EQ(alias.only<Redirection>().kind, "alias");
  EXPECT_EQ(alias.only<Redirection>().from, "team@mx.example.test");
  EXPECT_TRUE(alias.only<Redirection>().bracketed);
  const Reading forward({record(R"(forward bob => bob-home@example.net, \\bob)")});
  EXPECT_EQ(forward.only<Redirection>().targets, R"(bob-home@example.net, \bob)");
  EXPECT_FALSE(forward.only<Redirection>().bracketed);
  const Reading done({record("done; delay=00:00:01, ntries=1")});
  EXPECT_EQ(done.only<Removed>().by, "sendmail");
  for (const char* const text :
       {"<nosuch@x.test>... User unknown", "Milter: to=<nosuch@x.test>, reject=550 5.7.1 no",
        "ruleset=check_rcpt, arg1=<nosuch@x.test>, relay=y [192.0.2.1], "
        "reject=550 5.7.1 <nosuch@x.test>... no"}) {
    const Reading declined({record(text)});
    EXPECT_EQ(declined.only<Declined>().recipient, "nosuch@x.test") << text;
  }
  for (const char* const text :
       {"Milter: data, reject=554 5.7.1 Message refused by milter",
        "Milter: from=<s@x.test>, reject=550 5.7.1 Command rejected",
        "ruleset=check_mail, arg1=<s@x.test>, relay=y [192.0.2.1], reject=550 5.7.1 no",
        "collect: premature EOM: Connection reset by y"}) {
    const Reading refused({record(text)});
    EXPECT_EQ(refused.only<Rejected>().verdict, Verdict::refused) << text;
  }
  for (const char* const text : {"Milter: data, discard", "discarded"}) {
    const Reading discarded({record(text)});
    EXPECT_EQ(discarded.only<Rejected>().verdict, Verdict::discarded) << text;
  }
  const Reading held({record("quarantine=test_quarantine")});
  EXPECT_EQ(event_name(held.events[0]), "held");
  const Reading added({record("Milter add: rcpt: <archive@x.test>")});
  EXPECT_EQ(added.only<Added>().recipient, "archive@x.test");
  for (const char* const text :
       {"<-- RCPT TO:<alice@mx.example.test> ", "--- 250 2.0.0 ok", "Milter (mtrk): to error state",
        "Milter add: header: X: to=<a@x>, stat=Sent", "MTRK parameter unrecognized",
        "SYSERR(root): hash map \"Alias0\"", "Saved message in /x", ""}) {
    EXPECT_EQ(Reading({record(text)}).kind, LineKind::ignored) << text;
  }
}

TEST(SendmailLogTest, UndoesEscapesOnce) {
  for (const auto& [logged, want] :
       std::vector<std::pair<std::string, std::string>>{{R"(\\bob)", R"(\bob)"},
                                                        {R"(a\\012b)", R"(a\012b)"},
                                                        {R"(a\012b\t\n\r)", "a?b???"},
                                                        {R"(\303\251)", "\303\251"},
                                                        {R"(\400\8\)",
                                                         "400"
                                                         "8\\"}}) {
    std::string got;
    decode_log_text(logged, got);
    EXPECT_EQ(got, want) << logged;
  }
}

// THR-H3
TEST(SendmailLogTest, JoinsThePartsOfARecordOfOneProcess) {
  const std::string rest = ", delay=00:00:00, mailer=esmtp, pri=1, dsn=2.0.0, stat=Sent (ok)";
  const std::vector<std::string> parts = {"6ALGjYoB029826[1]: to=<a@x.test>, ...",
                                          "6ALGjYoB029826[2]: delay=00:00:00, mailer=esmtp, ...",
                                          "6ALGjYoB029826[3]: pri=1, dsn=2.0.0, stat=Sent (ok)"};
  // A cut goes before or after any octet: what is put together is the record.
  const std::string whole = "to=<a@x.test>" + rest;
  for (std::size_t cut = 1; cut < whole.size(); ++cut) {
    const Reading reading({"6ALGjYoB029826[1]: " + whole.substr(0, cut) + " ...",
                           "6ALGjYoB029826[2]: " + whole.substr(cut)});
    ASSERT_EQ(reading.kind, LineKind::events) << cut;
    EXPECT_EQ(reading.only<Attempt>().recipient, "a@x.test");
    EXPECT_EQ(reading.only<Attempt>().status, "Sent (ok)");
  }
  const Reading lost({parts[0], parts[2]});
  EXPECT_EQ(lost.kind, LineKind::unparsed);
  const Reading begun({parts[1]});
  EXPECT_EQ(begun.kind, LineKind::unparsed);
  const Reading other_id({parts[0], "6ALGjYoB029827[2]: to=<victim@v.example>" + rest});
  EXPECT_EQ(other_id.kind, LineKind::unparsed);
  EXPECT_TRUE(other_id.events.empty());
}

TEST(SendmailLogTest, ForgetsRecordsThatNeverEnd) {
  SendmailParser parser;
  for (int i = 0; i < 5000; ++i) {
    const std::string text = kHeader + "6ALGjYoB" + std::to_string(100000 + i) + "[1]: to=<" +
                             std::string(900, 'x') + " ...";
    const auto line = split_log_line(text, kCorpusContext);
    EXPECT_EQ(parser.parse(*line), LineKind::ignored);
  }
}

TEST(SendmailLogTest, ListsTheTargetsOfAnAlias) {
  const auto members = [](std::string_view targets) {
    std::vector<std::string> names;
    for (const std::string_view name : sendmail_targets(targets, 10)) {
      names.emplace_back(name);
    }
    return names;
  };
  EXPECT_EQ(members("alice, bob,carol"), (std::vector<std::string>{"alice", "bob", "carol"}));
  EXPECT_EQ(members(R"("|exit 1, 2")"), (std::vector<std::string>{R"("|exit 1, 2")"}));
  EXPECT_EQ(members(R"("Smith, J" <j@x.test>)"),
            (std::vector<std::string>{R"("Smith, J" <j@x.test>)"}));
  EXPECT_TRUE(members("").empty());
}

TEST(LogParserTest, GuessesWhoseLogItIs) {
  const std::string noise = "Nov 21 16:45:34 mx su[66]: (to smmsp) root on none\n";
  EXPECT_EQ(guess_mta(noise, kCorpusContext), std::nullopt);
  EXPECT_EQ(guess_mta(noise + kHeader + record("to=<a@x.test>, delay=x\n"), kCorpusContext),
            Mta::sendmail);
  EXPECT_EQ(guess_mta(noise + "Nov 21 16:45:34 mx postfix/smtp[1]: connect to x\n", kCorpusContext),
            Mta::postfix);
  EXPECT_EQ(guess_mta("Nov 21 16:45:34 mx smtp[1]: 4dCXzt0Cvjz5Z: to=<a@x.test>, relay=none, "
                      "delay=1, dsn=4.4.1, status=deferred (no)\n",
                      kCorpusContext),
            Mta::postfix);
}

TEST(SendmailLogTest, TlsOfTheProcessAtThatHostIsShown) {
  const std::string tls =
      "version=TLSv1.3, verify=FAIL, cipher=TLS_AES_256_GCM_SHA384, bits=256/256";
  const std::string begun = "STARTTLS=client, relay=mx1.example.net., " + tls;
  const std::string sent = record(
      "to=<a@b>, delay=00:00:00, xdelay=00:00:00, mailer=esmtp, pri=1, relay=mx1.example.net. "
      "[192.0.2.1], dsn=2.0.0, stat=Sent (ok)");
  const std::string elsewhere = record(
      "to=<a@b>, delay=00:00:00, xdelay=00:00:00, mailer=esmtp, pri=1, relay=mx1.example.net.x. "
      "[192.0.2.1], dsn=2.0.0, stat=Sent (ok)");
  EXPECT_EQ(Reading({begun, sent}).only<Attempt>().tls, tls);
  EXPECT_EQ(Reading({begun, sent, sent}).only<Attempt>().tls, tls) << "the connection is kept";
  EXPECT_EQ(Reading({begun, elsewhere}).only<Attempt>().tls, "");
  EXPECT_EQ(Reading({sent}).only<Attempt>().tls, "");
  EXPECT_EQ(Reading({begun, "STARTTLS=client, error: connect failed=-1, reason=x", sent})
                .only<Attempt>()
                .tls,
            "");
  EXPECT_EQ(Reading({"STARTTLS=server, relay=mx1.example.net., " + tls, sent}).only<Attempt>().tls,
            "");
  Reading other({begun});
  other.read("Nov 21 16:45:34 mx.example.test sm-mta[29831]: " + sent);
  EXPECT_EQ(other.only<Attempt>().tls, "") << "another process";
  Reading later({begun});
  later.read("Nov 21 16:50:35 mx.example.test sm-mta[29830]: " + sent);
  EXPECT_EQ(later.only<Attempt>().tls, "") << "another connection";
}

}  // namespace
}  // namespace mtrk::maillog
