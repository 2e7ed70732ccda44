#include "common/mtqp/command.h"

#include <gtest/gtest.h>

#include <string>

namespace mtrk::mtqp {
namespace {

// "track ID OCTETS-OF-SECRET", "comment", "starttls DOMAIN", "quit" or "bad".
std::string describe(std::string_view line) {
  const Expected<Command> command = parse_command(line);
  if (!command) {
    return "bad";
  }
  if (const auto* track = std::get_if<Track>(&*command)) {
    return "track " + track->envelope_id.decoded() + ' ' + std::string(track->secret.octets());
  }
  if (const auto* start_tls = std::get_if<StartTls>(&*command)) {
    return "starttls " + start_tls->domain;
  }
  return std::holds_alternative<Quit>(*command) ? "quit" : "comment";
}

TEST(CommandTest, FollowsTheGrammar) {  // ABNF-10 to -16, MTQP-2.2-01, -03, -04, MTQP-2.3-12
  const struct {
    std::string_view line, want;
  } cases[] = {
      {"TRACK a@b YWJj", "track a@b abc"},
      {"track\t a@b \tYWJj", "track a@b abc"},
      {"TRACK a+2Bb@c YWJjZGVmZ2gK", "track a+b@c abcdefgh\n"},
      {"TRACK <1@h> YWJjZA==", "track <1@h> abcd"},
      {"TRACK <1@h> YWJjZA", "track <1@h> abcd"},
      {"TRACK", "bad"},
      {"TRACK ", "bad"},
      {"TRACK a@b", "bad"},
      {"TRACK a@b ", "bad"},
      {"TRACK a@b YWJj ", "bad"},
      {"TRACK a@b YWJj x", "bad"},
      {"TRACK a@b YW=j", "bad"},
      {"TRACK a@b YW_j", "bad"},
      {"TRACK a@b =", "bad"},
      {"TRACK ab YWJj", "bad"},
      {"TRACK @b YWJj", "bad"},
      {"TRACK a@ YWJj", "bad"},
      {"TRACK a+2b@c YWJj", "bad"},
      {" TRACK a@b YWJj", "bad"},
      {"TRACKa@b YWJj", "bad"},
      {"COMMENT", "comment"},
      {"comment ", "comment"},
      {"COMMENT\tany thing ~", "comment"},
      {"COMMENTx", "bad"},
      {"COMMENT \x7f", "bad"},
      {"COMMENT \xc3\xa9", "bad"},
      {"COMMENT \x01", "bad"},
      {"STARTTLS a.b", "starttls a.b"},
      {"STARTTLS \t A1.b-c.D \t", "starttls a1.b-c.d"},
      {"STARTTLS 192.0.2.1", "starttls 192.0.2.1"},
      {"STARTTLS", "bad"},
      {"STARTTLS ", "bad"},
      {"STARTTLS localhost", "bad"},
      {"STARTTLS a.", "bad"},
      {"STARTTLS .a", "bad"},
      {"STARTTLS -a.b", "bad"},
      {"STARTTLS a-.b", "bad"},
      {"STARTTLS a_b.c", "bad"},
      {"STARTTLS a.b c", "bad"},
      {"STARTTLS [192.0.2.1]", "bad"},
      {"QUIT", "quit"},
      {"qUiT", "quit"},
      {"QUIT ", "bad"},
      {"QUIT x", "bad"},
      {"", "bad"},
      {"FOO", "bad"},
      {"STATUS a@b", "bad"},
  };
  for (const auto& [line, want] : cases) {
    EXPECT_EQ(describe(line), want) << line;
  }
}

TEST(CommandTest, SecretsHave1To128Octets) {  // THR-O7
  EXPECT_EQ(describe("TRACK a@b YQ"), "track a@b a");
  EXPECT_NE(describe("TRACK a@b " + std::string(171, 'A')), "bad");  // 128 octets
  EXPECT_EQ(describe("TRACK a@b " + std::string(172, 'A')), "bad");  // 129
}

TEST(CommandTest, DomainsHaveLimits) {  // THR-S8
  const std::string label(63, 'a');
  EXPECT_TRUE(parse_domain(label + ".b"));
  EXPECT_FALSE(parse_domain(label + "a.b"));
  const std::string long_name = label + '.' + label + '.' + label + '.' + std::string(61, 'a');
  EXPECT_TRUE(parse_domain(long_name));
  EXPECT_FALSE(parse_domain(long_name + "a"));
}

TEST(CommandTest, KeywordStandsForTheWholeLine) {
  EXPECT_EQ(keyword_of("STARTTLS"), Keyword::starttls);
  EXPECT_EQ(keyword_of("starttls !! whatever"), Keyword::starttls);
  EXPECT_EQ(keyword_of("STARTTLS \x01"), Keyword::unknown);
  EXPECT_EQ(keyword_of("QUIT now"), Keyword::quit);
  EXPECT_EQ(keyword_of(""), Keyword::unknown);
}

TEST(CommandTest, TrackRoundTrips) {
  const EnvelopeId id = EnvelopeId::from_decoded("a+b=c@d").value();
  const TrackingSecret secret = TrackingSecret::parse_base64("AAECAwQFBgcICQoLDA0ODw").value();
  const std::string line = format_track(id, secret);
  EXPECT_EQ(line, "TRACK a+2Bb+3Dc@d AAECAwQFBgcICQoLDA0ODw==");
  EXPECT_EQ(describe(line), "track a+b=c@d " + std::string(secret.octets()));
}

TEST(CommandTest, ErrorsDoNotQuoteTheLine) {  // MTQP-11-10
  const Expected<Command> command = parse_command("TRACK a@b c2VjcmV0!");
  ASSERT_FALSE(command);
  EXPECT_EQ(command.error().detail.find("c2Vj"), std::string::npos);
}

}  // namespace
}  // namespace mtrk::mtqp
