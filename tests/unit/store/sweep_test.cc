#include "common/store/sweep.h"

#include "tests/unit/store/store_fixture.h"

#include <gmock/gmock.h>

namespace mtrk::store {
namespace {

using testing::IsEmpty;
using testing::SizeIs;

class SweepTest : public StoreTest {
 protected:
  void put_unseen() { put(capture("4dCXzt0Cvjz5Z", "id@example.net", {"a@b.test"})); }
  void put_with_timeout(std::optional<Seconds> timeout) {
    Capture made = capture("4dCXzt0Cvjz5Z", "id@example.net", {"a@b.test"});
    made.timeout = timeout;
    put(made);
    apply({queued("4dCXzt0Cvjz5Z")});
  }
  void finish() { apply({attempt("4dCXzt0Cvjz5Z", "a@b.test", "sent"), removed("4dCXzt0Cvjz5Z")}); }
};

TEST_F(SweepTest, MessageLivesExactlyAsLongAsAsked) {  // MTRK-3.1-10
  put_with_timeout(Seconds(100000));
  finish();
  EXPECT_THAT(find("id@example.net", kNow + Seconds(99999)), SizeIs(1));
  EXPECT_THAT(find("id@example.net", kNow + Seconds(100000)), IsEmpty());
  sweep(kNow + Seconds(99999));
  EXPECT_EQ(writer_->stats().messages, 1U);
  sweep(kNow + Seconds(100000));
  EXPECT_EQ(writer_->stats().messages, 0U);
  EXPECT_EQ(writer_->stats().oldest_expiry, 0U);
  EXPECT_EQ(writer_->stats().traces, 0U);
  EXPECT_EQ(writer_->stats().queue_ids, 0U);
}

TEST_F(SweepTest, QueuedMessageIsNeitherExpiredNorDenied) {  // MTRK-3.1-17, MTRK-3.1-18
  put_with_timeout(Seconds(1));
  apply({attempt("4dCXzt0Cvjz5Z", "a@b.test", "deferred")});
  for (const Seconds after : {Seconds(10), Seconds(40 * kDay)}) {
    sweep(kNow + after);
    const std::vector<TrackedMessage> found = find("id@example.net", kNow + after);
    ASSERT_THAT(found, SizeIs(1));
    EXPECT_EQ(action_of(found[0].recipients[0].outcome), Action::delayed);
  }
  finish();
  EXPECT_THAT(find("id@example.net", kNow + 40 * kDay), IsEmpty());
  sweep(kNow + 40 * kDay + kLookAgain);
  EXPECT_EQ(writer_->stats().messages, 0U);
}

TEST_F(SweepTest, TimeoutZeroMeansOnlyWhileQueued) {
  put_with_timeout(Seconds(0));
  EXPECT_THAT(find("id@example.net", kNow + kDay), SizeIs(1));
  finish();
  EXPECT_THAT(find("id@example.net", kNow), IsEmpty());
}

TEST_F(SweepTest, EndedTraceWaitsForLateLines) {
  put_with_timeout({});
  apply({removed("4dCXzt0Cvjz5Z")});
  sweep(kNow + Seconds(1000));  // sees that it has ended
  sweep(kNow + Seconds(1119));
  EXPECT_EQ(writer_->stats().traces, 1U);
  apply({attempt("4dCXzt0Cvjz5Z", "a@b.test", "sent")});
  EXPECT_THAT(actions("id@example.net"), testing::ElementsAre(Action::relayed));
  EXPECT_EQ(sweep(kNow + Seconds(1120)), 1U);
  EXPECT_EQ(writer_->stats().traces, 0U);
  EXPECT_EQ(writer_->stats().queue_ids, 0U);
  EXPECT_EQ(writer_->stats().messages, 1U);
  writer_->begin();
  EXPECT_FALSE(writer_->apply(attempt("4dCXzt0Cvjz5Z", "a@b.test", "bounced")));
  writer_->commit();
}

TEST_F(SweepTest, CaptureTheLogNeverNamesIsDropped) {
  put(capture("4dCXzt0Cvjz5Z", "id@example.net"));
  EXPECT_EQ(sweep(kNow + Seconds(3599)), 0U);
  EXPECT_EQ(sweep(kNow + Seconds(3600)), 1U);
  EXPECT_EQ(writer_->stats().messages, 0U);
  EXPECT_EQ(writer_->stats().queue_ids, 0U);
}

TEST_F(SweepTest, WhileTheLogStandsStillNothingIsTakenForUnconfirmed) {
  apply({queued("ABCDEF0123")});  // somebody else's, a second after the capture
  put(capture("4dCXzt0Cvjz5Z", "id@example.net"));
  writer_->begin();
  writer_->put_cursor("log", {});
  writer_->commit();
  reopen();
  EXPECT_EQ(sweep(kNow + Seconds(7200)), 0U);
  apply({event("ABCDEF0123", maillog::Removed{"qmgr"}, Seconds(7300))});
  EXPECT_EQ(sweep(kNow + Seconds(7400)), 1U);
}

TEST_F(SweepTest, FinalCaptureThatTheLogNamedIsKept) {
  put(capture("4dCXzt0Cvjz5Z", "id@example.net"));
  put(capture("4dCXzt0CvjzAA", "never@example.net", {"a@b.test"}, Stage::provisional, 2));
  apply({event("4dCXzt0Cvjz5Z", maillog::MessageId{"<m@example.net>"}),
         event("4dCXzt0CvjzAA", maillog::MessageId{"<n@example.net>"}),
         event("ABCDEF0123", maillog::Removed{"qmgr"}, Seconds(3600))});
  EXPECT_EQ(sweep(kNow + Seconds(4000)), 1U);
  EXPECT_THAT(find("id@example.net"), SizeIs(1));
}

// An access map's HOLD does not name the queue id: of the message there is only cleanup's line.
TEST_F(SweepTest, MessageHeldByAnAccessMapIsKept) {
  put_unseen();
  apply({event("4dCXzt0Cvjz5Z", maillog::Client{"client.example[192.0.2.9]", ""}),
         event("4dCXzt0Cvjz5Z", maillog::MessageId{"<m@example.net>"}),
         event("ABCDEF0123", maillog::Removed{"qmgr"}, 40 * kDay)});
  for (const Seconds after : {Seconds(3600), Seconds(7200), 40 * kDay}) {
    EXPECT_EQ(sweep(kNow + after), 0U);
    const std::vector<TrackedMessage> found = find("id@example.net", kNow + after);
    ASSERT_THAT(found, SizeIs(1));
    EXPECT_EQ(action_of(found[0].recipients[0].outcome), Action::delayed);
  }
  apply({event("4dCXzt0Cvjz5Z", maillog::Released{}, 40 * kDay), queued("4dCXzt0Cvjz5Z"),
         attempt("4dCXzt0Cvjz5Z", "a@b.test", "sent", 40 * kDay)});
  EXPECT_THAT(actions("id@example.net"), testing::ElementsAre(Action::relayed));
}

// Captures alone leave that to the next log position or sweep (store_format.h).
TEST_F(SweepTest, WhatWasNotFiledWhenAWriterDiedIsFiledByTheNext) {
  put(capture("4dCXzt0Cvjz5Z", "id@example.net", {"a@b.test"}));
  reopen();
  put(capture("4dCXzt0CvjzAA", "other@example.net", {"a@b.test"}));
  reopen();
  EXPECT_EQ(writer_->stats().oldest_expiry, 0U);
  apply({queued("4dCXzt0Cvjz5Z"), attempt("4dCXzt0Cvjz5Z", "a@b.test", "sent"),
         removed("4dCXzt0Cvjz5Z")});
  writer_->begin();
  writer_->put_cursor("log", {});
  writer_->commit();
  EXPECT_NE(writer_->stats().oldest_expiry, 0U);
  EXPECT_THAT(actions("id@example.net"), testing::ElementsAre(Action::relayed));
  EXPECT_THAT(actions("other@example.net"), testing::ElementsAre(Action::delayed));
  reopen();
  apply({event("ABCDEF0123", maillog::Removed{"qmgr"}, Seconds(7200))});
  EXPECT_EQ(sweep(kNow + Seconds(7200)), 1U);
  EXPECT_THAT(find("other@example.net"), IsEmpty());
  EXPECT_EQ(sweep(kNow + 40 * kDay), 2U);  // the first, and its trace
  EXPECT_EQ(writer_->stats().messages, 0U);
}

TEST_F(SweepTest, ALogThatNobodyReadsDoesNotKeepMessagesForEver) {
  for (int i = 0; i < 600; ++i) {
    put(capture("ABCDEF" + std::to_string(1000 + i), "id" + std::to_string(i) + "@example.net"));
  }
  EXPECT_NE(writer_->stats().oldest_expiry, 0U);  // without any sweep
  EXPECT_EQ(sweep(kNow + 40 * kDay), 600U);
  EXPECT_EQ(writer_->stats().messages, 0U);
}

TEST_F(SweepTest, LimitBoundsTheWork) {
  writer_->begin();
  for (int i = 0; i < 20; ++i) {
    writer_->put_capture(capture("ABCDEF" + std::to_string(1000 + i),
                                 "id" + std::to_string(i) + "@example.net", {"a@b.test"},
                                 Stage::provisional));
  }
  writer_->commit();
  EXPECT_EQ(sweep(kNow + kDay, 8), 8U);
  EXPECT_EQ(sweep(kNow + kDay, 8), 8U);
  EXPECT_EQ(sweep(kNow + kDay, 8), 4U);
}

}  // namespace
}  // namespace mtrk::store
