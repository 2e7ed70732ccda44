#include "common/mtqp/server_session.h"

#include "common/mtqp/reply.h"
#include "common/track/tracking_report.h"
#include "tests/support/transcript.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <string>
#include <vector>

namespace mtrk::mtqp {
namespace {

using test::Section;
using test::Transcript;

bool wildcard_match(std::string_view pattern, std::string_view name) {
  if (pattern.starts_with("*.")) {
    const std::size_t dot = name.find('.');
    return dot != std::string_view::npos && iequals(pattern.substr(1), name.substr(dot));
  }
  return iequals(pattern, name);
}

// The shell's part of a session, with a map for the store: feeds chunks, collects the output.
class Player {
 public:
  Player(const Transcript& transcript, bool tls_active)
      : transcript_(transcript), session_(policy_of(transcript, tls_active)) {
    session_.greet(out_);
  }

  // `more`: octets that are on their way behind this chunk.
  void feed(std::string_view chunk, std::size_t more) {
    if (!closed_ && !handshake_) {
      lines_.feed(chunk);
      more_ = more;
      while (step()) {
      }
    }
  }

  [[nodiscard]] const std::string& out() const { return out_; }
  [[nodiscard]] bool closed() const { return closed_; }
  [[nodiscard]] bool handshake() const { return handshake_; }
  [[nodiscard]] unsigned look_ups() const { return look_ups_; }

 private:
  static SessionPolicy policy_of(const Transcript& transcript, bool tls_active) {
    SessionPolicy policy = transcript.policy;
    policy.tls_active = policy.tls_active || tls_active;
    return policy;
  }

  bool step() {
    Next next = session_.advance(lines_, out_);
    if (const auto* query = std::get_if<LookUp>(&next)) {
      look_up(*query);
      return true;
    }
    if (const auto* check = std::get_if<CheckDomain>(&next)) {
      next = session_.answer_domain(check_domain(check->domain), lines_, more_ > 0, out_);
      if (std::holds_alternative<NeedInput>(next)) {
        return true;
      }
    }
    closed_ = std::holds_alternative<Close>(next);
    handshake_ = std::holds_alternative<BeginTls>(next);
    return false;
  }

  DomainCheck check_domain(const std::string& domain) {
    const auto fits = [&](const std::string& name) { return wildcard_match(name, domain); };
    if (std::none_of(transcript_.names.begin(), transcript_.names.end(), fits)) {
      return DomainCheck::no_match;
    }
    return transcript_.certificate_expired ? DomainCheck::unavailable : DomainCheck::matches;
  }

  void look_up(const LookUp& query) {
    using Result = ServerSession::LookUpResult;
    ++look_ups_;
    if (transcript_.store_broken || transcript_.maintenance) {
      session_.answer(transcript_.store_broken ? Result::unavailable : Result::maintenance, "",
                      out_);
      return;
    }
    const test::StoredMessage* hit = transcript_.find(query.envelope_id.decoded(), query.secret);
    std::string report;
    if (hit != nullptr) {
      append_report(report, hit->envelope_id, MessageViews({&hit->message, 1}).messages(), "b1");
    }
    session_.answer(hit != nullptr ? Result::found : Result::no_information, report, out_);
  }

