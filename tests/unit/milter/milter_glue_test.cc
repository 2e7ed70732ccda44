#include "milter/milter_glue.h"

#include "tests/support/mini_milter_client.h"
#include "tests/support/scratch_directory.h"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <new>
#include <optional>
#include <set>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace mtrk {
namespace {

using namespace std::chrono_literals;
using test::MiniMilterClient;

constexpr char kFold[] = ";MTRK:VheLhqV/rCKJmplkGFwsyW59pYk";
constexpr Milliseconds kCommitWait{300};

// Takes the place of the store.
class RecordingSink : public CaptureSink {
 public:
  enum class Mood { commit, fail, silent, full, throw_error, out_of_memory };

  bool put(store::Capture capture, std::shared_ptr<CommitTicket> ticket) override {
    switch (mood.load()) {
      case Mood::throw_error:
        throw std::runtime_error("broken");
      case Mood::out_of_memory:
        throw std::bad_alloc();
      case Mood::full:
        return false;
      case Mood::commit:
      case Mood::fail:
        if (ticket) {
          ticket->complete(mood == Mood::commit ? CommitResult::committed : CommitResult::failed);
        }
        break;
      case Mood::silent:
        break;
    }
    const std::lock_guard lock(mutex_);
    captures_.push_back(std::move(capture));
    changed_.notify_all();
    return true;
  }
  bool confirm(ConfirmCapture confirmation, CommitTicket& /*ticket*/) override {
    if (mood == Mood::throw_error) {
      throw std::runtime_error("broken");
    }
    const std::lock_guard lock(mutex_);
    if (mood == Mood::full) {
      return false;
    }
    confirmed_.emplace_back(std::move(confirmation.queue_id), confirmation.ticket);
    return true;
  }
  void hurry(CommitTicket& /*ticket*/, std::size_t company) override { EXPECT_GE(company, 1U); }
  bool drop(std::string queue_id, std::uint64_t /*ticket*/) override {
    if (mood == Mood::throw_error) {
      throw std::runtime_error("broken");
    }
    const std::lock_guard lock(mutex_);
    dropped_.push_back(std::move(queue_id));
    changed_.notify_all();
    return true;
  }

  void reset() {
    const std::lock_guard lock(mutex_);
    mood = Mood::commit;
    captures_.clear();
    confirmed_.clear();
    dropped_.clear();
  }
  std::vector<std::pair<std::string, std::uint64_t>> confirmed() {
    const std::lock_guard lock(mutex_);
    return confirmed_;
  }
  std::vector<store::Capture> captures() {
    const std::lock_guard lock(mutex_);
    return captures_;
  }
  void await_captures(std::size_t count) {
    std::unique_lock lock(mutex_);
    EXPECT_TRUE(changed_.wait_for(lock, 10s, [&] { return captures_.size() >= count; }));
  }
  std::vector<std::string> await_dropped(std::size_t count) {  // aborts have no answer
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, 10s, [&] { return dropped_.size() >= count; });
    return dropped_;
  }

  std::atomic<Mood> mood{Mood::commit};

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<store::Capture> captures_;
  std::vector<std::pair<std::string, std::uint64_t>> confirmed_;
  std::vector<std::string> dropped_;
};

// libmilter can run once in a process: one milter serves all tests here, on its real thread pool.
class RunningMilter {
 public:
  static RunningMilter& get() {
    static const test::ScratchDirectory directory;  // goes at exit, the milter's threads with it
    static RunningMilter& milter = *new RunningMilter(directory.path("m.sock"));
    return milter;
  }
  [[nodiscard]] const std::string& path() const { return path_; }

  RecordingSink sink;
  Counters counters;
  CircuitBreaker& breaker() { return *breaker_; }

 private:
  explicit RunningMilter(std::string path) : path_(std::move(path)), breaker_(new CircuitBreaker) {
    milter_glue::Options options;
    options.hostname = "mx.example.test";
    options.commit_wait = kCommitWait;
    milter_glue::open(options, {sink, *breaker_, counters}, "unix:" + path_);
    std::thread([] { milter_glue::run(); }).detach();
  }

