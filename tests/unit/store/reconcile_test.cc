#include "common/store/reconcile.h"

#include "common/store/sweep.h"
#include "tests/unit/store/store_fixture.h"

#include <gmock/gmock.h>

namespace mtrk::store {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

constexpr std::string_view kId = "4dCXzt0Cvjz5Z";
constexpr Seconds kInterval{600};

class ReconcileTest : public StoreTest {
 protected:
  void put_queued(std::vector<std::string> recipients = {"a@b.test"}) {
    put(capture(kId, "id@example.net", std::move(recipients)));
    apply({queued(kId)});
  }
  void put_listed(std::vector<std::string> recipients = {"a@b.test"}) {
    put_queued(std::move(recipients));
    EXPECT_EQ(reconcile(list(0, {std::string(kId)})).listed, 1U);
  }
  // The `n`th list; with the queue ids given.
  static QueueReport list(int n, std::vector<std::string> ids = {}) {
    QueueReport report;
    for (std::string& id : ids) {
      report.messages.push_back({std::move(id), kNow});
    }
    report.taken_at = kNow + n * kInterval;
    report.whole = report.log_was_read = true;
    return report;
  }
  Reconciled reconcile(const QueueReport& report) {
    writer_->begin();
    const Reconciled result = writer_->reconcile(report);
    writer_->commit();
    return result;
  }
};

TEST_F(ReconcileTest, WhatTwoListsDoNotHaveIsOpaque) {
  put_listed({"a@b.test", "d@b.test"});
  apply({attempt(kId, "d@b.test", "deferred")});
  EXPECT_EQ(reconcile(list(1, {"4OTHER0000z1"})).vanished, 0U);
  EXPECT_THAT(actions("id@example.net"), ElementsAre(Action::delayed, Action::delayed));
  EXPECT_EQ(reconcile(list(2)).vanished, 1U);
  EXPECT_THAT(actions("id@example.net"), ElementsAre(Action::opaque, Action::opaque));
  EXPECT_FALSE(find("id@example.net")[0].queued);
  EXPECT_EQ(reconcile(list(3)).vanished, 0U) << "once is enough";
}

TEST_F(ReconcileTest, WhatTheLogToldStays) {
  put_listed({"a@b.test", "d@b.test"});
  apply({attempt(kId, "a@b.test", "sent"), attempt(kId, "d@b.test", "deferred")});
  reconcile(list(1));
  reconcile(list(2));
  EXPECT_THAT(actions("id@example.net"), ElementsAre(Action::relayed, Action::opaque));
}

TEST_F(ReconcileTest, TheTruthMayComeForAsLongAsThereIsARecord) {
  put_listed({"a@b.test", "d@b.test"});
  reconcile(list(1));
  EXPECT_EQ(reconcile(list(2)).vanished, 1U);
  for (int day = 1; day < 9; ++day) {
    sweep(kNow + day * kDay);
  }
  const Seconds late = 9 * kDay - Seconds(60);
  apply({attempt(kId, "d@b.test", "bounced", late), attempt(kId, "a@b.test", "deferred", late)});
  EXPECT_THAT(actions("id@example.net"), ElementsAre(Action::opaque, Action::failed))
      << "a deferral is no end";
  apply({attempt(kId, "d@b.test", "sent", late)});
  EXPECT_THAT(actions("id@example.net"), ElementsAre(Action::opaque, Action::failed))
      << "but what is final stays";
  sweep(kNow + 10 * kDay);
  EXPECT_EQ(writer_->stats().messages, 0U);
  EXPECT_EQ(writer_->stats().traces, 0U);
  EXPECT_EQ(writer_->stats().queue_ids, 0U);
}

TEST_F(ReconcileTest, WhatIsOnTheListAfterAllIsKept) {
  put_listed();
  reconcile(list(1));
  EXPECT_EQ(reconcile(list(2)).vanished, 1U);
  QueueReport again = list(3, {std::string(kId)});
  again.taken_at = kNow + 9 * kDay;
  EXPECT_EQ(reconcile(again).listed, 1U);
  sweep(kNow + 9 * kDay);
  EXPECT_EQ(writer_->stats().messages, 1U);
}

// Its queue may be that of another instance of Postfix, which the list does not show.
TEST_F(ReconcileTest, WhatNoListEverHadIsLeftToItsLifetime) {
  put_queued();
  for (int i = 1; i < 9; ++i) {
    EXPECT_EQ(reconcile(list(i)).vanished, 0U);
  }
  QueueReport late = list(9);
  late.taken_at = kNow + 6 * kDay - Seconds(1);
  EXPECT_EQ(reconcile(late).vanished, 0U);
  EXPECT_THAT(actions("id@example.net"), ElementsAre(Action::delayed));
  late.taken_at = kNow + 6 * kDay;
  EXPECT_EQ(reconcile(late).vanished, 1U);
  EXPECT_THAT(actions("id@example.net"), ElementsAre(Action::opaque));
}

TEST_F(ReconcileTest, WhatIsFinalEndsWithoutHavingBeenListed) {
  put_queued();
  apply({attempt(kId, "a@b.test", "sent")});  // and the line of its removal is missing
  EXPECT_TRUE(find("id@example.net")[0].queued);
  reconcile(list(1));
  reconcile(list(2));
  EXPECT_FALSE(find("id@example.net")[0].queued);
  EXPECT_THAT(actions("id@example.net"), ElementsAre(Action::relayed));
}

TEST_F(ReconcileTest, OneListWithItIsEnough) {
  put_listed();
  reconcile(list(1));
  EXPECT_EQ(reconcile(list(2, {std::string(kId)})).listed, 1U);
  reconcile(list(3));
  EXPECT_THAT(actions("id@example.net"), ElementsAre(Action::delayed));
  reconcile(list(4));
  EXPECT_THAT(actions("id@example.net"), ElementsAre(Action::opaque));
}

TEST_F(ReconcileTest, ListsInDoubtEndNothing) {
  put_listed();
  QueueReport in_part = list(1);
  in_part.whole = false;
  QueueReport log_behind = list(2);
  log_behind.log_was_read = false;
  for (int i = 0; i < 3; ++i) {
    reconcile(in_part);
    reconcile(list(1));
    reconcile(log_behind);
    reconcile(list(2));
    EXPECT_EQ(reconcile(list(2)).vanished, 0U) << "the same list again";
  }
  EXPECT_THAT(actions("id@example.net"), ElementsAre(Action::delayed));
}

TEST_F(ReconcileTest, YoungMessagesMayNotBeListedYet) {
  put_listed();
  QueueReport early = list(0);
  for (const Seconds after : {Seconds(1), Seconds(60), Seconds(119), Seconds(121)}) {
    early.taken_at = kNow + after;
    EXPECT_EQ(reconcile(early).vanished, 0U);
  }
  EXPECT_THAT(actions("id@example.net"), ElementsAre(Action::delayed));
  early.taken_at = kNow + Seconds(122);
  EXPECT_EQ(reconcile(early).vanished, 1U);
}

TEST_F(ReconcileTest, WhatTheLogNeverNamedIsNoRecord) {  // refused after our end of message
  put(capture(kId, "id@example.net"));
  reconcile(list(1));
  EXPECT_EQ(reconcile(list(2)).vanished, 0U);
}

TEST_F(ReconcileTest, AForwardedCopyOnTheListKeepsTheMessage) {
  put_queued();
  maillog::Attempt forwarded;
  forwarded.agent = "local";
  forwarded.recipient = "a@b.test";
  forwarded.relay = "local";
  forwarded.status = "sent";
  forwarded.dsn = EnhancedStatus{2, 0, 0};
  forwarded.text = "forwarded as 4CHiLD0000z5Z";
  forwarded.forwarded_as = "4CHiLD0000z5Z";
  apply({event(kId, forwarded), queued("4CHiLD0000z5Z"), removed(kId)});
  for (int i = 1; i < 4; ++i) {
    EXPECT_EQ(reconcile(list(i, {"4CHiLD0000z5Z"})).vanished, 0U);
  }
  reconcile(list(4));
  EXPECT_EQ(reconcile(list(5)).vanished, 1U);
  EXPECT_THAT(actions("id@example.net"), ElementsAre(Action::opaque));
}

// THR-B14: the log stopped before it said anything of the message.
TEST_F(ReconcileTest, WhatIsListedIsNotDenied) {
  put(capture(kId, "id@example.net", {"a@b.test"}, Stage::provisional));
  put(capture("4OTHER0000z1", "other@example.net"));
  apply({queued("4ANOTHER000z1")});
  writer_->begin();  // the log goes on
  maillog::DeliveryEvent later = queued("4ANOTHER000z1");
  later.at = kNow + Seconds(3000);
  static_cast<void>(writer_->apply(later));
  writer_->commit();
  reconcile(list(5, {std::string(kId)}));
  sweep(kNow + kUnconfirmedLifetime);
  EXPECT_THAT(find("id@example.net"), SizeIs(1));
  EXPECT_THAT(actions("id@example.net"), ElementsAre(Action::delayed));
  EXPECT_THAT(find("other@example.net"), IsEmpty());
  sweep(kNow + 40 * kDay);
  EXPECT_THAT(find("id@example.net", kNow + 40 * kDay), SizeIs(1)) << "MTRK-3.1-17";
}

TEST_F(ReconcileTest, AnotherMessageOfThatQueueIdProvesNothing) {
  put(capture(kId, "id@example.net", {"a@b.test"}, Stage::provisional));
  apply({event("4ANOTHER000z1", maillog::Queued{"s@example.net", 1}, Seconds(3000))});
  QueueReport old = list(5, {std::string(kId)});
  old.messages[0].arrival = kNow - 2 * kDay;
  reconcile(old);
  sweep(kNow + kUnconfirmedLifetime);
  EXPECT_EQ(writer_->stats().messages, 0U);
}

TEST_F(ReconcileTest, SendmailsMessagesVanishToo) {
  put(capture("6ALHZa1t012345", "id@example.net", {"a@b.test"}));
  maillog::DeliveryEvent taken =
      event("6ALHZa1t012345", maillog::Queued{"s@example.net", 1, "<1@example.net>", {}});
  taken.mta = Mta::sendmail;
  apply({taken});
  QueueReport report = list(0, {"6ALHZa1t012345"});
  report.mta = Mta::sendmail;
  EXPECT_EQ(reconcile(report).listed, 1U);
  report.messages.clear();
  report.taken_at += kInterval;
  reconcile(report);
  EXPECT_THAT(actions("id@example.net"), ElementsAre(Action::delayed));
  report.taken_at += kInterval;
  EXPECT_EQ(reconcile(report).vanished, 1U);
  EXPECT_THAT(actions("id@example.net"), ElementsAre(Action::opaque));
}

// At log level 9 a member may be all that the log names, and there may be more of them.
TEST_F(ReconcileTest, WhatIsKnownByEliminationIsInTheQueueUntilTheListSaysNo) {
  constexpr std::string_view kSendmailId = "6ALHZa1t012345";
  put(capture(kSendmailId, "id@example.net", {"alias@b.test"}));
  maillog::DeliveryEvent taken =
      event(kSendmailId, maillog::Queued{"s@example.net", 1, "<1@example.net>", {}});
  maillog::Attempt sent;
  sent.agent = "local";
  sent.recipient = "alice";
  sent.delay = "00:00:00";
  sent.status = "Sent";
  sent.dsn = EnhancedStatus{2, 0, 0};
  maillog::DeliveryEvent tried = event(kSendmailId, sent, Seconds(2));
  taken.mta = tried.mta = Mta::sendmail;
  apply({taken, tried});
  EXPECT_THAT(actions("id@example.net"), ElementsAre(Action::delivered));
  EXPECT_TRUE(find("id@example.net")[0].queued);
  QueueReport report = list(1);
  report.mta = Mta::sendmail;
  reconcile(report);
  EXPECT_TRUE(find("id@example.net")[0].queued);
  report.taken_at += kInterval;
  reconcile(report);
  EXPECT_FALSE(find("id@example.net")[0].queued);
  EXPECT_THAT(actions("id@example.net"), ElementsAre(Action::delivered));
}

}  // namespace
}  // namespace mtrk::store
