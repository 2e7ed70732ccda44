#include "mtqpd/mtqp/answer/summary.h"

#include "mtqpd/mtqp/answer/json.h"
#include "mtqpd/mtqp/ask/watch.h"

#include <boost/json/parse.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>

namespace mtrk::cli {
namespace {

using std::chrono::seconds;
using testing::HasSubstr;

ReportedRecipient recipient(const std::string& address,
                            Action action,
                            EnhancedStatus status,
                            const std::string& remote = "") {
  ReportedRecipient r;
  r.original = {"rfc822", address};
  r.final = r.original;
  r.action = action;
  r.status = status;
  if (!remote.empty()) {
    r.remote_mta = MtaName{"dns", remote};
  }
  return r;
}

Travel answer(std::vector<ReportedRecipient> recipients) {
  TrackingStatus part;
  part.reporting_mta = {"dns", "mx.test"};
  part.recipients = std::move(recipients);
  Travel travel;
  HopAnswer answer;
  answer.parts.push_back(std::move(part));
  travel.hops.push_back({{"mx.test", std::nullopt}, std::nullopt, std::move(answer)});
  return travel;
}

TEST(SummaryTest, OneRecipientIsNamed) {
  EXPECT_EQ(summary_line(answer({recipient("u@x.test", Action::delivered, {2, 1, 5})})),
            "delivered: u@x.test delivered (2.1.5, the address is valid)");
  EXPECT_EQ(summary_line(answer({recipient("u@x.test", Action::relayed, {2, 1, 9}, "n.test")})),
            "handed over: u@x.test relayed (2.1.9, handed to a system that does not track) by way "
            "of n.test");
  EXPECT_EQ(summary_line(answer({recipient("u@x.test", Action::delayed, {4, 4, 1})})),
            "under way: u@x.test delayed (4.4.1, no answer from the host)");
}

TEST(SummaryTest, SeveralAreCountedTheWorstExplained) {
  EXPECT_EQ(
      summary_line(answer({recipient("a@x.test", Action::delivered, {2, 1, 5}),
                           recipient("b@x.test", Action::failed, {5, 1, 1}),
                           recipient("c@x.test", Action::delivered, {2, 1, 5})})),
      "failed: 3 recipients, 1 failed, 2 delivered; b@x.test failed (5.1.1, no such mailbox)");
}

TEST(SummaryTest, FailuresAndLoopsAreStates) {
  Travel travel;
  travel.hops.push_back(
      {{"mx.test", std::nullopt}, std::nullopt, HopFailure{Trouble::network, "no\nanswer"}});
  EXPECT_EQ(summary_line(travel), "network: mx.test:1038: no\\x0aanswer");
  Travel loop = answer({recipient("u@x.test", Action::transferred, {2, 4, 0}, "mx.test")});
  loop.loop = true;
  EXPECT_THAT(summary_line(loop), HasSubstr("loop: u@x.test transferred"));
}

TEST(SummaryTest, IsOnePrintableLineWhateverAServerSays) {
  const std::string evil = "\x1b[2J\r\n\xe2\x80\xae\xe2\x80\x8b\x9b" + std::string(10000, 'x');
  const std::string line =
      summary_line(answer({recipient(evil, Action::failed, {5, 0, 0}, evil),
                           recipient(evil + "b", Action::failed, {5, 0, 0}, evil)}));
  EXPECT_LT(line.size(), 600U);
  EXPECT_TRUE(std::all_of(line.begin(), line.end(), [](char c) { return c >= ' ' && c < 127; }));
}

TEST(MergedJsonTest, ShowsTheWholePath) {
  Travel travel = answer({recipient("u@x.test", Action::transferred, {2, 4, 0}, "b.test")});
  Travel second = answer({recipient("u@x.test", Action::relayed, {2, 1, 9}, "c.test")});
  second.hops[0].server.host = "b.test";
  second.hops[0].parent = 0;
  travel.hops.push_back(second.hops[0]);
  const std::string line = format_merged(travel);
  EXPECT_EQ(std::count(line.begin(), line.end(), '\n'), 1);
  const boost::json::object object = boost::json::parse(line).as_object();
  EXPECT_EQ(object.at("v"), 1);
  EXPECT_EQ(object.at("state"), "handed over");
  EXPECT_EQ(object.at("exit"), 0);
  const auto& one = object.at("recipients").as_array().at(0).as_object();
  EXPECT_EQ(one.at("recipient"), "u@x.test");
  EXPECT_EQ(one.at("next_hop"), "c.test");
  EXPECT_EQ(one.at("beyond"), "untracked");
  EXPECT_EQ(one.at("path").as_array().size(), 2U);
  EXPECT_EQ(object.at("asked").as_array().size(), 2U);
}

TEST(WatchPlanTest, WaitsLongerAndLonger) {
  WatchPlan plan(seconds(10), seconds(0));
  EXPECT_EQ(plan.next(1, true), seconds(10));
  EXPECT_EQ(plan.next(1, false), seconds(15));
  EXPECT_EQ(plan.next(1, false), seconds(23));
  EXPECT_EQ(plan.next(1, true), seconds(10));  // something moved
  for (int i = 0; i < 30; ++i) {
    static_cast<void>(plan.next(1, false));
  }
  EXPECT_EQ(plan.next(1, false), WatchPlan::kMostPatient);
}

TEST(WatchPlanTest, EndsWithTheJourneyOrTheLimit) {
  for (const int code : {0, 2, 3, 5, 6, 7}) {
    EXPECT_EQ(WatchPlan(seconds(1), seconds(0)).next(code, true), std::nullopt) << code;
  }
  WatchPlan limited(seconds(10), seconds(12));
  EXPECT_EQ(limited.next(1, true), seconds(10));
  EXPECT_EQ(limited.next(1, true), seconds(2));
  EXPECT_EQ(limited.next(1, true), std::nullopt);
}

TEST(WatchPlanTest, OutlivesAShortOutage) {
  WatchPlan plan(seconds(1), seconds(0));
  for (int i = 1; i < WatchPlan::kMaxFailures; ++i) {
    EXPECT_TRUE(plan.next(4, false));
  }
  EXPECT_TRUE(plan.next(1, false));  // it is back
  for (int i = 1; i < WatchPlan::kMaxFailures; ++i) {
    EXPECT_TRUE(plan.next(4, false));
  }
  EXPECT_FALSE(plan.next(4, false));
}

}  // namespace
}  // namespace mtrk::cli