  std::string path_;
  CircuitBreaker* breaker_;
};

class MilterGlueTest : public testing::Test {
 protected:
  MilterGlueTest() {
    milter_.sink.reset();
    close_breaker();
  }
  // Opens and closes it, whatever a test before left.
  void close_breaker() {
    CircuitBreaker& breaker = milter_.breaker();
    breaker.committed(CircuitBreaker::Clock::now() - 20s, 1ms);
    ASSERT_TRUE(breaker.allows_wait(CircuitBreaker::Clock::now()));
    breaker.wait_succeeded();
  }
  MiniMilterClient client() { return MiniMilterClient(milter_.path()); }
  static std::vector<std::string> tracked(const std::string& envid = "id@a.test") {
    return {"<s@a.test>", "RET=HDRS", "ENVID=" + envid + kFold};
  }
  // MAIL to end of message, macros at DATA alone, as is asked for; the last answer.
  static char send(MiniMilterClient& mta, const std::string& queue_id) {
    EXPECT_EQ(mta.mail(tracked()), 'c');
    EXPECT_EQ(mta.rcpt({"<bob@b.test>"}), 'c');
    EXPECT_EQ(mta.data(queue_id), 'c');
    return mta.end_of_message();
  }
  static void expect_restored(const MiniMilterClient& mta) {
    ASSERT_EQ(mta.changes().size(), 1U);
    EXPECT_EQ(mta.changes()[0], MiniMilterClient::join({"<s@a.test>", "ENVID=id@a.test RET=HDRS"}));
  }

  RunningMilter& milter_ = RunningMilter::get();
};

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

