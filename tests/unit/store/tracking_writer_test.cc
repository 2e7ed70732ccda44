#include "common/store/tracking_writer.h"

#include "common/store/store_error.h"
#include "common/store/store_format.h"
#include "tests/unit/store/store_fixture.h"

#include <gmock/gmock.h>

namespace mtrk::store {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

using TrackingWriterTest = StoreTest;

TEST_F(TrackingWriterTest, CaptureIsDelayedUntilTheLogSaysMore) {
  Capture made = capture("4dCXzt0Cvjz5Z", "id@example.net", {"a@example.net", "b@example.net"});
  EXPECT_EQ(put(made), Kept::stored);
  const std::vector<TrackedMessage> found = find("id@example.net");
  ASSERT_THAT(found, SizeIs(1));
  EXPECT_EQ(found[0].reporting_mta, made.reporting_mta);
  EXPECT_EQ(found[0].arrival, kNow);
  EXPECT_EQ(found[0].utc_offset, Minutes(60));
  EXPECT_EQ(found[0].queue_id, "4dCXzt0Cvjz5Z");
  EXPECT_TRUE(found[0].queued);
  ASSERT_THAT(found[0].recipients, SizeIs(2));
  EXPECT_EQ(found[0].recipients[0].outcome, never_tried(kNow + 5 * kDay));
}

TEST_F(TrackingWriterTest, ProvisionalIsInvisibleUntilFinal) {
  put(capture("4dCXzt0Cvjz5Z", "id@example.net", {"a@b.test"}, Stage::provisional));
  EXPECT_THAT(find("id@example.net"), IsEmpty());
  put(capture("4dCXzt0Cvjz5Z", "id@example.net", {"a@b.test"}, Stage::final));
  EXPECT_THAT(find("id@example.net"), SizeIs(1));
}

TEST_F(TrackingWriterTest, ProvisionalIsVisibleOnceTheLogShowsItQueued) {
  put(capture("4dCXzt0Cvjz5Z", "id@example.net", {"a@b.test"}, Stage::provisional));
  apply({event("4dCXzt0Cvjz5Z", maillog::MessageId{"<m@example.net>"})});
  EXPECT_THAT(find("id@example.net"), IsEmpty());
  apply({queued("4dCXzt0Cvjz5Z")});
  EXPECT_THAT(find("id@example.net"), SizeIs(1));
}

TEST_F(TrackingWriterTest, DroppedCaptureIsGone) {
  put(capture("4dCXzt0Cvjz5Z", "id@example.net", {"a@b.test"}, Stage::provisional, 5));
  writer_->begin();
  writer_->drop_capture("4dCXzt0Cvjz5Z", 4);  // another message's ticket
  writer_->commit();
  EXPECT_EQ(writer_->stats().messages, 1U);
  writer_->begin();
  writer_->drop_capture("4dCXzt0Cvjz5Z", 5);
  writer_->commit();
  EXPECT_EQ(writer_->stats().messages, 0U);
  EXPECT_EQ(writer_->stats().queue_ids, 0U);
  EXPECT_EQ(writer_->stats().traces, 0U);
}

TEST_F(TrackingWriterTest, EventsOfOneBatchBecomeOutcomes) {
  put(capture("4dCXzt0Cvjz5Z", "id@example.net", {"a@b.test", "c@d.test", "e@f.test"}));
  apply({queued("4dCXzt0Cvjz5Z"), attempt("4dCXzt0Cvjz5Z", "a@b.test", "sent"),
         attempt("4dCXzt0Cvjz5Z", "c@d.test", "bounced"),
         attempt("4dCXzt0Cvjz5Z", "e@f.test", "deferred")});
  EXPECT_THAT(actions("id@example.net"),
              ElementsAre(Action::relayed, Action::failed, Action::delayed));
  EXPECT_TRUE(find("id@example.net")[0].queued);
}

TEST_F(TrackingWriterTest, EventsAreAppliedAcrossReopening) {
  put(capture("4dCXzt0Cvjz5Z", "id@example.net", {"a@b.test"}));
  reopen();
  apply({attempt("4dCXzt0Cvjz5Z", "a@b.test", "sent")});
  EXPECT_THAT(actions("id@example.net"), ElementsAre(Action::relayed));
}

TEST_F(TrackingWriterTest, EventsOfUntrackedMailChangeNothing) {
  put(capture("4dCXzt0Cvjz5Z", "id@example.net"));
  writer_->begin();
  EXPECT_FALSE(writer_->apply(attempt("4dCXzt0CvjzAA", "user@example.net", "sent")));
  EXPECT_FALSE(writer_->dirty());
  writer_->put_cursor("log", {});
  EXPECT_FALSE(writer_->dirty());
  writer_->commit();
}

TEST_F(TrackingWriterTest, RefusedMessageLeavesNoRecord) {
  put(capture("4dCXzt0Cvjz5Z", "id@example.net"));
  apply({event("4dCXzt0Cvjz5Z", maillog::Rejected{maillog::Verdict::refused, "5.7.1 no"})});
  EXPECT_THAT(find("id@example.net"), IsEmpty());
  EXPECT_EQ(writer_->stats().messages, 0U);
  EXPECT_EQ(writer_->stats().queue_ids, 0U);
  // The id may come again at once.
  put(capture("4dCXzt0Cvjz5Z", "other@example.net", {"a@b.test"}, Stage::final, 2));
  EXPECT_THAT(find("other@example.net"), SizeIs(1));
}

TEST_F(TrackingWriterTest, EnvelopeIdAndCertifierAreGoneWhenTheMessageLeftTheQueue) {
  put(capture("4dCXzt0Cvjz5Z", "unique-secret-id@example.net", {"a@b.test"}));
  apply({queued("4dCXzt0Cvjz5Z"), attempt("4dCXzt0Cvjz5Z", "a@b.test", "sent"),
         removed("4dCXzt0Cvjz5Z")});
  const std::vector<TrackedMessage> found = find("unique-secret-id@example.net");
  ASSERT_THAT(found, SizeIs(1));
  EXPECT_FALSE(found[0].queued);
  EXPECT_EQ(writer_->stats().traces, 1U);  // for late lines
}

TEST_F(TrackingWriterTest, SameIdAndCertifierOfSeveralTransactionsMerge) {
  put(capture("4dCXzt0Cvjz5Z", "id@example.net", {"a@b.test"}));
  put(capture("4dCXzt0CvjzAA", "id@example.net", {"c@d.test"}, Stage::final, 2));
  EXPECT_THAT(find("id@example.net"), SizeIs(2));
  apply({attempt("4dCXzt0CvjzAA", "c@d.test", "sent")});
  EXPECT_THAT(actions("id@example.net"), ElementsAre(Action::delayed, Action::relayed));
}

TEST_F(TrackingWriterTest, SameIdWithAnotherCertifierIsApart) {  // THR-O5
  put(capture("4dCXzt0Cvjz5Z", "id@example.net"));
  Capture squatter = capture("4dCXzt0CvjzAA", "id@example.net");
  squatter.certifier = certifier(8);
  put(squatter);
  EXPECT_THAT(find("id@example.net", kNow, 7), SizeIs(1));
  EXPECT_THAT(find("id@example.net", kNow, 8), SizeIs(1));
  EXPECT_EQ(find("id@example.net", kNow, 8)[0].queue_id, "4dCXzt0CvjzAA");
}

TEST_F(TrackingWriterTest, TransactionsOfOneMessageAreLimited) {
  writer_->begin();
  for (std::size_t i = 0; i < kMaxTransactions; ++i) {
    ASSERT_EQ(writer_->put_capture(capture("ABCDEF" + std::to_string(1000 + i), "id@example.net",
                                           {"a@b.test"}, Stage::final, i)),
              Kept::stored);
  }
  EXPECT_EQ(writer_->put_capture(capture("ABCDEF9999", "id@example.net")), Kept::merged_limit);
  writer_->commit();
  EXPECT_THAT(find("id@example.net"), SizeIs(kMaxTransactions));
}

TEST_F(TrackingWriterTest, QueueIdGivenOutAgainIsANewIncarnation) {
  put(capture("3F2A10", "old@example.net", {"a@b.test"}, Stage::final, 1));
  apply({queued("3F2A10")});
  put(capture("3F2A10", "new@example.net", {"a@b.test"}, Stage::final, 2));
  apply({attempt("3F2A10", "a@b.test", "sent")});
  EXPECT_THAT(actions("new@example.net"), ElementsAre(Action::relayed));
  EXPECT_THAT(actions("old@example.net"), ElementsAre(Action::opaque));  // gone without a word
  EXPECT_FALSE(find("old@example.net")[0].queued);
  reopen();
  apply({attempt("3F2A10", "a@b.test", "bounced")});  // final already
  EXPECT_THAT(actions("new@example.net"), ElementsAre(Action::relayed));
}

TEST_F(TrackingWriterTest, ProvisionalThatNeverWasMakesWayForTheNext) {
  put(capture("3F2A10", "old@example.net", {"a@b.test"}, Stage::provisional, 1));
  put(capture("3F2A10", "new@example.net", {"a@b.test"}, Stage::provisional, 2));
  EXPECT_EQ(writer_->stats().messages, 1U);
  EXPECT_EQ(writer_->stats().queue_ids, 1U);
}

TEST_F(TrackingWriterTest, AForwardedCopyIsFollowed) {
  put(capture("4dCXzt0Cvjz5Z", "id@example.net", {"alias@b.test"}));
  maillog::DeliveryEvent forward = attempt("4dCXzt0Cvjz5Z", "alias@b.test", "sent");
  std::get<maillog::Attempt>(forward.what).agent = "local";
  std::get<maillog::Attempt>(forward.what).relay = "local";
  std::get<maillog::Attempt>(forward.what).text = "forwarded as 4dCXzt0CvjzAA";
  std::get<maillog::Attempt>(forward.what).forwarded_as = "4dCXzt0CvjzAA";
  apply({queued("4dCXzt0Cvjz5Z"), forward, removed("4dCXzt0Cvjz5Z"), queued("4dCXzt0CvjzAA")});
  EXPECT_TRUE(find("id@example.net")[0].queued);
  reopen();
  apply({attempt("4dCXzt0CvjzAA", "member@c.test", "sent"), removed("4dCXzt0CvjzAA")});
  const std::vector<TrackedMessage> found = find("id@example.net");
  EXPECT_EQ(action_of(found.at(0).recipients[0].outcome), Action::relayed);
  EXPECT_TRUE(found[0].recipients[0].redirected);
  EXPECT_FALSE(found[0].queued);
}

TEST_F(TrackingWriterTest, AbortUndoesEverything) {
  put(capture("4dCXzt0Cvjz5Z", "id@example.net", {"a@b.test"}));
  LogCursor cursor;
  cursor.offset = 100;
  writer_->begin();
  writer_->put_cursor("log", cursor);
  writer_->commit();

  writer_->begin();
  writer_->apply(attempt("4dCXzt0Cvjz5Z", "a@b.test", "sent"));
  writer_->put_capture(capture("4dCXzt0CvjzAA", "other@example.net"));
  cursor.offset = 200;
  writer_->put_cursor("log", cursor);
  EXPECT_TRUE(writer_->dirty());
  EXPECT_TRUE(writer_->in_batch());
  writer_->abort();
  EXPECT_FALSE(writer_->in_batch());

  EXPECT_THAT(actions("id@example.net"), ElementsAre(Action::delayed));
  EXPECT_THAT(find("other@example.net"), IsEmpty());
  EXPECT_EQ(writer_->cursor("log")->offset, 100U);  // position and events go together
  writer_->begin();
  EXPECT_FALSE(writer_->apply(attempt("4dCXzt0CvjzAA", "user@example.net", "sent")));
  EXPECT_TRUE(writer_->apply(attempt("4dCXzt0Cvjz5Z", "a@b.test", "sent")));
  writer_->commit();
  EXPECT_THAT(actions("id@example.net"), ElementsAre(Action::relayed));
}

TEST_F(TrackingWriterTest, CursorsSurviveAndMiss) {
  EXPECT_FALSE(writer_->cursor("log"));
  writer_->begin();
  LogCursor cursor{1, 2, 3, 4, 5, "s=x"};
  writer_->put_cursor("log", cursor);
  EXPECT_EQ(writer_->cursor("log")->inode, 2U);
  writer_->commit();
  reopen();
  const std::optional<LogCursor> back = writer_->cursor("log");
  ASSERT_TRUE(back);
  EXPECT_EQ(back->device, 1U);
  EXPECT_EQ(back->offset, 3U);
  EXPECT_EQ(back->head_octets, 4U);
  EXPECT_EQ(back->head_crc, 5U);
  EXPECT_EQ(back->journal, "s=x");
}

TrackedMessage imported(std::vector<Outcome> outcomes) {
  TrackedMessage message;
  message.reporting_mta = {"dns", "mx.example.test"};
  message.arrival = kNow;
  message.expires_at = kNow + kDay;
  message.queue_id = "4dCXzt0Cvjz5Z";
  for (Outcome& outcome : outcomes) {
    const std::string address = "r" + std::to_string(message.recipients.size()) + "@b.test";
    message.recipients.push_back({{"rfc822", address}, {"rfc822", address}, outcome, false});
  }
  return message;
}

TEST_F(TrackingWriterTest, ImportedMessageIsKeptAsItIs) {
  const TrackedMessage message = imported({Relayed{{kNow, {}}}});
  writer_->begin();
  EXPECT_EQ(writer_->put_message(envid("id@example.net"), certifier(), message), Kept::stored);
  writer_->commit();
  EXPECT_THAT(find("id@example.net"), ElementsAre(message));
  EXPECT_EQ(writer_->stats().traces, 0U);
}

TEST_F(TrackingWriterTest, ImportedDelayedMessageIsFollowedAndKeepsWhatItKnew) {
  writer_->begin();
  writer_->put_message(envid("id@example.net"), certifier(),
                       imported({Relayed{{kNow, {}}}, never_tried({})}));
  writer_->commit();
  EXPECT_TRUE(find("id@example.net").at(0).queued);
  apply({attempt("4dCXzt0Cvjz5Z", "r1@b.test", "bounced"), removed("4dCXzt0Cvjz5Z")});
  EXPECT_THAT(actions("id@example.net"), ElementsAre(Action::relayed, Action::failed));
}

TEST_F(TrackingWriterTest, ImportingTwiceChangesNothing) {
  for (int i = 0; i < 2; ++i) {
    writer_->begin();
    writer_->put_message(envid("id@example.net"), certifier(), imported({Opaque{}}));
    writer_->put_message(envid("b@example.net"), certifier(), imported({never_tried({})}));
    writer_->commit();
  }
  EXPECT_EQ(writer_->stats().messages, 2U);
  EXPECT_EQ(writer_->stats().traces, 1U);
}

TEST_F(TrackingWriterTest, RequestedTimeoutIsCapped) {  // MTRK-3.1-10 to -16
  EXPECT_EQ(writer_->expiry_of(kNow, Seconds(100000)), kNow + Seconds(100000));
  EXPECT_EQ(writer_->expiry_of(kNow, Seconds(999999999)), kNow + 30 * kDay);
  EXPECT_EQ(writer_->expiry_of(kNow, std::nullopt), kNow + 9 * kDay);
  EXPECT_EQ(writer_->expiry_of(kNow, Seconds(0)), kNow);  // only while queued
  writer_.reset();
  WriterOptions mean = options();
  mean.maximum_retention = Seconds(3600);  // MTRK-3.1-13: never under a day
  mean.default_retention = Seconds(60);
  const TrackingWriter writer(mean, Create::never);
  EXPECT_EQ(writer.expiry_of(kNow, Seconds(999999999)), kNow + kDay);
  EXPECT_EQ(writer.expiry_of(kNow, std::nullopt), kNow + kDay);
}

}  // namespace
}  // namespace mtrk::store
