#include "milter/capture/session.h"

#include <gtest/gtest.h>

#include <optional>
#include <ostream>
#include <string>
#include <vector>

namespace mtrk {
namespace {

// SHA-1 of the octets 00 01 .. 0f.
constexpr char kFold[] = ";MTRK:VheLhqV/rCKJmplkGFwsyW59pYk";
const TimePoint kNow{Seconds(1'795'000'000)};
const MilterSession::Host kHost{{"dns", "mx.example.test"}, Minutes(60)};
constexpr char kQueueId[] = "4jWxyz1B2Cz3kQ";

class Words {
 public:
  explicit Words(std::vector<std::string> words) : words_(std::move(words)) {
    for (const std::string& word : words_) {
      pointers_.push_back(word.c_str());
    }
    pointers_.push_back(nullptr);
  }
  const char* const* argv() const { return pointers_.data(); }

 private:
  std::vector<std::string> words_;
  std::vector<const char*> pointers_;
};

void mail(MilterSession& session, std::vector<std::string> words, std::uint64_t ticket = 7) {
  session.on_mail(Words(std::move(words)).argv(), ticket);
}
void rcpt(MilterSession& session, std::vector<std::string> words) {
  session.on_rcpt(Words(std::move(words)).argv());
}
std::string folded(const std::string& envid, const std::string& fold = kFold) {
  return "ENVID=" + envid + fold;
}

TEST(MilterSessionTest, CapturesProvisionallyAtDataAndFinallyAtEndOfMessage) {
  MilterSession session;
  mail(session, {"<s@a.test>", "RET=HDRS", folded("id+2B1@a.test", std::string(kFold) + ":3600")});
  rcpt(session, {"<Bob@b.test>", "ORCPT=rfc822;Orig+2B@b.test"});
  EXPECT_TRUE(session.active());
  const auto provisional = session.on_data(kQueueId, kHost, kNow);
  ASSERT_TRUE(provisional);
  EXPECT_EQ(provisional->stage, store::Stage::provisional);
  EXPECT_EQ(provisional->ticket, 7U);

  const MilterSession::EndOfMessage end =
      session.on_eom(kQueueId, kHost, kNow + Seconds(300), false);
  ASSERT_TRUE(end.capture);
  EXPECT_EQ(end.capture->stage, store::Stage::final);
  EXPECT_EQ(end.capture->ticket, 7U);
  EXPECT_EQ(end.capture->queue_id.text(), kQueueId);
  EXPECT_EQ(end.capture->envelope_id.decoded(), "id+1@a.test");
  EXPECT_EQ(end.capture->timeout, Seconds(3600));
  EXPECT_EQ(end.capture->reporting_mta, kHost.reporting_mta);
  EXPECT_EQ(end.capture->utc_offset, Minutes(60));
  EXPECT_EQ(end.capture->arrival, kNow);  // one message has one arrival
  ASSERT_EQ(end.capture->recipients.size(), 1U);
  EXPECT_EQ(end.capture->recipients[0].original.value, "Orig+@b.test");
  EXPECT_EQ(end.capture->recipients[0].final.value, "Bob@b.test");
  ASSERT_TRUE(end.restore);
  EXPECT_EQ(end.restore->sender, "<s@a.test>");
  EXPECT_EQ(end.restore->arguments, "ENVID=id+2B1@a.test RET=HDRS");
  EXPECT_FALSE(session.take_complaint());
  EXPECT_FALSE(session.active());
}

// Only where the outbound gate has nothing else to know the message by.
TEST(MilterSessionTest, LeavesTheFoldOfTrackedMailOnRequest) {
  MilterSession session(Forgotten::all, MilterSession::TrackedFold::leave);
  const auto end_of = [&](std::vector<std::string> words) {
    mail(session, std::move(words));
    rcpt(session, {"<b@b.test>"});
    return session.on_eom(kQueueId, kHost, kNow, false);
  };
  const MilterSession::EndOfMessage tracked = end_of({"<s@a.test>", folded("id@a.test")});
  EXPECT_TRUE(tracked.capture);
  EXPECT_FALSE(tracked.restore);
  const MilterSession::EndOfMessage untracked =
      end_of({"<s@a.test>", folded("id@a.test", ";MTRK:abc")});
  EXPECT_FALSE(untracked.capture);
  ASSERT_TRUE(untracked.restore);
  EXPECT_EQ(untracked.restore->arguments, "ENVID=id@a.test");
}

TEST(MilterSessionTest, ConfirmsWhatStandsInsteadOfCapturingItAgain) {
  MilterSession session;
  mail(session, {"<s@a.test>", folded("id@a.test", std::string(kFold) + ":3600")});
  rcpt(session, {"<bob@b.test>"});
  ASSERT_TRUE(session.on_data(kQueueId, kHost, kNow));
  const MilterSession::EndOfMessage end = session.on_eom(kQueueId, kHost, kNow, true);
  EXPECT_FALSE(end.capture);
  ASSERT_TRUE(end.confirm);
  EXPECT_EQ(end.confirm->queue_id, kQueueId);
  EXPECT_EQ(end.confirm->ticket, 7U);
  EXPECT_EQ(end.recipients, 1U);
  EXPECT_EQ(end.timeout, Seconds(3600));
  EXPECT_TRUE(end.restore);
  EXPECT_FALSE(session.on_abort());
}

TEST(MilterSessionTest, AnotherQueueIdAtEndOfMessageIsCapturedInFull) {
  MilterSession session;
  mail(session, {"<s@a.test>", folded("id@a.test")});
  rcpt(session, {"<bob@b.test>"});
  ASSERT_TRUE(session.on_data(kQueueId, kHost, kNow));
  const MilterSession::EndOfMessage end = session.on_eom("4jWxyz1B2Cz3kS", kHost, kNow, true);
  EXPECT_FALSE(end.confirm);
  ASSERT_TRUE(end.capture);
  EXPECT_EQ(end.capture->queue_id.text(), "4jWxyz1B2Cz3kS");
}

// Sendmail forgets all that smfi_chgfrom does not name.
TEST(MilterSessionTest, SendmailIsGivenEveryArgumentAgain) {
  MilterSession session(Forgotten::all);
  mail(session, {"<s@a.test>", "SIZE=100", "BODY=8BITMIME", "RET=HDRS", folded("id@a.test"),
                 "AUTH=<>", "BY=120;RT"});
  rcpt(session, {"<bob@b.test>"});
  const MilterSession::EndOfMessage end = session.on_eom("6ALGjYoB029826", kHost, kNow, false);
  EXPECT_TRUE(end.capture);
  ASSERT_TRUE(end.restore);
  EXPECT_EQ(end.restore->arguments, "ENVID=id@a.test RET=HDRS BODY=8BITMIME AUTH=<> BY=120;RT");
}

TEST(MilterSessionTest, APlainMtrkNeedsNoRestoring) {
  MilterSession session;
  mail(session, {"<>", "ENVID=id@a.test", "MTRK=VheLhqV/rCKJmplkGFwsyW59pYk"});
  rcpt(session, {"<bob@b.test>"});
  const MilterSession::EndOfMessage end = session.on_eom(kQueueId, kHost, kNow, false);
  EXPECT_TRUE(end.capture);
  EXPECT_FALSE(end.restore);
}

struct Untracked {
  const char* name;
  std::vector<std::string> mail;
  std::string restored;  // arguments, or empty
};

void PrintTo(const Untracked& row, std::ostream* out) {
  *out << row.name;
}

class UntrackedTest : public testing::TestWithParam<Untracked> {};

// accepted, not tracked, said once; the fold goes all the same.
TEST_P(UntrackedTest, IsAcceptedNotTrackedAndComplainedAboutOnce) {
  MilterSession session;
  mail(session, GetParam().mail);
  rcpt(session, {"<bob@b.test>"});
  EXPECT_FALSE(session.on_data(kQueueId, kHost, kNow));
  const auto complaint = session.take_complaint();
  ASSERT_TRUE(complaint);
  EXPECT_EQ(complaint->reason, MilterSession::Reason::refused);
  EXPECT_FALSE(complaint->text.empty());
  const MilterSession::EndOfMessage end = session.on_eom(kQueueId, kHost, kNow, false);
  EXPECT_FALSE(end.capture);
  EXPECT_FALSE(session.take_complaint());
  ASSERT_EQ(end.restore.has_value(), !GetParam().restored.empty());
  if (end.restore) {
    EXPECT_EQ(end.restore->arguments, GetParam().restored);
  }
  EXPECT_FALSE(session.on_abort());
}

INSTANTIATE_TEST_SUITE_P(
    Refusals,
    UntrackedTest,
    testing::Values(
        Untracked{"BadCertifier", {"<s@a>", folded("id@a.test", ";MTRK:abc")}, "ENVID=id@a.test"},
        Untracked{"BadTimeout",
                  {"<s@a>", folded("id@a.test", std::string(kFold) + ":x")},
                  "ENVID=id@a.test"},
        Untracked{"NoHost", {"<s@a>", folded("id")}, "ENVID=id"},
        Untracked{"TooLong",
                  {"<s@a>", folded(std::string(120, 'x') + "@a.test")},
                  "ENVID=" + std::string(120, 'x') + "@a.test"},
        Untracked{"NothingButTheFold", {"<s@a>", folded("")}, ""},
        Untracked{"NoEnvid", {"<s@a>", "MTRK=VheLhqV/rCKJmplkGFwsyW59pYk"}, ""},
        Untracked{"Twice",
                  {"<s@a>", folded("id@a.test"), "MTRK=VheLhqV/rCKJmplkGFwsyW59pYk"},
                  "ENVID=id@a.test"}),
    [](const auto& row) { return row.param.name; });

TEST(MilterSessionTest, WithoutAQueueIdNothingIsCaptured) {
  for (const char* const id : {"", "a b", "../x", "4jW\n"}) {
    MilterSession session;
    mail(session, {"<s@a>", folded("id@a.test")});
    rcpt(session, {"<bob@b.test>"});
    EXPECT_FALSE(session.on_data(id, kHost, kNow));
    const MilterSession::EndOfMessage end = session.on_eom(id, kHost, kNow, false);
    EXPECT_FALSE(end.capture);
    EXPECT_TRUE(end.restore);
    const auto complaint = session.take_complaint();
    ASSERT_TRUE(complaint);
    EXPECT_EQ(complaint->reason, MilterSession::Reason::no_queue_id);
  }
}

TEST(MilterSessionTest, AQueueIdThatComesOnlyAtTheEndIsEnough) {
  MilterSession session;
  mail(session, {"<s@a>", folded("id@a.test")});
  rcpt(session, {"<bob@b.test>"});
  EXPECT_FALSE(session.on_data("", kHost, kNow));
  EXPECT_TRUE(session.on_eom(kQueueId, kHost, kNow, false).capture);
  EXPECT_FALSE(session.take_complaint());
}

// THR-R2
TEST(MilterSessionTest, OneConnectionCarriesManyMessages) {
  MilterSession session;
  for (std::uint64_t i = 1; i <= 3; ++i) {
    mail(session, {"<s@a>", folded("id" + std::to_string(i) + "@a.test")}, i);
    rcpt(session, {"<r" + std::to_string(i) + "@b.test>"});
    EXPECT_TRUE(session.on_data(kQueueId + std::to_string(i), kHost, kNow));
    const auto end = session.on_eom(kQueueId + std::to_string(i), kHost, kNow, false);
    ASSERT_TRUE(end.capture);
    EXPECT_EQ(end.capture->ticket, i);
    ASSERT_EQ(end.capture->recipients.size(), 1U);
    EXPECT_EQ(end.capture->recipients[0].final.value, "r" + std::to_string(i) + "@b.test");
  }
  EXPECT_FALSE(session.on_abort());  // nothing is left over when the connection ends
}

TEST(MilterSessionTest, AbortBeforeDataDropsNothing) {
  MilterSession session;
  mail(session, {"<s@a>", folded("id@a.test")});
  rcpt(session, {"<bob@b.test>"});
  EXPECT_FALSE(session.on_abort());
  EXPECT_FALSE(session.active());
}

TEST(MilterSessionTest, AbortAfterDataDropsTheProvisionalCaptureOnce) {
  MilterSession session;
  mail(session, {"<s@a>", folded("id@a.test")}, 42);
  rcpt(session, {"<bob@b.test>"});
  ASSERT_TRUE(session.on_data(kQueueId, kHost, kNow));
  const auto abandoned = session.on_abort();
  ASSERT_TRUE(abandoned);
  EXPECT_EQ(abandoned->queue_id, kQueueId);
  EXPECT_EQ(abandoned->ticket, 42U);
  EXPECT_FALSE(session.on_abort());
}

TEST(MilterSessionTest, NothingOfAnAbortedMessageReachesTheNext) {
  MilterSession session;
  mail(session, {"<s@a>", folded("one@a.test")}, 1);
  rcpt(session, {"<one@b.test>"});
  static_cast<void>(session.on_data(kQueueId, kHost, kNow));
  static_cast<void>(session.on_abort());
  mail(session, {"<s@a>", folded("two@a.test")}, 2);
  rcpt(session, {"<two@b.test>"});
  const auto end = session.on_eom("4jWxyz1B2Cz3kR", kHost, kNow + Seconds(9), false);
  ASSERT_TRUE(end.capture);
  EXPECT_EQ(end.capture->envelope_id.decoded(), "two@a.test");
  EXPECT_EQ(end.capture->arrival, kNow + Seconds(9));
  ASSERT_EQ(end.capture->recipients.size(), 1U);
  EXPECT_EQ(end.capture->recipients[0].final.value, "two@b.test");
}

TEST(MilterSessionTest, ARepeatedRecipientIsKeptOnce) {  // as Postfix delivers and logs it
  MilterSession session;
  mail(session, {"<s@a>", folded("id@a.test")});
  rcpt(session, {"<ok1@b.test>"});
  rcpt(session, {"<OK1@b.test>"});
  rcpt(session, {"<ok2@b.test>"});
  rcpt(session, {"<ok1@b.test>"});
  const auto end = session.on_eom(kQueueId, kHost, kNow, false);
  ASSERT_TRUE(end.capture);
  ASSERT_EQ(end.capture->recipients.size(), 2U);
  EXPECT_EQ(end.capture->recipients[0].final.value, "ok1@b.test");
  EXPECT_EQ(end.capture->recipients[1].final.value, "ok2@b.test");
}

TEST(MilterSessionTest, AMessageWithoutRecipientsIsNoCapture) {
  MilterSession session;
  mail(session, {"<s@a>", folded("id@a.test")});
  EXPECT_FALSE(session.on_data(kQueueId, kHost, kNow));
  EXPECT_FALSE(session.on_eom(kQueueId, kHost, kNow, false).capture);
}

TEST(MilterSessionTest, TooManyRecipientsAreNotTracked) {  // THR-R9: bounded
  MilterSession session;
  mail(session, {"<s@a>", folded("id@a.test")});
  for (std::size_t i = 0; i <= MilterSession::kMaxRecipients; ++i) {
    rcpt(session, {"<r" + std::to_string(i) + "@b.test>"});
  }
  EXPECT_FALSE(session.on_data(kQueueId, kHost, kNow));
  EXPECT_TRUE(session.take_complaint());
  EXPECT_TRUE(session.on_eom(kQueueId, kHost, kNow, false).restore);
}

TEST(MilterSessionTest, CallbacksOutOfOrderAreHarmless) {
  MilterSession session;
  rcpt(session, {"<bob@b.test>"});
  EXPECT_FALSE(session.on_data(kQueueId, kHost, kNow));
  EXPECT_FALSE(session.on_eom(kQueueId, kHost, kNow, false).capture);
  EXPECT_FALSE(session.on_abort());
  session.on_mail(Words({}).argv(), 1);
  rcpt(session, {});
  EXPECT_FALSE(session.on_eom(kQueueId, kHost, kNow, false).capture);
}

}  // namespace
}  // namespace mtrk