TEST_F(MilterGlueTest, WhatWasLostAtDataIsCapturedInFullAtTheEnd) {
  milter_.sink.mood = RecordingSink::Mood::fail;
  MiniMilterClient mta = client();
  EXPECT_EQ(mta.mail(tracked()), 'c');
  EXPECT_EQ(mta.rcpt({"<bob@b.test>"}), 'c');
  EXPECT_EQ(mta.data("4jWxyz000004"), 'c');
  milter_.sink.await_captures(1);  // DATA has no answer
  milter_.sink.mood = RecordingSink::Mood::commit;
  EXPECT_EQ(mta.end_of_message("4jWxyz000004"), 'c');
  const auto captures = milter_.sink.captures();
  ASSERT_EQ(captures.size(), 2U);
  EXPECT_EQ(captures[1].stage, store::Stage::final);
  EXPECT_EQ(captures[0].ticket, captures[1].ticket);
  EXPECT_TRUE(milter_.sink.confirmed().empty());
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

// reliability R2
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

// F5: a connection that ends after end of message was sent leaves the record alone.
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

// R3
TEST_F(MilterGlueTest, AConnectionCanBeUsedAgain) {
  MiniMilterClient mta = client();
  EXPECT_EQ(send(mta, "4jWxyz000025"), 'c');
  mta.quit_new();
  EXPECT_EQ(send(mta, "4jWxyz000026"), 'c');
  EXPECT_EQ(milter_.sink.confirmed().size(), 2U);
}

TEST_F(MilterGlueTest, MalformedMtrkIsAcceptedAndRestored) {
  const std::uint64_t refused = milter_.counters.refused;
  MiniMilterClient mta = client();
  EXPECT_EQ(mta.mail({"<s@a.test>", "RET=HDRS", "ENVID=id@a.test;MTRK:nonsense"}), 'c');
  mta.rcpt({"<bob@b.test>"});
  mta.data("4jWxyz000030");
  EXPECT_EQ(mta.end_of_message("4jWxyz000030"), 'c');
  expect_restored(mta);
  EXPECT_TRUE(milter_.sink.captures().empty());
  EXPECT_EQ(milter_.counters.refused, refused + 1);
}

TEST_F(MilterGlueTest, WithoutAQueueIdTheMessageIsNotTracked) {
  MiniMilterClient mta = client();
  EXPECT_EQ(send(mta, ""), 'c');
  expect_restored(mta);
  EXPECT_TRUE(milter_.sink.captures().empty());
}

// M4, F2: nothing leaves a callback, and the mail goes on with its ENVID restored.
TEST_F(MilterGlueTest, ExceptionsAreContainedInEveryCallback) {
  for (const auto mood : {RecordingSink::Mood::throw_error, RecordingSink::Mood::out_of_memory}) {
    milter_.sink.mood = mood;
    const std::uint64_t exceptions = milter_.counters.exceptions;
    MiniMilterClient mta = client();
    EXPECT_EQ(send(mta, "4jWxyz000040"), 'c');  // DATA and end of message
    expect_restored(mta);
    EXPECT_GE(milter_.counters.exceptions, exceptions + 2);
    mta.mail(tracked());
    mta.rcpt({"<bob@b.test>"});
    milter_.sink.mood = RecordingSink::Mood::commit;
    mta.data("4jWxyz000041");
    milter_.sink.mood = mood;
    mta.abort();
    EXPECT_EQ(mta.mail({"<s@a.test>"}), 'a');
    mta.quit();
    milter_.sink.mood = RecordingSink::Mood::commit;
    MiniMilterClient next = client();
    EXPECT_EQ(send(next, "4jWxyz000042"), 'c');
  }
  EXPECT_TRUE(milter_.sink.await_dropped(0).size() <= 1);
}

TEST_F(MilterGlueTest, AFullQueueShedsAndMailGoesOn) {
  milter_.sink.mood = RecordingSink::Mood::full;
  const std::uint64_t shed = milter_.counters.shed;
  MiniMilterClient mta = client();
  EXPECT_EQ(send(mta, "4jWxyz000050"), 'c');
  expect_restored(mta);
  EXPECT_GT(milter_.counters.shed, shed);
}

// M3: three messages wait commit_wait each, the others not at all.
TEST_F(MilterGlueTest, AStoreThatHangsCostsThreeWaits) {
  milter_.sink.mood = RecordingSink::Mood::silent;
  MiniMilterClient mta = client();
  for (int i = 0; i < 6; ++i) {
    const auto begun = std::chrono::steady_clock::now();
    EXPECT_EQ(send(mta, "4jWxyz00006" + std::to_string(i)), 'c');
    expect_restored(mta);
    const auto took = std::chrono::steady_clock::now() - begun;
    if (i < 3) {
      EXPECT_GE(took, kCommitWait);
    } else {
      EXPECT_LT(took, kCommitWait);
    }
  }
}

TEST_F(MilterGlueTest, AFailedCommitIsAnsweredAtOnce) {
  milter_.sink.mood = RecordingSink::Mood::fail;
  const std::uint64_t unacked = milter_.counters.unacked;
  MiniMilterClient mta = client();
  EXPECT_EQ(send(mta, "4jWxyz000070"), 'c');
  EXPECT_EQ(milter_.counters.unacked, unacked + 1);
}

// R9
TEST_F(MilterGlueTest, OversizedAndOddCommandsAreBounded) {
  MiniMilterClient mta = client();
  std::vector<std::string> words{"<s@a.test>"};
  for (int i = 0; i < 1000; ++i) {
    words.push_back("X" + std::to_string(i));
  }
  EXPECT_EQ(mta.mail(words), 'a');
  EXPECT_EQ(mta.mail({"<s@a.test>", "ENVID=" + std::string(60'000, 'x') + kFold}), 'c');
  mta.rcpt({"<" + std::string(60'000, 'y') + ">"});
  mta.data("4jWxyz000080");
  EXPECT_EQ(mta.end_of_message("4jWxyz000080"), 'c');
  EXPECT_EQ(mta.mail({""}), 'a');
}

// R1, and TSan's: many connections at once on libmilter's worker pool.
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
