#include "milter/onward/judge.h"

#include "common/maillog/log_parser.h"
#include "common/maillog/postfix_log.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace mtrk {
namespace {

using Kind = OnwardVerdict::Kind;
using Why = OnwardVerdict::Why;
using Transaction = OnwardTransaction;
using std::chrono::milliseconds;

constexpr char kId[] = "4jWzjj46J4z1V";
const TimePoint kArrival{Seconds(1'800'000'000)};

// A message of which the log has said some lines.
store::QueuedTracking tracked(const std::vector<std::string>& recipients,
                              const std::vector<std::pair<std::string, std::string>>& lines = {},
                              std::optional<Seconds> timeout = Seconds(1000),
                              const char* queue_id = kId) {
  store::QueuedTracking result{
      *EnvelopeId::from_decoded("env@h.example"),
      TrackingCertifier::from_octets({}),
      timeout,
      kArrival,
      {*QueueId::parse(queue_id), kArrival, recipients, maillog::Recipients::captured}};
  for (const auto& [program, text] : lines) {
    maillog::LogLine line{};
    line.at = LogTime(kArrival);
    line.program = program;
    line.text = text;
    maillog::DeliveryEvent event;
    EXPECT_EQ(maillog::parse_postfix(line, event), maillog::LineKind::events) << text;
    static_cast<void>(result.trace.apply(event, {}, maillog::trace::Evidence()));
  }
  return result;
}

std::pair<std::string, std::string> active(const std::string& id, int recipients) {
  return {"postfix/qmgr",
          id + ": from=<s@a>, size=1, nrcpt=" + std::to_string(recipients) + " (queue active)"};
}

Transaction to(std::vector<Transaction::Recipient> recipients,
               const std::string& sender = "s@a.example") {
  return {kId, sender, "env@h.example", std::nullopt, std::move(recipients), true};
}

OnwardVerdict ask(const store::QueuedTracking& tracking,
                  const Transaction& transaction,
                  milliseconds waited = milliseconds(0),
                  Seconds lingered = Seconds(60),
                  const PassOnPolicy& policy = {}) {
  return judge(tracking, transaction, policy, kArrival + lingered, waited);
}

const Transaction kDirect = to({{"b@r.example", "rfc822;b@r.example"}});
const Transaction kRedirected = to({{"c@r.example", "rfc822;b@here.example"}});

// MTRK-3.1-19, MTRK-3.1-20, MTRK-3.1-21
TEST(OnwardJudgeTest, PassesOnTheTimeThatIsLeft) {
  const auto tracking = tracked({"b@r.example"});
  const OnwardVerdict verdict = ask(tracking, kDirect);
  ASSERT_EQ(verdict.kind, Kind::pass_on);
  EXPECT_EQ(verdict.mtrk->timeout, Seconds(940));
  EXPECT_EQ(verdict.envid, "env@h.example");
  EXPECT_EQ(ask(tracking, kDirect, milliseconds(0), Seconds(999)).kind, Kind::pass_on);
  EXPECT_EQ(ask(tracking, kDirect, milliseconds(0), Seconds(1000)).kind, Kind::withhold);
  EXPECT_EQ(ask(tracking, kDirect, milliseconds(0), Seconds(1001)).kind, Kind::withhold);
  const auto without = tracked({"b@r.example"}, {}, std::nullopt);
  EXPECT_EQ(ask(without, kDirect).mtrk->timeout, Seconds(9 * 24 * 3600 - 60));
}

TEST(OnwardJudgeTest, AQueueIdGivenOutAgainIsAnotherMessage) {
  Transaction other = kDirect;
  other.envid = "other@h.example";
  EXPECT_EQ(ask(tracked({"b@r.example"}), other).kind, Kind::withhold);
  other.envid = "";
  EXPECT_EQ(ask(tracked({"b@r.example"}), other).kind, Kind::pass_on);
}

TEST(OnwardJudgeTest, OnlyForRecipientsThatWereCaptured) {
  const auto tracking = tracked({"b@r.example"});
  EXPECT_EQ(ask(tracking, to({{"bcc@r.example", ""}})).kind, Kind::withhold);
  EXPECT_EQ(ask(tracking, to({{"b@r.example", ""}, {"bcc@r.example", ""}})).kind, Kind::withhold);
  EXPECT_EQ(ask(tracking, to({})).kind, Kind::withhold);
  // What the client gave as ORCPT says nothing about where it went since.
  EXPECT_EQ(ask(tracking, to({{"B@R.example", "rfc822;first@elsewhere"}})).kind, Kind::pass_on);
}

// MTRK-3.3-04
TEST(OnwardJudgeTest, RedirectedToOneOnceTheLogShowsIt) {
  EXPECT_EQ(ask(tracked({"b@here.example"}), kRedirected).kind, Kind::ask_again);
  EXPECT_EQ(ask(tracked({"b@here.example"}), kRedirected, kMostWaiting).kind, Kind::withhold);
  const auto known = tracked({"b@here.example"}, {active(kId, 1)});
  EXPECT_EQ(ask(known, kRedirected).kind, Kind::ask_again) << "local(8) may not have said its word";
  EXPECT_EQ(ask(known, kRedirected, kForwardWaiting).kind, Kind::pass_on);
  PassOnPolicy final;
  final.redirection_is_final = true;
  EXPECT_EQ(ask(known, kRedirected, kForwardWaiting, Seconds(1), final).kind, Kind::withhold);
}

// MTRK-3.3-07, MTRK-3.3-09
TEST(OnwardJudgeTest, NotWhenExpanded) {
  const auto cleanup = tracked({"b@here.example"}, {active(kId, 2)});
  EXPECT_EQ(ask(cleanup, kRedirected).kind, Kind::withhold);
  const auto alone = tracked({"b@here.example"}, {active(kId, 1)});
  EXPECT_EQ(
      ask(alone,
          to({{"c@r.example", "rfc822;b@here.example"}, {"d@r.example", "rfc822;b@here.example"}}),
          kForwardWaiting)
          .kind,
      Kind::withhold);
  const std::pair<std::string, std::string> forwarded{
      "postfix/local", std::string(kId) +
                           ": to=<b@here.example>, relay=local, delay=1, delays=1/0/0/0, "
                           "dsn=2.0.0, status=sent (forwarded as 4jWzjj46J4z2W)"};
  const auto by_local =
      tracked({"b@here.example"}, {active(kId, 1), forwarded, active("4jWzjj46J4z2W", 3)});
  EXPECT_EQ(ask(by_local, kRedirected, kForwardWaiting).kind, Kind::withhold);
  const auto to_one =
      tracked({"b@here.example"}, {active(kId, 1), forwarded, active("4jWzjj46J4z2W", 1)});
  EXPECT_EQ(ask(to_one, kRedirected, kForwardWaiting).kind, Kind::pass_on);
}

// MTRK-3.3-08: what was given at RCPT itself is the primary one, also if it is its own alias.
TEST(OnwardJudgeTest, AMemberOfItsOwnAliasIsThePrimaryRecipient) {
  EXPECT_EQ(ask(tracked({"b@r.example"}, {active(kId, 2)}), kDirect).kind, Kind::pass_on);
}

// MTRK-3.3-10, DSNX-5.2.7-02
TEST(OnwardJudgeTest, NotForLists) {
  const auto known = tracked({"b@here.example"}, {active(kId, 1)});
  for (const std::string sender : {"owner-b@here.example", "b-request@here.example"}) {
    for (const std::string orcpt : {"rfc822;b@here.example", "rfc822;c@r.example", ""}) {
      const OnwardVerdict verdict = ask(known, to({{"c@r.example", orcpt}}, sender));
      EXPECT_EQ(verdict.kind, Kind::withhold);
      EXPECT_EQ(verdict.why, Why::mailing_list);
    }
  }
}

TEST(OnwardJudgeTest, WhatAListOwnerWroteIsHisOwn) {
  const OnwardVerdict verdict =
      ask(tracked({"b@r.example"}), to({{"b@r.example", ""}}, "owner-b@here.example"));
  EXPECT_EQ(verdict.kind, Kind::pass_on);
  EXPECT_EQ(verdict.why, Why::none);
}

TEST(OnwardJudgeTest, NotWhereTheNextHopDoesNotTakeIt) {
  Transaction transaction = kDirect;
  transaction.takes_mtrk = false;
  EXPECT_EQ(ask(tracked({"b@r.example"}), transaction).kind, Kind::withhold);
}

// Sendmail gives no ORCPT to what an alias stands for: its log tells whose it is, MTRK-3.3-04.
TEST(OnwardJudgeTest, OfSendmailTheLogTellsWhoseAnAliasIs) {
  Transaction transaction = to({{"c@r.example", ""}});
  transaction.certifier = TrackingCertifier::from_octets({});
  constexpr char kSendmailId[] = "6ALN9M56003130";
  auto tracking = tracked({"b@here.example"}, {}, Seconds(1000), kSendmailId);
  EXPECT_EQ(ask(tracking, transaction).kind, Kind::ask_again);
  EXPECT_EQ(ask(tracking, transaction, kForwardWaiting).kind, Kind::withhold);
  maillog::LogParser parser(Mta::sendmail);
  maillog::LogLine line{};
  line.at = LogTime(kArrival);
  line.program = "sm-mta";
  const std::string text = std::string(kSendmailId) + ": alias <b@here.example> => c@r.example";
  line.text = text;
  EXPECT_EQ(
      parser.parse(line,
                   [&](const maillog::DeliveryEvent& event) {
                     static_cast<void>(tracking.trace.apply(event, {}, maillog::trace::Evidence()));
                   }),
      maillog::LineKind::events);
  EXPECT_EQ(ask(tracking, transaction).kind, Kind::ask_again) << "a .forward file may follow";
  EXPECT_EQ(ask(tracking, transaction, kForwardWaiting).kind, Kind::pass_on);
}

}  // namespace
}  // namespace mtrk
