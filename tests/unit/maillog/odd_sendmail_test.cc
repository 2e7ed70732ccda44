#include "common/maillog/log_parser.h"
#include "common/maillog/sendmail_meaning.h"
#include "common/maillog/sendmail_record.h"
#include "tests/unit/maillog/corpus.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

// Records of Sendmail that are not quite as the stock releases write them. The logs are
// tests/data/logs/odd-sendmail, and sendmail_corpus_test reads them, too.
namespace mtrk::maillog {
namespace {

constexpr std::string_view kOddId = "6ALGjYoB029826";
const TracePolicy kOddPolicy{};

const std::string kTo = "to=<a@b>, delay=00:00:01, xdelay=00:00:01, mailer=esmtp";
const std::string kAt = ", relay=mx.b. [192.0.2.1]";

// What a record means for its recipient, in one word; "unparsed".
std::string meant(const std::string& text) {
  SendmailDelivery delivery;
  if (!parse_sendmail_delivery(text, delivery)) {
    return "unparsed";
  }
  const auto meaning = sendmail_meaning_of(delivery.attempt);
  if (!meaning) {
    return "nothing";
  }
  return meaning->last == trace::Last::relayed    ? "relayed"
         : meaning->last == trace::Last::bounced  ? "bounced"
         : meaning->last == trace::Last::deferred ? "deferred"
         : meaning->last == trace::Last::unknown  ? "unknown"
                                                  : "delivered";
}

TEST(OddSendmailTest, AFieldThatItDoesNotKnowSmugglesNothing) {  // THR-H1
  const std::string fake = ", dsn=2.0.0, stat=Sent (ok)";
  const std::string truth = ", pri=1" + kAt + ", dsn=5.1.1, stat=User unknown";
  for (const std::string& text :
       {kTo + ", new=x" + kAt + fake + truth, kTo + ", new=x" + fake + truth,
        kTo + ", new=x, dsn=2.0.0, stat=Sent (" + truth + ")", kTo + ", new=\"x" + fake + truth,
        kTo + ", new=<x" + fake + truth, kTo + ", new=x" + kAt + ", dsn=2.0.0, stat=Sent (" + truth,
        kTo + ", new=x" + kAt + ", dsn=4.7.1, reply=450 x" + fake + truth,
        kTo + ", new=x, delay=00:00:09" + truth, kTo + ", new=x, mailer=local" + truth,
        "to=<a@b>, new=x, to=<victim@v>, delay=00:00:01" + truth}) {
    const std::string got = meant(text);
    EXPECT_TRUE(got == "unparsed" || got == "bounced") << got << ": " << text;
  }
  for (const std::string& text :
       {kTo + ", new=\"x" + fake + "\"" + truth, kTo + ", new=<\"x>" + fake + "\"@z>" + truth,
        kTo + ", tls_verify=OK" + truth, kTo + ", new=1" + truth}) {
    EXPECT_EQ(meant(text), "bounced") << text;
  }
  // With reply= there is no success, whatever stands around it.
  EXPECT_EQ(
      meant(kTo + ", pri=1" + kAt + ", dsn=2.0.0, ntries=1, stage=DATA, reply=250 ok, stat=Sent"),
      "nothing");
  EXPECT_EQ(meant(kTo + ", pri=1" + kAt +
                  ", dsn=5.1.1, stage=RCPT, reply=550 x, stat=Sent (ok), "
                  "stat=User unknown"),
            "bounced");
  // Nor with quarantine=, whose text is a filter's.
  EXPECT_EQ(
      meant("to=<a@b>, delay=00:00:01, mailer=local, pri=1, quarantine=x, dsn=2.0.0, stat=Sent"),
      "nothing");
}

TEST(OddSendmailTest, ManyFieldsAreNoTrouble) {
  std::string many;
  for (int i = 0; i < 20000; ++i) {
    many += ", k=v";
  }
  EXPECT_EQ(meant("to=<a@b>" + many + ", delay=00:00:01, pri=1" + kAt + ", dsn=5.0.0, stat=no"),
            "bounced");
}

TEST(OddSendmailTest, ACutSuccessIsWhatIsLeftOfIt) {
  const std::string begin = kTo + ", pri=1" + kAt + ", dsn=2.0.0, stat=";
  const std::string whole = "Sent (4F3B1C2D Message accepted for delivery)";
  for (std::size_t length = 1; length <= whole.size(); ++length) {
    const std::string cut = whole.substr(0, length);
    const bool says_so = cut.substr(0, 4) == "Sent";
    EXPECT_EQ(meant(begin + cut), says_so ? "relayed" : "nothing") << cut;
    SendmailDelivery delivery;
    const std::string text = begin + cut;
    ASSERT_TRUE(parse_sendmail_delivery(text, delivery));
    const std::string_view id = delivery.attempt.queued_as;
    EXPECT_TRUE(id.empty() || id == "4F3B1C2D") << cut;
  }
  SendmailDelivery delivery;
  const std::string named = begin + "Sent (ok: queued as A1B2C3D4";
  ASSERT_TRUE(parse_sendmail_delivery(named, delivery));
  EXPECT_EQ(delivery.attempt.queued_as, "") << "the id may be longer";
}

TEST(OddSendmailTest, ReadsIntervals) {
  EXPECT_EQ(sendmail_interval("00:00:00"), Seconds(0));
  EXPECT_EQ(sendmail_interval("23:59:59"), Seconds(86399));
  EXPECT_EQ(sendmail_interval("4+00:00:00"), Seconds(4 * 86400));
  EXPECT_EQ(sendmail_interval("3+13:01:56"), Seconds(3 * 86400 + 46916));
  for (const std::string_view text : {"", "+00:00:00", "1+", "00:00", "0:00:00", "-1+00:00:00",
                                      "99999+00:00:00", "1+00:00:00 ", "aa:bb:cc"}) {
    EXPECT_EQ(sendmail_interval(text), std::nullopt) << text;
  }
}

// The outcome of <bob@example.org> after records at 10:00:30, without header.
Outcome after(const std::vector<std::string>& records, std::optional<TimePoint> arrival = {}) {
  std::string log;
  for (const std::string& record : records) {
    log += "Nov 21 10:00:30 mx sm-mta[21]: " + std::string(kOddId) + ": " + record + "\n";
  }
  struct One : MemoryIndex {
  } index;
  DeliveryTrace* trace = &index.add(kOddId, {"bob@example.org"});
  if (arrival) {
    *trace =
        DeliveryTrace(*QueueId::parse(kOddId), arrival, {"bob@example.org"}, Recipients::captured);
  }
  TraceRouter router(kOddPolicy);
  run_log(log, router, index, Mta::sendmail);
  return trace->outcome(0, kOddPolicy);
}

TimePoint at_1000_30() {
  return TimePoint(std::chrono::sys_days(std::chrono::year{2026} / 11 / 21)) + Seconds(36030);
}

std::string deferred(const std::string& delay) {
  return "to=<bob@example.org>, delay=" + delay +
         ", xdelay=00:00:30, mailer=esmtp, pri=1, relay=mx.b., dsn=4.4.1, stat=Deferred: no answer";
}

TEST(OddSendmailTest, ArrivalIsTheAttemptLessItsDelayWhereTheLogHasNone) {
  const std::string begun =
      "from=<s@x>, size=1, class=0, nrcpts=1, msgid=<a@b>, proto=ESMTP, relay=c [192.0.2.9]";
  for (const auto& [delay, seconds] :
       std::vector<std::pair<std::string, std::int64_t>>{{"00:00:30", 30},
                                                         {"01:00:00", 3600},
                                                         {"23:00:00", 82800},
                                                         {"3+13:01:56", 306116},
                                                         {"4+00:00:00", 345600}}) {
    const TimePoint until = at_1000_30() - Seconds(seconds) + kOddPolicy.queue_lifetime;
    EXPECT_EQ(will_retry_until_of(after({deferred(delay)})), until) << delay;
    if (seconds > 60) {
      EXPECT_EQ(will_retry_until_of(after({"alias <bob@example.org> => bob", deferred(delay)})),
                until)
          << delay;
      EXPECT_EQ(will_retry_until_of(after({begun, deferred(delay)})), until) << delay;
    }
  }
  // The clock of a capture is as good where the two agree.
  const TimePoint captured = at_1000_30() - Seconds(3610);
  EXPECT_EQ(will_retry_until_of(after({deferred("01:00:00")}, captured)),
            captured + kOddPolicy.queue_lifetime);
}

TEST(OddSendmailTest, WhatIsOnHoldIsPromisedNoDate) {
  const std::string queued =
      "to=<bob@example.org>, delay=00:00:00, mailer=esmtp, pri=1, stat=queued";
  for (const std::vector<std::string>& records : std::vector<std::vector<std::string>>{
           {"quarantine=by hand"},
           {"milter=scan, quarantine=odd"},
           {"ruleset=check_data, arg1=1, quarantine=odd"},
           {"to=<bob@example.org>, delay=00:00:00, pri=1, quarantine=odd, stat=quarantined"},
           {"to=<bob@example.org>, delay=00:00:00, pri=1, stat=quarantined\r"},
           {queued, "quarantine=by hand"},
           {deferred("00:00:30"), "quarantine=by hand"}}) {
    const Outcome outcome = after(records);
    EXPECT_EQ(action_of(outcome), Action::delayed) << records.back();
    EXPECT_EQ(will_retry_until_of(outcome), std::nullopt) << records.back();
  }
  for (const std::vector<std::string>& records :
       std::vector<std::vector<std::string>>{{queued},
                                             {"quarantine=by hand", "unquarantine"},
                                             {"quarantine=by hand", queued},
                                             {"quarantine=by hand", deferred("00:00:30")}}) {
    EXPECT_TRUE(will_retry_until_of(after(records))) << records.back();
  }
  EXPECT_EQ(action_of(after({"to=<bob@example.org>, delay=00:00:00, pri=1, stat=discarded"})),
            Action::opaque);
}

// "Held" is part of what the store keeps.
TEST(OddSendmailTest, OnHoldOutlivesARestart) {
  MemoryIndex index;
  DeliveryTrace& trace = index.add(kOddId, {"bob@example.org"});
  TraceRouter router(kOddPolicy);
  run_log("Nov 21 10:00:30 mx sm-mta[21]: " + std::string(kOddId) + ": quarantine=by hand\n",
          router, index, Mta::sendmail);
  std::string kept;
  trace.encode(kept);
  std::string_view in = kept;
  const Expected<DeliveryTrace> again = DeliveryTrace::decode(in);
  ASSERT_TRUE(again.has_value());
  EXPECT_EQ(will_retry_until_of(again->outcome(0, kOddPolicy)), std::nullopt);
}

TEST(OddSendmailTest, FurtherFieldsDoNotChangeTheMessageId) {
  for (const std::string text :
       {"from=<s@x>, size=1, class=0, nrcpts=1, msgid=<a@b>, tls_verify=OK, proto=ESMTP, relay=c "
        "[::1]",
        "from=<s@x>, size=1, prio=2, class=0, nrcpts=1, msgid=<a@b>, new=1, more=2, proto=ESMTP, "
        "daemon=MTA, tls_verify=OK, relay=c [::1]",
        "from=<s@x>, size=1, class=0, nrcpts=1, msgid=<a@b>, proto=ESMTP, relay=c [::1], auth=x"}) {
    const auto what = parse_sendmail_other(text);
    ASSERT_TRUE(what) << text;
    EXPECT_EQ(std::get<Queued>(*what).message_id, "<a@b>") << text;
    EXPECT_EQ(std::get<Queued>(*what).client, "c [::1]") << text;
  }
}

}  // namespace
}  // namespace mtrk::maillog
