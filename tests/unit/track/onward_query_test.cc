#include "common/track/onward_query.h"

#include <gtest/gtest.h>

#include <string>

namespace mtrk {
namespace {

using onward_wire::Answer;
using onward_wire::Question;

TrackingCertifier certifier() {
  return *TrackingCertifier::parse_base64("q+qP/cyxm+YcTAhz05Hph5gvu9M");
}

OnwardTransaction transaction() {
  OnwardTransaction about;
  about.queue_id = "4jWzjj46J4z1V";
  about.sender = "s@a.example";
  about.envid = "x+2B1@example.net";
  about.recipients = {{"b@r.example", "rfc822;b@r.example"}, {"c@r.example", ""}};
  return about;
}

std::string frame_of(const Question& question) {
  std::string out;
  EXPECT_TRUE(onward_wire::put_question(out, question));
  return out;
}

std::string frame_of(const OnwardVerdict& verdict) {
  std::string out;
  onward_wire::put_answer(out, {7, verdict});
  return out;
}

std::string_view only_frame(std::string_view in) {
  const auto frame = onward_wire::take_frame(in);
  EXPECT_TRUE(frame && *frame);
  EXPECT_TRUE(in.empty());
  return frame && *frame ? **frame : std::string_view();
}

OnwardVerdict pass_on() {
  OnwardVerdict verdict;
  verdict.kind = OnwardVerdict::Kind::pass_on;
  verdict.queue_id = "4jWzjj46J4z1V";
  verdict.envid = "x+2B1@example.net";
  verdict.mtrk = MtrkParam{certifier(), Seconds(86000)};
  return verdict;
}

TEST(OnwardQueryTest, AQuestionComesThroughAsItWas) {
  const std::string octets = frame_of({9, std::chrono::milliseconds(250), transaction()});
  const Expected<Question> question = onward_wire::decode_question(only_frame(octets));
  ASSERT_TRUE(question);
  EXPECT_EQ(question->number, 9U);
  EXPECT_EQ(question->waited, std::chrono::milliseconds(250));
  EXPECT_EQ(*question->about, transaction());
}

TEST(OnwardQueryTest, AFoldsCertifierComesThrough) {
  OnwardTransaction about = transaction();
  about.queue_id.clear();
  about.certifier = certifier();
  about.takes_mtrk = false;
  const std::string octets = frame_of({1, {}, about});
  EXPECT_EQ(*onward_wire::decode_question(only_frame(octets))->about, about);
}

TEST(OnwardQueryTest, AnEmptyQuestionAndItsAnswerSayNothing) {
  const std::string octets = frame_of({3, {}, std::nullopt});
  const Expected<Question> question = onward_wire::decode_question(only_frame(octets));
  ASSERT_TRUE(question);
  EXPECT_FALSE(question->about);
  std::string out;
  onward_wire::put_answer(out, {3, std::nullopt});
  const Expected<Answer> answer = onward_wire::decode_answer(only_frame(out));
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->number, 3U);
  EXPECT_FALSE(answer->verdict);
}

TEST(OnwardQueryTest, EachVerdictComesThrough) {
  using Kind = OnwardVerdict::Kind;
  for (const Kind kind : {Kind::unknown, Kind::withhold, Kind::ask_again, Kind::unavailable}) {
    OnwardVerdict verdict;
    verdict.kind = kind;
    verdict.why =
        kind == Kind::withhold ? OnwardVerdict::Why::redirection_unknown : OnwardVerdict::Why::none;
    verdict.queue_id = kind == Kind::unknown ? "" : "4jWzjj46J4z1V";
    const std::string octets = frame_of(verdict);
    const Expected<Answer> answer = onward_wire::decode_answer(only_frame(octets));
    ASSERT_TRUE(answer);
    EXPECT_EQ(answer->verdict, verdict);
  }
  const std::string octets = frame_of(pass_on());
  EXPECT_EQ(onward_wire::decode_answer(only_frame(octets))->verdict, pass_on());
}

TEST(OnwardQueryTest, FramesAreTakenHoweverTheInputIsCut) {
  const std::string one = frame_of({1, {}, transaction()});
  const std::string both = one + frame_of({2, {}, std::nullopt});
  for (std::size_t size = 0; size <= both.size(); ++size) {
    std::string_view in = std::string_view(both).substr(0, size);
    std::size_t frames = 0;
    for (;;) {
      const auto frame = onward_wire::take_frame(in);
      ASSERT_TRUE(frame);
      if (!*frame) {
        break;
      }
      EXPECT_TRUE(onward_wire::decode_question(**frame));
      ++frames;
    }
    EXPECT_EQ(frames, size == both.size() ? 2U : size >= one.size() ? 1U : 0U) << size;
  }
}

TEST(OnwardQueryTest, AFrameThatIsCutOrLongerIsNoQuestionAndNoAnswer) {
  const std::string question = frame_of({1, {}, transaction()}).substr(4);
  const std::string answer = frame_of(pass_on()).substr(4);
  for (std::size_t size = 0; size < question.size(); ++size) {
    EXPECT_FALSE(onward_wire::decode_question(question.substr(0, size))) << size;
  }
  for (std::size_t size = 0; size < answer.size(); ++size) {
    EXPECT_FALSE(onward_wire::decode_answer(answer.substr(0, size))) << size;
  }
  EXPECT_FALSE(onward_wire::decode_question(question + '\0'));
  EXPECT_FALSE(onward_wire::decode_answer(answer + '\0'));
  EXPECT_FALSE(onward_wire::decode_question(answer));
  EXPECT_FALSE(onward_wire::decode_answer(question));
}

TEST(OnwardQueryTest, AnotherVersionIsSaidToBeThat) {
  std::string question = frame_of({1, {}, transaction()}).substr(4);
  question[0] = 2;
  EXPECT_EQ(onward_wire::decode_question(question).error().code, ErrorCode::unsupported);
}

// What the gate puts into MAIL is a parameter's value, whatever the other side of the socket is.
TEST(OnwardQueryTest, AnEnvelopeIdWithABlankOrALineEndIsNoAnswer) {
  for (const std::string_view id : {"", "a@b c", "a@b\r\nRSET", "a@\xff"}) {
    OnwardVerdict verdict = pass_on();
    verdict.envid = id;
    const std::string octets = frame_of(verdict);
    EXPECT_FALSE(onward_wire::decode_answer(only_frame(octets))) << id;
  }
}

TEST(OnwardQueryTest, WhatIsTooLargeIsNotAsked) {
  OnwardTransaction about = transaction();
  about.recipients.assign(1000, {std::string(2000, 'a'), ""});
  std::string out = "kept";
  EXPECT_FALSE(onward_wire::put_question(out, {1, {}, about}));
  about.recipients.assign(1001, {"b@r.example", ""});
  EXPECT_FALSE(onward_wire::put_question(out, {1, {}, about}));
  EXPECT_EQ(out, "kept");
  about.recipients.resize(1000);
  EXPECT_TRUE(onward_wire::put_question(out, {1, {}, about}));
  const std::string too_long("\x00\x10\x00\x01", 4);
  std::string_view in = too_long;
  EXPECT_FALSE(onward_wire::take_frame(in));
}

TEST(OnwardQueryTest, AListSendsInItsOwnersName) {
  EXPECT_TRUE(is_list_owner("owner-list@h.example"));
  EXPECT_TRUE(is_list_owner("List-Request@h.example"));
  EXPECT_FALSE(is_list_owner("-request@h.example"));
  EXPECT_FALSE(is_list_owner("s@owner-h.example"));
}

}  // namespace
}  // namespace mtrk
