#include "common/maillog/delivery_trace.h"

#include "tests/unit/maillog/corpus.h"

#include <gtest/gtest.h>

#include <chrono>
#include <string>

namespace mtrk::maillog {
namespace {

const std::string kId = "4jWzny4Kjxz1V";
const std::string kNew = "4jWznz2T4sz3L";
constexpr std::string_view kRelay = "mx.b.example[192.0.2.1]:25";

// A log, second by second, and the trace of kId in it.
class Log {
 public:
  explicit Log(std::vector<std::string> recipients, Recipients mode = Recipients::captured)
      : trace_(&index_.add(kId, std::move(recipients), mode)), router_(policy()) {}

  static const TracePolicy& policy() {
    static const std::vector<std::string> filters = {"127.0.0.1:10025"};
    static const TracePolicy policy{Seconds(432000), filters};
    return policy;
  }

  Log& line(std::string_view program, const std::string& text) {
    LogLine line{};
    line.at = start + Seconds(second_);
    line.program = program;
    line.text = text;
    const ParsedLine parsed = parse_postfix(line);
    EXPECT_TRUE(std::holds_alternative<DeliveryEvent>(parsed)) << text;
    router_.route(std::get<DeliveryEvent>(parsed), index_);
    return *this;
  }
  Log& wait(int seconds) {
    second_ += seconds;
    return *this;
  }
  Log& active(const std::string& id, int recipients) {
    return line("postfix/qmgr", id + ": from=<s@a>, size=1, nrcpt=" + std::to_string(recipients) +
                                    " (queue active)");
  }
  Log& attempt(const std::string& agent,
               const std::string& id,
               const std::string& addresses,
               std::string_view relay,
               const std::string& dsn,
               const std::string& result) {
    return line("postfix/" + agent, id + ": " + addresses + ", relay=" + std::string(relay) +
                                        ", delay=1, delays=1/0/0/0, dsn=" + dsn +
                                        ", status=" + result);
  }
  Log& sent(const std::string& id, const std::string& addresses) {
    return attempt("smtp", id, addresses, kRelay, "2.0.0", "sent (250 ok)");
  }
  Log& deferred(const std::string& id, const std::string& addresses) {
    return attempt("smtp", id, addresses, "none", "4.4.1", "deferred (refused)");
  }
  Log& local(const std::string& addresses, const std::string& result) {
    return attempt("local", kId, addresses, "local",
                   result[0] == 's'   ? "2.0.0"
                   : result[0] == 'd' ? "4.3.0"
                                      : "5.3.0",
                   result);
  }
  Log& removed(const std::string& id, const std::string& by = "qmgr") {
    return line("postfix/" + by, id + ": removed");
  }

  [[nodiscard]] std::string outcome(std::size_t recipient = 0) {
    const Outcome outcome = trace_->outcome(recipient, policy());
    return std::string(to_string(action_of(outcome))) + " " +
           format_enhanced_status(status_of(outcome));
  }
  [[nodiscard]] DeliveryTrace& trace() { return *trace_; }
  [[nodiscard]] MemoryIndex& index() { return index_; }

  const LogTime start = std::chrono::sys_days(std::chrono::year{2026} / 11 / 21);

