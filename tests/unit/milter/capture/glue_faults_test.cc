// What a message that asks for too much, or a store in trouble, does to the mail: nothing.
#include "tests/support/running_milter.h"

#include <gtest/gtest.h>

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

namespace mtrk {
namespace {

using test::kCommitWait;
using test::kFold;
using test::MilterGlueTest;
using test::MiniMilterClient;
using test::RecordingSink;

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

// THR-M4: nothing leaves a callback, and the mail goes on with its ENVID restored.
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

// THR-M3: three messages wait commit_wait each, the others not at all.
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

// THR-R9
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

}  // namespace
}  // namespace mtrk