  const Transcript& transcript_;
  ServerSession session_;
  LineBuffer lines_;
  std::string out_;
  std::size_t more_ = 0;
  bool closed_ = false;
  bool handshake_ = false;
  unsigned look_ups_ = 0;
};

void expect_end(const Player& player, const Section& section, bool last, const std::string& how) {
  EXPECT_EQ(player.out(), section.expected()) << how;
  EXPECT_EQ(player.closed(), section.closes) << how;
  EXPECT_EQ(player.handshake(), !last) << how;
}

// The places to cut a section at: all of them, or a sample of a flood.
std::vector<std::size_t> cuts(std::size_t size) {
  std::vector<std::size_t> result;
  for (std::size_t at = 0; at <= size; at += size > 10000 ? 997 : 1) {
    result.push_back(at);
  }
  return result;
}

class ServerSessionTest : public testing::TestWithParam<Transcript> {};

TEST_P(ServerSessionTest, AnswersAsTheTranscriptHoweverTheInputIsCut) {  // THR-W4
  const Transcript& transcript = GetParam();
  for (std::size_t i = 0; i < transcript.sections.size(); ++i) {
    const Section& section = transcript.sections[i];
    const bool last = i + 1 == transcript.sections.size();
    const std::string input = section.sent();

    Player whole(transcript, i > 0);
    whole.feed(input, 0);
    expect_end(whole, section, last, "in one piece");

    Player octets(transcript, i > 0);
    for (std::size_t at = 0; at < input.size(); ++at) {
      octets.feed({&input[at], 1}, input.size() - at - 1);
    }
    expect_end(octets, section, last, "octet by octet");

    for (const std::size_t at : cuts(input.size())) {
      Player two(transcript, i > 0);
      two.feed(std::string_view(input).substr(0, at), input.size() - at);
      two.feed(std::string_view(input).substr(at), 0);
      expect_end(two, section, last, "cut at " + std::to_string(at));
    }
  }
}

// MTQP-2.3-01, -02, -07: whatever it says, a client can parse it.
TEST_P(ServerSessionTest, SaysOnlyWhatAClientCanParse) {
  for (const Section& section : GetParam().sections) {
    ReplyParser parser(kMaxAnswer);
    parser.feed(section.expected());
    for (;;) {
      const auto reply = parser.next();
      ASSERT_TRUE(reply) << reply.error().detail;
      if (!*reply) {
        break;
      }
    }
    EXPECT_EQ(parser.pending(), 0U);
  }
}

std::string name_of(const testing::TestParamInfo<Transcript>& info) {
  std::string name = info.param.name;
  std::replace(name.begin(), name.end(), '-', '_');
  return name;
}

INSTANTIATE_TEST_SUITE_P(Dialogues,
                         ServerSessionTest,
                         testing::ValuesIn(test::read_transcripts(MTRK_TEST_DATA "/sessions")),
                         name_of);

Transcript open_service() {
  Transcript transcript;
  transcript.names = {"mx.example2.com"};
  transcript.policy.tls = SessionPolicy::Tls::offered;
  return transcript;
}

TEST(ServerSessionRules, NothingIsLookedUpBehindStartTls) {  // THR-S1
  const Transcript transcript = open_service();
  Player player(transcript, false);
  player.feed("STARTTLS mx.example2.com\r\nTRACK a@b YWJj\r\n", 0);
  EXPECT_TRUE(player.closed());
  EXPECT_EQ(player.look_ups(), 0U);
}

TEST(ServerSessionRules, InputOnTheSocketCountsToo) {  // THR-S1
  const Transcript transcript = open_service();
  Player player(transcript, false);
  player.feed("STARTTLS mx.example2.com\r\n", 1);
  EXPECT_TRUE(player.closed());
  EXPECT_FALSE(player.handshake());
}

TEST(ServerSessionRules, BadSecretsAreNotLookedUp) {  // THR-O7
  const Transcript transcript = open_service();
  Player player(transcript, false);
  player.feed("TRACK a@b =\r\nTRACK a@b " + std::string(172, 'A') + "\r\n", 0);
  EXPECT_EQ(player.look_ups(), 0U);
}

TEST(ServerSessionRules, NothingIsExecutedAfterTheEnd) {
  const Transcript transcript = open_service();
  Player player(transcript, false);
  player.feed("QUIT\r\nTRACK a@b YWJj\r\n", 0);
  const std::string out = player.out();
  EXPECT_TRUE(out.ends_with("+OK bye\r\n"));
  EXPECT_EQ(player.look_ups(), 0U);
}

TEST(ServerSessionRules, AnswersOnceMoreAfterQuitOnlyWithClose) {
  ServerSession session(SessionPolicy{});
  LineBuffer lines;
  std::string out;
  lines.feed("QUIT\r\nCOMMENT\r\n");
  EXPECT_TRUE(std::holds_alternative<Close>(session.advance(lines, out)));
  const std::string said = out;
  EXPECT_TRUE(std::holds_alternative<Close>(session.advance(lines, out)));
  EXPECT_EQ(out, said);
}

// MTQP-6.2-04, -05: the lists before and after the handshake differ; STARTTLS only in the first.
TEST(ServerSessionRules, GreetsDifferentlyInsideTls) {
  const Transcript transcript = open_service();
  const Player before(transcript, false);
  const Player after(transcript, true);
  EXPECT_NE(before.out(), after.out());
  EXPECT_NE(before.out().find("STARTTLS"), std::string::npos);
  EXPECT_EQ(after.out().find("STARTTLS"), std::string::npos);
}

}  // namespace
}  // namespace mtrk::mtqp