 private:
  MemoryIndex index_;
  DeliveryTrace* trace_;
  TraceRouter router_;
  int second_ = 0;
};

TEST(DeliveryTraceTest, NothingTriedIsDelayedWithoutAnAttempt) {  // A-31
  Log log({"r@b.example"});
  log.active(kId, 1);
  EXPECT_EQ(log.outcome(), "delayed 4.0.0");
  const Outcome outcome = log.trace().outcome(0, Log::policy());
  EXPECT_FALSE(last_attempt_of(outcome));
  EXPECT_EQ(will_retry_until_of(outcome), std::chrono::floor<Seconds>(log.start) + Seconds(432000));
}

TEST(DeliveryTraceTest, FollowsAttemptsToTheirEnd) {
  Log log({"r@b.example"});
  EXPECT_FALSE(log.trace().confirmed());
  log.active(kId, 1).deferred(kId, "to=<r@b.example>");
  EXPECT_TRUE(log.trace().confirmed());
  EXPECT_EQ(log.outcome(), "delayed 4.4.1");
  log.wait(300).sent(kId, "to=<r@b.example>");
  EXPECT_EQ(log.outcome(), "relayed 2.1.9");
  EXPECT_TRUE(log.trace().queued());
  log.removed(kId);
  EXPECT_FALSE(log.trace().queued());
  EXPECT_EQ(log.outcome(), "relayed 2.1.9");
  EXPECT_FALSE(log.trace().redirected(0));
}

TEST(DeliveryTraceTest, TerminalOutcomesDoNotRegress) {
  Log log({"r@b.example"});
  log.sent(kId, "to=<r@b.example>").wait(10).deferred(kId, "to=<r@b.example>");
  EXPECT_EQ(log.outcome(), "relayed 2.1.9");
  log.attempt("smtp", kId, "to=<r@b.example>", "none", "5.1.1", "bounced (x)");
  log.line("postfix/qmgr", kId + ": from=<s@a>, status=expired, returned to sender");
  EXPECT_EQ(log.outcome(), "relayed 2.1.9");
}

TEST(DeliveryTraceTest, ExpiryFailsTheOpenRecipientsWithTheirLastStatus) {
  Log log({"a@b.example", "c@b.example", "d@b.example"});
  log.active(kId, 3).sent(kId, "to=<a@b.example>").deferred(kId, "to=<c@b.example>");
  log.line("postfix/qmgr", kId + ": from=<s@a>, status=expired, returned to sender").removed(kId);
  EXPECT_EQ(log.outcome(0), "relayed 2.1.9");
  EXPECT_EQ(log.outcome(1), "failed 4.4.1");
  EXPECT_EQ(log.outcome(2), "failed 4.4.7");
}

TEST(DeliveryTraceTest, GoneWithoutAWordIsOpaqueUntilALateLine) {  // THR-B8
  Log log({"a@b.example"});
  log.active(kId, 1).removed(kId);
  EXPECT_EQ(log.outcome(), "opaque 2.0.0");
  log.sent(kId, "to=<a@b.example>");
  EXPECT_EQ(log.outcome(), "relayed 2.1.9");
}

TEST(DeliveryTraceTest, DeletionLeavesTheOutcomesThereWere) {
  Log log({"a@b.example", "c@b.example"});
  log.active(kId, 2).sent(kId, "to=<a@b.example>").deferred(kId, "to=<c@b.example>");
  log.removed(kId, "postsuper");
  EXPECT_EQ(log.outcome(0), "relayed 2.1.9");
  EXPECT_EQ(log.outcome(1), "opaque 2.0.0");
}

TEST(DeliveryTraceTest, HeldIsDelayed) {
  Log log({"a@b.example"});
  log.line("postfix/cleanup", kId + ": milter-hold: END-OF-MESSAGE from x[1]: y");
  EXPECT_EQ(log.outcome(), "delayed 4.0.0");
  EXPECT_TRUE(log.trace().confirmed());
}

TEST(DeliveryTraceTest, RefusedAfterAllIsNoRecord) {
  Log log({"a@b.example"});
  log.line("postfix/cleanup", kId + ": milter-reject: END-OF-MESSAGE from x[1]: y");
  EXPECT_TRUE(log.trace().refused());
  EXPECT_FALSE(log.trace().confirmed());
  EXPECT_FALSE(log.trace().queued());
}

TEST(DeliveryTraceTest, OneTargetIsFollowedAndSeveralAreExpanded) {
  // MTSN-3.3.3-07, MTSN-3.3.3-14
  Log log({"one@a.example", "group@a.example"});
  log.sent(kId, "to=<x@b.example>, orig_to=<one@a.example>");
  EXPECT_EQ(log.outcome(0), "relayed 2.1.9");
  EXPECT_TRUE(log.trace().redirected(0));
  log.sent(kId, "to=<y@b.example>, orig_to=<group@a.example>");
  log.deferred(kId, "to=<z@b.example>, orig_to=<group@a.example>");
  EXPECT_EQ(log.outcome(1), "expanded 2.1.5");
  EXPECT_FALSE(log.trace().redirected(1));
  log.removed(kId, "postsuper");
  EXPECT_EQ(log.outcome(1), "expanded 2.1.5") << "whatever became of the members";
}

TEST(DeliveryTraceTest, NoMembersFateIsTheAliasesUntilItIsKnownToBeTheOnlyOne) {
  for (const std::string first : {"sent (250 ok)", "bounced (no)", "sent (delivered to maildir)"}) {
    const bool local = first.find("maildir") != std::string::npos;
    Log log({"team@a.example"});
    log.active(kId, 3);
    log.attempt(local ? "virtual" : "smtp", kId, "to=<x@b.example>, orig_to=<team@a.example>",
                local ? "virtual" : kRelay, first[0] == 'b' ? "5.1.1" : "2.0.0", first);
    EXPECT_EQ(log.outcome(), "delayed 4.0.0") << first << ": two more are to come";
    EXPECT_EQ(log.trace().end(0), trace::End::awaited);
    EXPECT_TRUE(log.trace().queued());
    log.sent(kId, "to=<y@b.example>, orig_to=<team@a.example>");
    EXPECT_EQ(log.outcome(), "expanded 2.1.5") << first;
  }
}

TEST(DeliveryTraceTest, AnAliasWithOneMemberIsToldAtOnce) {
  Log log({"boss@a.example", "x@b.example"});
  log.active(kId, 2);
  log.sent(kId, "to=<ann@b.example>, orig_to=<boss@a.example>");
  EXPECT_EQ(log.outcome(), "relayed 2.1.9") << "the other recipient has to be given, too";
}

TEST(DeliveryTraceTest, AnAliasIsToldAsSoonAsTheOthersMembersAreThere) {
  Log log({"boss@a.example", "team@a.example", "later@b.example"});
  log.active(kId, 5);
  log.sent(kId, "to=<ann@b.example>, orig_to=<boss@a.example>");
  log.sent(kId, "to=<x@b.example>, orig_to=<team@a.example>");
  log.sent(kId, "to=<y@b.example>, orig_to=<team@a.example>");
  EXPECT_EQ(log.outcome(0), "delayed 4.0.0") << "the fifth may be its own";
  log.sent(kId, "to=<z@b.example>, orig_to=<team@a.example>");
  EXPECT_EQ(log.outcome(0), "relayed 2.1.9") << "four, and later@ will have one";
  EXPECT_EQ(log.outcome(1), "expanded 2.1.5");
  EXPECT_EQ(log.outcome(2), "delayed 4.0.0");
  log.deferred(kId, "to=<later@b.example>");
  EXPECT_EQ(log.outcome(2), "delayed 4.4.1");
}

TEST(DeliveryTraceTest, AnAddressThatIsAMemberOfItselfIsAnAlias) {
  Log log({"x@a.example"});
  log.active(kId, 2).sent(kId, "to=<x@a.example>");
  EXPECT_EQ(log.outcome(), "delayed 4.0.0");
  log.sent(kId, "to=<copy@b.example>, orig_to=<x@a.example>");
  EXPECT_EQ(log.outcome(), "expanded 2.1.5");
}

TEST(DeliveryTraceTest, RecipientsThatWereAddedCount) {  // always_bcc, a milter
  const std::string added = "to=<archive@a.example>";
  Log before({"x@b.example"});
  before.active(kId, 2).sent(kId, added).sent(kId, "to=<x@b.example>");
  EXPECT_EQ(before.outcome(), "relayed 2.1.9");
  Log behind({"x@b.example"});
  behind.active(kId, 2).sent(kId, "to=<x@b.example>");
  EXPECT_EQ(behind.outcome(), "delayed 4.0.0");
  behind.deferred(kId, added);
  EXPECT_EQ(behind.outcome(), "relayed 2.1.9");
}

TEST(DeliveryTraceTest, TheEndOfAPassIsTheEndOfWaiting) {
  const std::string alias = "to=<x@b.example>, orig_to=<team@a.example>";
  Log removed({"team@a.example"});  // a milter took the others away, or their lines were lost
  removed.active(kId, 3).sent(kId, alias).removed(kId);
  EXPECT_EQ(removed.outcome(), "relayed 2.1.9");
  Log again({"team@a.example"});
  again.active(kId, 3).sent(kId, alias);
  again.active(kId, 3);
  EXPECT_EQ(again.outcome(), "delayed 4.0.0") << "the same line again";
  again.wait(5).active(kId, 3);
  EXPECT_EQ(again.outcome(), "delayed 4.0.0") << "the queue manager was restarted: no pass ended";
  again.deferred(kId, "to=<archive@a.example>").wait(300).active(kId, 3);
  EXPECT_EQ(again.outcome(), "relayed 2.1.9");
  Log requeued({"team@a.example"});
  requeued.active(kId, 3).sent(kId, alias);
  requeued.line("postfix/pickup", kNew + ": uid=999 from=<s@a> orig_id=" + kId);
  EXPECT_EQ(requeued.outcome(), "relayed 2.1.9");
  Log expired({"team@a.example"});
  expired.active(kId, 3).sent(kId, alias);
  expired.line("postfix/qmgr", kId + ": from=<s@a>, status=expired, returned to sender");
  EXPECT_EQ(expired.outcome(), "relayed 2.1.9");
}

TEST(DeliveryTraceTest, MembersAreCountedUnderTheIdThatMailScannerGave) {
  Log log({"team@a.example"});
  log.line("postfix/cleanup", kId + ": hold: header Received: x from x[192.0.2.1]; from=<s@a>");
  log.line("postfix/pickup", kNew + ": uid=999 from=<s@a> orig_id=" + kId).active(kNew, 2);
  log.sent(kNew, "to=<x@b.example>, orig_to=<team@a.example>");
  EXPECT_EQ(log.outcome(), "delayed 4.0.0");
  log.sent(kNew, "to=<y@b.example>, orig_to=<team@a.example>");
  EXPECT_EQ(log.outcome(), "expanded 2.1.5");
}

TEST(DeliveryTraceTest, WhatLocalExpandsIsToldWhenThePassHasEnded) {
  const std::string alias = "to=<ann@mx.example>, orig_to=<team@a.example>";
  Log one({"team@a.example"});
  one.active(kId, 1).local(alias, "sent (delivered to maildir)");
  EXPECT_EQ(one.outcome(), "delayed 4.0.0") << "local(8) may go on";
  one.removed(kId);
  EXPECT_EQ(one.outcome(), "delivered 2.0.0");
  Log several({"team@a.example", "later@b.example"});
  several.active(kId, 2).local(alias, "bounced (unknown user: \"ann\")");
  EXPECT_EQ(several.outcome(), "delayed 4.0.0");
  several.local("to=<team@a.example>", "sent (forwarded as " + kNew + ")");
  EXPECT_EQ(several.outcome(), "expanded 2.1.5");
  Log passed({"team@a.example"});  // mailbox_transport = lmtp:…
  passed.active(kId, 1);
  passed.attempt("lmtp", kId, alias, "mx.example[private/lmtp]", "2.0.0", "sent (250 ok)");
  EXPECT_EQ(passed.outcome(), "delayed 4.0.0");
  passed.local("to=<team@a.example>", "sent (forwarded as " + kNew + ")");
  EXPECT_EQ(passed.outcome(), "expanded 2.1.5");
  Log own({"team@a.example", "later@b.example"});
  own.active(kId, 2).local("to=<team@a.example>", "sent (delivered to maildir)");
  EXPECT_EQ(own.outcome(), "delivered 2.0.0") << "a mailbox of its own";
}

// Two lines of local(8) for one address may be one recipient of the queue file.
TEST(DeliveryTraceTest, WhatLocalExpandsIsNotTakenForWhatTheQueueManagerCounts) {
  Log log({"ops@a.example", "boss@a.example", "later@b.example"});
  log.active(kId, 4).sent(kId, "to=<bo@b.example>, orig_to=<boss@a.example>");
  log.local("to=<ann@mx.example>, orig_to=<ops@a.example>", "sent (delivered to maildir)");
  log.local("to=<bob@mx.example>, orig_to=<ops@a.example>", "sent (delivered to maildir)");
  log.deferred(kId, "to=<later@b.example>");
  EXPECT_EQ(log.outcome(0), "expanded 2.1.5");
  EXPECT_EQ(log.outcome(1), "delayed 4.0.0") << "boss@ may have the fourth";
  log.sent(kId, "to=<bea@b.example>, orig_to=<boss@a.example>");
  EXPECT_EQ(log.outcome(1), "expanded 2.1.5");
}

TEST(DeliveryTraceTest, MembersBehindAFilterAreAwaitedThere) {
  Log log({"team@a.example"});
  log.active(kId, 1);
  log.line("postfix/smtpd", kNew + ": client=localhost[127.0.0.1], orig_queue_id=" + kId);
  log.active(kNew, 2);
  log.attempt("smtp", kId, "to=<team@a.example>", "127.0.0.1[127.0.0.1]:10025", "2.0.0",
              "sent (250 2.0.0 Ok: queued as " + kNew + ")");
  log.sent(kNew, "to=<x@b.example>, orig_to=<team@a.example>");
  EXPECT_EQ(log.outcome(), "delayed 4.0.0");
  log.sent(kNew, "to=<y@b.example>, orig_to=<team@a.example>");
  EXPECT_EQ(log.outcome(), "expanded 2.1.5");
}

TEST(DeliveryTraceTest, WhoWaitsIsKept) {
  Log log({"boss@a.example", "team@a.example", "later@b.example"});
  log.active(kId, 4).sent(kId, "to=<ann@b.example>, orig_to=<boss@a.example>");
  log.sent(kId, "to=<x@b.example>, orig_to=<team@a.example>");
  std::string stored;
  log.trace().encode(stored);
  std::string_view in = stored;
  Expected<DeliveryTrace> again = DeliveryTrace::decode(in);
  ASSERT_TRUE(again);
  EXPECT_EQ(action_of(again->outcome(0, Log::policy())), Action::delayed);
  log.trace() = *std::move(again);
  log.sent(kId, "to=<y@b.example>, orig_to=<team@a.example>");
  EXPECT_EQ(log.outcome(0), "relayed 2.1.9");
  EXPECT_EQ(log.outcome(1), "expanded 2.1.5");
}

// Version 3 ended a node before what is known of members: one octet where there is nothing.
TEST(DeliveryTraceTest, ReadsWhatVersionThreeHasStored) {
  Log log({"team@a.example", "x@b.example"});
  log.line("postfix/cleanup", kId + ": message-id=<1@a>");
  std::string stored;
  log.trace().encode(stored);
  std::string before = stored;
  ASSERT_EQ(before[0], 4);
  before[0] = 3;
  ASSERT_EQ(before[before.size() - 2], 0);  // the last octet says that there are no slots
  before.erase(before.size() - 2, 1);
  std::string_view in = before;
  const Expected<DeliveryTrace> again = DeliveryTrace::decode(in);
  ASSERT_TRUE(again);
  EXPECT_TRUE(in.empty());
  std::string now;
  again->encode(now);
  EXPECT_EQ(now, stored);
  in = stored;
  stored[0] = 5;
  EXPECT_FALSE(DeliveryTrace::decode(in));
}

TEST(DeliveryTraceTest, WhoIsAskedForAloneWaitsOnlyIfItWasSentOn) {  // mtrkctl explain
  Log log({"x@b.example"}, Recipients::collect);
  log.active(kId, 3).sent(kId, "to=<x@b.example>");
  EXPECT_EQ(log.outcome(0), "relayed 2.1.9");
  log.sent(kId, "to=<ann@b.example>, orig_to=<boss@a.example>");
  EXPECT_EQ(log.outcome(1), "delayed 4.0.0");
  log.deferred(kId, "to=<z@b.example>");
  EXPECT_EQ(log.outcome(1), "relayed 2.1.9");
}

TEST(DeliveryTraceTest, AnAddressCompletedWithOurDomainIsNoRedirection) {
  Log log({"postmaster"});
  log.attempt("local", kId, "to=<postmaster@mx.example>, orig_to=<postmaster>", "local", "2.0.0",
              "sent (delivered to mailbox)");
  EXPECT_EQ(log.outcome(), "delivered 2.0.0");
  EXPECT_FALSE(log.trace().redirected(0));
}

TEST(DeliveryTraceTest, AnAliasToACommandAndAnAddressIsExpanded) {
  // MTSN-3.3.3-14
  Log log({"a@mx.example"});
  log.local("to=<a@mx.example>", "sent (delivered to command: x)");
  EXPECT_EQ(log.outcome(), "delivered 2.0.0");
  log.local("to=<a@mx.example>", "sent (forwarded as " + kNew + ")");
  EXPECT_EQ(log.outcome(), "expanded 2.1.5");
}

TEST(DeliveryTraceTest, ARepeatedLocalDeliveryIsNotAnotherTarget) {
  Log log({"a@mx.example"});
  log.local("to=<a@mx.example>", "sent (delivered to command: x)");
  log.local("to=<a@mx.example>", "sent (delivered to command: x)");
  log.wait(300).local("to=<a@mx.example>", "sent (delivered to command: x)");
  EXPECT_EQ(log.outcome(), "delivered 2.0.0");
}

TEST(DeliveryTraceTest, AnAliasThatCouldNotBeExpandedAtFirstIsStillOneTarget) {
  Log log({"alias@a.example"});
  log.local("to=<alias@a.example>", "deferred (alias database unavailable)");
  log.wait(300).local("to=<u@mx.example>, orig_to=<alias@a.example>",
                      "sent (delivered to maildir)");
  EXPECT_EQ(log.outcome(), "delivered 2.0.0");
}

TEST(DeliveryTraceTest, AForwardedCopyBelongsToItsRecipientAlone) {
  Log log({"boss@a.example", "x@c.example"});
  log.line("postfix/cleanup", kNew + ": message-id=<1@a>").active(kNew, 1);
  log.local("to=<boss@a.example>", "sent (forwarded as " + kNew + ")");
  EXPECT_EQ(log.outcome(0), "delayed 4.0.0");
  EXPECT_EQ(log.trace().via(0), (std::vector<std::string>{kId, kNew}));
  log.sent(kNew, "to=<x@c.example>");  // an owner- alias: no orig_to=
  EXPECT_EQ(log.outcome(0), "relayed 2.1.9");
  EXPECT_EQ(log.outcome(1), "delayed 4.0.0") << "not what was sent under the other id";
  EXPECT_TRUE(log.trace().redirected(0));
  EXPECT_EQ(log.index().find(kNew), &log.trace());
}

TEST(DeliveryTraceTest, AForwardedCopyToSeveralIsExpandedBeforeAnyIsTried) {
  Log log({"list@a.example"});
  log.line("postfix/cleanup", kNew + ": message-id=<1@a>").active(kNew, 3);
  log.local("to=<list@a.example>", "sent (forwarded as " + kNew + ")");
  EXPECT_EQ(log.outcome(), "expanded 2.1.5");
}

TEST(DeliveryTraceTest, ForwardingChainsAreFollowed) {
  const std::string third = "4jWznz2XXXz3M";
  Log log({"a@a.example"});
  log.line("postfix/cleanup", third + ": message-id=<1@a>").active(third, 1);
  log.sent(third, "to=<z@c.example>, orig_to=<a@a.example>").removed(third);
  log.line("postfix/cleanup", kNew + ": message-id=<1@a>").active(kNew, 1);
  log.attempt("local", kNew, "to=<b@a.example>, orig_to=<a@a.example>", "local", "2.0.0",
              "sent (forwarded as " + third + ")");
  log.removed(kNew);
  log.local("to=<a@a.example>", "sent (forwarded as " + kNew + ")");
  EXPECT_EQ(log.outcome(), "relayed 2.1.9") << "both links come after what they link";
  EXPECT_EQ(log.trace().via(0), (std::vector<std::string>{kId, kNew, third}));
}

TEST(DeliveryTraceTest, ARequeuedMessageGoesOnUnderItsNewId) {
  Log log({"a@b.example", "c@b.example"});
  log.active(kId, 2).sent(kId, "to=<a@b.example>").deferred(kId, "to=<c@b.example>");
  log.line("postfix/postsuper", kId + ": requeued");
  log.line("postfix/pickup", kNew + ": uid=999 from=<s@a> orig_id=" + kId);
  EXPECT_EQ(log.outcome(1), "delayed 4.4.1") << "the last state stays";
  EXPECT_TRUE(log.trace().queued());
  log.sent(kNew, "to=<c@b.example>").removed(kNew);
  EXPECT_EQ(log.outcome(0), "relayed 2.1.9");
  EXPECT_EQ(log.outcome(1), "relayed 2.1.9");
  EXPECT_EQ(log.trace().via(0), (std::vector<std::string>{kId}));
  EXPECT_EQ(log.trace().via(1), (std::vector<std::string>{kId, kNew}));
  EXPECT_FALSE(log.trace().queued());
}

// What the log's first line does not tell, delay= does.
TEST(DeliveryTraceTest, TheArrivalIsTheAttemptLessItsDelay) {
  struct Case {
    std::string delay;
    Seconds before;  // the attempt
  };
  for (const bool queued_first : {false, true}) {
    for (const Case& test :
         {Case{"345600", Seconds(345600)}, Case{"30", Seconds(30)}, Case{"3600", Seconds(3600)},
          Case{"431940", Seconds(431940)}, Case{"284198.5", Seconds(284199)}}) {
      DeliveryTrace trace(*QueueId::parse(kId), std::nullopt, {"a@b.example"},
                          Recipients::captured);
      const LogTime at{Seconds(1'795'219'200)};
      const trace::Evidence nothing;
      if (queued_first) {
        static_cast<void>(trace.apply({at, kId, Queued{"s@a", 1}}, {}, nothing));
      }
      Attempt attempt{};
      attempt.agent = "smtp";
      attempt.recipient = "a@b.example";
      attempt.relay = "none";
      attempt.status = "deferred";
      attempt.delay = test.delay;
      static_cast<void>(trace.apply({at, kId, attempt}, {}, nothing));
      const Outcome outcome = trace.outcome(0, {});
      const Delayed& delayed = std::get<Delayed>(outcome);
      EXPECT_EQ(delayed.will_retry_until,
                TimePoint(Seconds(1'795'219'200)) - test.before + TracePolicy().queue_lifetime)
          << test.delay;
    }
  }
}

TEST(DeliveryTraceTest, AKnownArrivalIsNotMovedByADelay) {
  const TimePoint arrival{Seconds(1'795'219'000)};
  for (const std::string_view delay : {"345600", "x", "", "9999999999999999999", "-1"}) {
    DeliveryTrace trace(*QueueId::parse(kId), arrival, {"a@b.example"}, Recipients::captured);
    Attempt attempt{};
    attempt.agent = "smtp";
    attempt.recipient = "a@b.example";
    attempt.relay = "none";
    attempt.status = "deferred";
    attempt.delay = delay;
    static_cast<void>(
        trace.apply({LogTime(Seconds(1'795'219'200)), kId, attempt}, {}, trace::Evidence()));
    EXPECT_EQ(std::get<Delayed>(trace.outcome(0, {})).will_retry_until,
              arrival + TracePolicy().queue_lifetime);
  }
}

TEST(DeliveryTraceTest, MailOnHoldHasNoTimeUntilWhichItIsTried) {
  struct Case {
    const char* what;
    std::vector<std::string> lines;
    bool held;
  };
  const std::string milter =
      "postfix/cleanup ID: milter-hold: END-OF-MESSAGE from x[192.0.2.7]: milter triggers HOLD "
      "action";
  const std::string active = "postfix/qmgr ID: from=<s@a>, size=1, nrcpt=1 (queue active)";
  const std::string deferred =
      "postfix/smtp ID: to=<a@b.example>, relay=none, delay=1, delays=0/0/1/0, dsn=4.4.1, "
      "status=deferred (no)";
  const std::string by_hand = "postfix/postsuper ID: placed on hold";
  const std::string released = "postfix/postsuper ID: released from hold";
  for (const Case& test :
       {Case{"by a milter", {milter}, true},
        Case{"by a header", {"postfix/cleanup ID: hold: header Subject: x"}, true},
        Case{"by an access table",
             {"postfix/smtpd ID: hold: RCPT from x[192.0.2.7]: on hold"},
             true},
        Case{"by hand", {active, by_hand}, true},
        Case{"by hand after an attempt", {active, deferred, by_hand}, true},
        Case{"by hand while it was tried", {active, by_hand, deferred}, true},
        Case{"released", {milter, released}, false},
        Case{"released, the line is lost", {milter, active}, false},
        Case{"released after an attempt", {active, deferred, by_hand, released}, false},
        Case{"again", {milter, released, by_hand}, true},
        Case{"never", {active, deferred}, false}}) {
    DeliveryTrace trace(*QueueId::parse(kId), TimePoint(Seconds(1'795'219'200)), {"a@b.example"},
                        Recipients::captured);
    for (std::string line : test.lines) {
      line.replace(line.find(" ID:"), 3, " " + kId);
      LogLine parts{};
      parts.at = LogTime(Seconds(1'795'219'201));
      parts.program = std::string_view(line).substr(0, line.find(' '));
      parts.text = std::string_view(line).substr(line.find(' ') + 1);
      DeliveryEvent event;
      ASSERT_EQ(parse_postfix(parts, event), LineKind::events) << line;
      static_cast<void>(trace.apply(event, {}, trace::Evidence()));
    }
    std::string stored;
    trace.encode(stored);
    std::string_view in = stored;
    const auto decoded = DeliveryTrace::decode(in);
    ASSERT_TRUE(decoded);
    const Outcome outcome = decoded->outcome(0, {});
    EXPECT_EQ(std::get<Delayed>(outcome).will_retry_until.has_value(), !test.held) << test.what;
    EXPECT_EQ(decoded->held(0), test.held) << test.what;
  }
}

class FilterTest : public testing::Test {
 protected:
  // The message with its Message-Id, and a re-injection of it that is already under way.
  void reinject(const std::string& client, const std::string& message_id) {
    log_.line("postfix/cleanup", kId + ": message-id=<1@a>").active(kId, 1);
    log_.line("postfix/smtpd", kNew + ": client=" + client);
    log_.line("postfix/cleanup", kNew + ": message-id=" + message_id).active(kNew, 1);
  }
  void hand_over(const std::string& relay) {
    log_.attempt("smtp", kId, "to=<a@b.example>", relay, "2.0.0",
                 "sent (250 2.0.0 Ok: queued as " + kNew + ")");
  }
  void deliver() {
    log_.attempt("lmtp", kNew, "to=<a@b.example>", "mx[/lmtp]", "2.0.0", "sent (ok)");
  }

  Log log_{{"a@b.example"}};
};

TEST_F(FilterTest, ProvenByXforward) {
  reinject("unknown[192.0.2.9], orig_queue_id=" + kId, "<other@a>");
  hand_over("scan.example[192.0.2.9]:10040");
  deliver();
  EXPECT_EQ(log_.outcome(), "delivered 2.0.0");
  EXPECT_EQ(log_.trace().via(0), (std::vector<std::string>{kId, kNew}));
  EXPECT_FALSE(log_.trace().redirected(0));
}

TEST_F(FilterTest, ProvenByTheMessageIdOverLoopback) {
  reinject("localhost[127.0.0.1]", "<1@a>");
  hand_over("127.0.0.1[127.0.0.1]:10040");
  EXPECT_EQ(log_.outcome(), "delayed 4.0.0");
  deliver();
  EXPECT_EQ(log_.outcome(), "delivered 2.0.0");
}

TEST_F(FilterTest, ProvenByConfiguration) {
  reinject("localhost[127.0.0.1]", "<changed@a>");
  hand_over("127.0.0.1[127.0.0.1]:10025");
  deliver();
  EXPECT_EQ(log_.outcome(), "delivered 2.0.0");
}

TEST_F(FilterTest, ALoopbackRelayAloneProvesNothing) {
  reinject("localhost[127.0.0.1]", "<other@a>");
  hand_over("127.0.0.1[127.0.0.1]:10040");
  deliver();
  EXPECT_EQ(log_.outcome(), "relayed 2.1.9");
}

TEST_F(FilterTest, AQueueIdInTheTextOfAnotherHostProvesNothing) {
  reinject("localhost[127.0.0.1]", "<1@a>");
  hand_over("mx.evil.example[192.0.2.66]:25");
  deliver();
  EXPECT_EQ(log_.outcome(), "relayed 2.1.9");
}

TEST_F(FilterTest, AReplyThatNamesTheMessageItselfIsNoChild) {
  reinject("localhost[127.0.0.1]", "<other@a>");
  log_.attempt("smtp", kId, "to=<a@b.example>", "127.0.0.1[127.0.0.1]:10025", "2.0.0",
               "sent (250 2.0.0 Ok: queued as " + kId + ")");
  EXPECT_EQ(log_.outcome(), "relayed 2.1.9");
}

TEST_F(FilterTest, TheFilterMayRewriteTheOneRecipient) {
  reinject("unknown[127.0.0.1], orig_queue_id=" + kId, "<1@a>");
  hand_over("127.0.0.1[127.0.0.1]:10025");
  log_.attempt("lmtp", kNew, "to=<a+spam@b.example>", "mx[/lmtp]", "2.0.0", "sent (ok)");
  EXPECT_EQ(log_.outcome(), "delivered 2.0.0");
}

TEST(DeliveryTraceTest, RecipientsThatWereNotCapturedAreIgnored) {
  Log log({"a@b.example"});
  log.sent(kId, "to=<bcc@b.example>");
  EXPECT_EQ(log.trace().recipients().size(), 1u);
  EXPECT_EQ(log.outcome(), "delayed 4.0.0");
}

TEST(DeliveryTraceTest, CollectsRecipientsFromTheLogOnRequest) {
  Log log({}, Recipients::collect);
  log.sent(kId, "to=<x@b.example>, orig_to=<One@a.example>").sent(kId, "to=<y@b.example>");
  ASSERT_EQ(log.trace().recipients().size(), 2u);
  EXPECT_EQ(log.trace().recipients()[0], "One@a.example");
  EXPECT_EQ(log.trace().recipients()[1], "y@b.example");
}

TEST(DeliveryTraceTest, SpellingsOfOneAddressShareItsOutcome) {
  Log log({"Heidi@Example.Net", "heidi@example.net", R"("heidi"@example.net)"});
  log.active(kId, 1).sent(kId, "to=<heidi@Example.Net>");
  for (std::size_t i = 0; i < 3; ++i) {
    EXPECT_EQ(log.outcome(i), "relayed 2.1.9");
  }
}

TEST(DeliveryTraceTest, OneSpellingIsMatchedInAnyCase) {
  Log log({"Heidi@Example.Net"});
  log.sent(kId, "to=<HEIDI@EXAMPLE.NET>");  // as a table rewrote it: Postfix writes no orig_to then
  EXPECT_EQ(log.outcome(), "relayed 2.1.9");
  EXPECT_FALSE(log.trace().redirected(0));
}

TEST(DeliveryTraceTest, SpellingsThatTheLogKeepsApartHaveTheirOwnOutcomes) {
  Log log({"Bob@b.example", "bob@B.example", "carol@b.example"});
  log.active(kId, 3).sent(kId, "to=<Bob@b.example>");
  EXPECT_EQ(log.outcome(0), "relayed 2.1.9");
  EXPECT_EQ(log.outcome(1), "delayed 4.0.0") << "three were queued: it is one of its own";
  log.attempt("smtp", kId, "to=<bob@b.example>", kRelay, "5.1.1", "bounced (no)");
  EXPECT_EQ(log.outcome(0), "relayed 2.1.9");
  EXPECT_EQ(log.outcome(1), "failed 5.1.1");
  EXPECT_EQ(log.outcome(2), "delayed 4.0.0");
}

TEST(DeliveryTraceTest, SpellingsOfWhichOneIsLoggedShareItInTheEnd) {
  Log log({"Bob@b.example", "bob@b.example", "list@b.example"});
  log.active(kId, 4).sent(kId, "to=<Bob@b.example>");  // four: the list has members
  EXPECT_EQ(log.outcome(1), "delayed 4.0.0") << "not yet known to be the same";
  log.removed(kId);
  EXPECT_EQ(log.outcome(1), "relayed 2.1.9");
  std::string stored;
  log.trace().encode(stored);
  std::string_view in = stored;
  const Expected<DeliveryTrace> again = DeliveryTrace::decode(in);
  ASSERT_TRUE(again);
  EXPECT_EQ(action_of(again->outcome(1, Log::policy())), Action::relayed);
}

TEST(DeliveryTraceTest, ThousandsOfSpellingsAreLinear) {  // THR-Z1
  const auto run = [](unsigned bits) {
    std::vector<std::string> recipients;
    for (unsigned i = 0; i < 1u << bits; ++i) {
      std::string local(14, 'a');
      for (unsigned bit = 0; bit < bits; ++bit) {
        local[bit] = (i >> bit & 1u) != 0 ? 'A' : 'a';
      }
      recipients.push_back(local + "@b.example");
    }
    const auto begin = std::chrono::steady_clock::now();
    Log log(recipients);
    log.active(kId, 1 << bits);
    for (const std::string& recipient : recipients) {
      log.sent(kId, "to=<" + recipient + ">");
    }
    for (std::size_t i = 0; i < recipients.size(); ++i) {
      EXPECT_EQ(log.outcome(i), "relayed 2.1.9");
    }
    return std::chrono::steady_clock::now() - begin;
  };
  run(8);
  const auto small = run(11);
  const auto large = run(13);
  EXPECT_LT(large, 12 * small + std::chrono::milliseconds(200)) << "four times the recipients";
}

TEST(DeliveryTraceTest, AShortQueueIdGivenOutAgainIsAnotherMessage) {  // THR-B9
  Log log({"a@b.example"});
  log.active(kId, 1).removed(kId).line("postfix/smtpd", kId + ": client=x[192.0.2.1]");
  log.sent(kId, "to=<a@b.example>");
  EXPECT_EQ(log.outcome(), "opaque 2.0.0");
  EXPECT_FALSE(log.trace().queued());
}

TEST(DeliveryTraceTest, EachLineAgainChangesNothing) {
  MemoryIndex index;
  DeliveryTrace& trace = index.add(
      "4jWznz24Wjz39", {"boss@example.test", "team@example.test", "tmpscript@example.test"});
  TraceRouter router(Log::policy());
  const std::string log = read_corpus("hosts-main.log");
  std::string before;
  for (const std::string_view text : lines_of(log)) {
    const std::optional<LogLine> line = split_log_line(text, kCorpusContext);
    const ParsedLine parsed = parse_postfix(*line);
    if (const DeliveryEvent* event = std::get_if<DeliveryEvent>(&parsed)) {
      router.route(*event, index);
      std::string once;
      trace.encode(once);
      router.route(*event, index);
      std::string twice;
      trace.encode(twice);
      EXPECT_EQ(once, twice) << text;
    }
  }
}

// THR-Z1: thousands of recipients, each with its own forwarded copy, stay linear.
TEST(DeliveryTraceTest, TakesTimeInProportionToRecipients) {
  const auto run = [](std::size_t count) {
    std::vector<std::string> recipients;
    for (std::size_t i = 0; i < count; ++i) {
      recipients.push_back("r" + std::to_string(i) + "@a.example");
    }
    const auto begin = std::chrono::steady_clock::now();
    Log log(recipients);
    log.active(kId, static_cast<int>(count));
    for (std::size_t i = 0; i < count; ++i) {
      const std::string child = "4jWznz" + std::to_string(100000 + i) + "z1";
      log.local("to=<" + recipients[i] + ">", "sent (forwarded as " + child + ")");
      log.sent(child, "to=<x@c.example>, orig_to=<" + recipients[i] + ">");
    }
    for (std::size_t i = 0; i < count; ++i) {
      EXPECT_EQ(log.outcome(i), "relayed 2.1.9");
    }
    return std::chrono::steady_clock::now() - begin;
  };
  run(500);
  const auto small = run(2000);
  const auto large = run(8000);
  EXPECT_LT(large, 12 * small + std::chrono::milliseconds(200)) << "four times the recipients";
}

}  // namespace
}  // namespace mtrk::maillog
