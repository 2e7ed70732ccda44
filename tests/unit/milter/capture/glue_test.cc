#include "milter/capture/glue.h"

#include "tests/support/running_milter.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace mtrk {
namespace {

using test::MilterGlueTest;
using test::MiniMilterClient;

TEST_F(MilterGlueTest, NegotiatesTheEnvelopeAndNothingElse) {
  MiniMilterClient mta = client();
  EXPECT_EQ(mta.actions(), 0x40U);  // SMFIF_CHGFROM
  // No connect, HELO, headers, end of headers, body, unknown commands; no reply to RCPT and DATA.
  EXPECT_EQ(mta.steps(), 0x1U | 0x2U | 0x20U | 0x40U | 0x10U | 0x100U | 0x8000U | 0x10000U);
  EXPECT_EQ(mta.steps() & 0x800U, 0U);  // SMFIP_RCPT_REJ: accepted recipients only
  // A name that nobody defines: an empty list is Postfix's own one, which it works for.
  const std::string none = "{none}";
  const std::map<std::uint32_t, std::string> wanted{{0, none},  {1, none}, {2, none}, {3, none},
                                                    {4, "i j"}, {5, none}, {6, none}};
  EXPECT_EQ(mta.macros(), wanted);
}

TEST_F(MilterGlueTest, MailWithoutMtrkIsAcceptedAtMail) {
  MiniMilterClient mta = client();
  for (const auto& words : {std::vector<std::string>{"<s@a.test>"},
                            {"<>"},
                            {"<s@a.test>", "SIZE=100", "BODY=8BITMIME", "RET=FULL"},
                            {"<s@a.test>", "ENVID=plain@a.test"}}) {
    EXPECT_EQ(mta.mail(words), 'a');
  }
  EXPECT_TRUE(milter_.sink.captures().empty());
  EXPECT_EQ(milter_glue::active_messages(), 0U);
}

TEST_F(MilterGlueTest, TrackedMailIsCapturedAtDataAndConfirmedAtTheEndAndItsEnvidRestored) {
  MiniMilterClient mta = client();
  EXPECT_EQ(send(mta, "4jWxyz000001"), 'c');
  expect_restored(mta);
  const auto captures = milter_.sink.captures();
  ASSERT_EQ(captures.size(), 1U);
  EXPECT_EQ(captures[0].stage, store::Stage::provisional);
  EXPECT_EQ(captures[0].queue_id.text(), "4jWxyz000001");
  EXPECT_EQ(captures[0].envelope_id.decoded(), "id@a.test");
  EXPECT_EQ(captures[0].reporting_mta.name, "mx.example.test");
  const auto confirmed = milter_.sink.confirmed();
  ASSERT_EQ(confirmed.size(), 1U);
  EXPECT_EQ(confirmed[0].first, "4jWxyz000001");
  EXPECT_EQ(confirmed[0].second, captures[0].ticket);
  EXPECT_EQ(milter_glue::active_messages(), 0U);
}

TEST_F(MilterGlueTest, AnMtaThatWantsRepliesGetsThem) {
  const std::uint32_t steps = MiniMilterClient::kAllSteps &
                              ~(MiniMilterClient::kNoReplyRcpt | MiniMilterClient::kNoReplyData);
  MiniMilterClient mta(milter_.path(), MiniMilterClient::kAllActions, steps);
  EXPECT_EQ(send(mta, "4jWxyz000002"), 'c');
  expect_restored(mta);
}

TEST_F(MilterGlueTest, AnMtaWithoutChgfromIsTrackedAllTheSame) {
  MiniMilterClient mta(milter_.path(), 0);
  EXPECT_EQ(send(mta, "4jWxyz000003"), 'c');
  EXPECT_TRUE(mta.changes().empty());
  EXPECT_EQ(milter_.sink.confirmed().size(), 1U);
}

// THR-R2
TEST_F(MilterGlueTest, AConnectionCarriesTrackedUntrackedAndAbortedMessages) {
  MiniMilterClient mta = client();
  EXPECT_EQ(send(mta, "4jWxyz000010"), 'c');
  EXPECT_EQ(mta.mail({"<s@a.test>"}), 'a');
  EXPECT_EQ(mta.mail(tracked()), 'c');  // RSET before DATA
  mta.abort();
  EXPECT_EQ(mta.mail(tracked()), 'c');  // and after it
  mta.rcpt({"<bob@b.test>"});
  mta.data("4jWxyz000011");
  mta.abort();
  mta.abort();
  EXPECT_EQ(mta.mail(tracked()), 'c');  // given up by a new MAIL
  mta.rcpt({"<bob@b.test>"});
  mta.data("4jWxyz000012");
  EXPECT_EQ(send(mta, "4jWxyz000013"), 'c');
  EXPECT_EQ(mta.mail(tracked()), 'c');  // and by the end of the connection
  mta.rcpt({"<bob@b.test>"});
  mta.data("4jWxyz000014");
  mta.quit();
  const std::vector<std::string> dropped{"4jWxyz000011", "4jWxyz000012", "4jWxyz000014"};
  EXPECT_EQ(milter_.sink.await_dropped(3), dropped);
  std::vector<std::string> final_ids;
  for (const auto& [queue_id, ticket] : milter_.sink.confirmed()) {
    final_ids.push_back(queue_id);
  }
  EXPECT_EQ(final_ids, (std::vector<std::string>{"4jWxyz000010", "4jWxyz000013"}));
}

// THR-R5: a connection that ends after end of message was sent leaves the record alone.
TEST_F(MilterGlueTest, QuittingAfterEndOfMessageDropsNothing) {
  MiniMilterClient mta = client();
  EXPECT_EQ(send(mta, "4jWxyz000020"), 'c');
  mta.quit();
  MiniMilterClient other = client();
  EXPECT_EQ(other.mail(tracked()), 'c');
  other.rcpt({"<bob@b.test>"});
  other.data("4jWxyz000021");
  other.quit();
  EXPECT_EQ(milter_.sink.await_dropped(1), std::vector<std::string>{"4jWxyz000021"});
}

// Sendmail knows the queue id at MAIL, and one that does not heed our list of macros says it there
// and nowhere else. Those of RCPT stay visible, also to the next message.
TEST_F(MilterGlueTest, AQueueIdGivenAtMailCounts) {
  MiniMilterClient mta = client();
  for (const std::string queue_id : {"6ALGjYoB029826", "6ALGjYoC029826"}) {
    mta.define('M', {"i", queue_id, "{mail_addr}", "s@a.test"});
    EXPECT_EQ(mta.mail(tracked()), 'c');
    mta.define('R', {"{rcpt_mailer}", "local", "{rcpt_host}", "", "{rcpt_addr}", "bob"});
    EXPECT_EQ(mta.rcpt({"<bob@b.test>", "NOTIFY=SUCCESS,FAILURE"}), 'c');
    EXPECT_EQ(mta.data(), 'c');
    EXPECT_EQ(mta.end_of_message(), 'c');
    expect_restored(mta);
    mta.abort();  // after the end of a message: harmless
  }
  const auto captures = milter_.sink.captures();
  ASSERT_EQ(captures.size(), 2U);
  EXPECT_EQ(captures[0].queue_id.text(), "6ALGjYoB029826");
  EXPECT_EQ(captures[1].queue_id.text(), "6ALGjYoC029826");
  EXPECT_EQ(milter_.sink.confirmed().size(), 2U);
}

// A Sendmail patched for RFC 3885 passes the parameter as it is: nothing to restore.
TEST_F(MilterGlueTest, PlainMtrkOfAPatchedMtaIsTracked) {
  MiniMilterClient mta = client();
  EXPECT_EQ(mta.mail({"<s@a.test>", "ENVID=id@a.test", "MTRK=VheLhqV/rCKJmplkGFwsyW59pYk:86400",
                      "RET=HDRS"}),
            'c');
  mta.rcpt({"<bob@b.test>"});
  mta.data("6ALGjYoD029826");
  EXPECT_EQ(mta.end_of_message("6ALGjYoD029826"), 'c');
  EXPECT_TRUE(mta.changes().empty());
  const auto captures = milter_.sink.captures();
  ASSERT_EQ(captures.size(), 1U);
  EXPECT_EQ(captures[0].timeout, Seconds(86400));
}

// THR-R3
TEST_F(MilterGlueTest, AConnectionCanBeUsedAgain) {
  MiniMilterClient mta = client();
  EXPECT_EQ(send(mta, "4jWxyz000025"), 'c');
  mta.quit_new();
  EXPECT_EQ(send(mta, "4jWxyz000026"), 'c');
  EXPECT_EQ(milter_.sink.confirmed().size(), 2U);
}

// THR-R1, and TSan's: many connections at once on libmilter's worker pool.
TEST_F(MilterGlueTest, ConnectionsDoNotMix) {
  constexpr int kConnections = 8;
  constexpr int kMessages = 40;
  std::vector<std::thread> mtas;
  for (int c = 0; c < kConnections; ++c) {
    mtas.emplace_back([&, c] {
      MiniMilterClient mta = client();
      for (int m = 0; m < kMessages; ++m) {
        const std::string name = std::to_string(c) + "x" + std::to_string(m);
        if (mta.mail(tracked(name + "@a.test")) != 'c') {
          ADD_FAILURE();
        }
        mta.rcpt({"<r" + name + "@b.test>"});
        mta.data("4jWxyz" + name);
        if (mta.end_of_message("4jWxyz" + name) != 'c') {
          ADD_FAILURE();
        }
      }
      mta.quit();
    });
  }
  for (std::thread& mta : mtas) {
    mta.join();
  }
  const auto captures = milter_.sink.captures();
  EXPECT_EQ(captures.size(), std::size_t{kConnections * kMessages});
  std::set<std::pair<std::string, std::uint64_t>> captured;
  for (const store::Capture& capture : captures) {
    const std::string name = capture.queue_id.text().substr(6);
    EXPECT_EQ(capture.envelope_id.decoded(), name + "@a.test");
    ASSERT_EQ(capture.recipients.size(), 1U);
    EXPECT_EQ(capture.recipients[0].final.value, "r" + name + "@b.test");
    captured.emplace(capture.queue_id.text(), capture.ticket);
  }
  const auto confirmed = milter_.sink.confirmed();
  EXPECT_EQ(decltype(captured)(confirmed.begin(), confirmed.end()), captured);
}

}  // namespace
}  // namespace mtrk
