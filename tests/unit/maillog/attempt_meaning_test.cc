#include "common/maillog/attempt_meaning.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace mtrk::maillog {
namespace {

using trace::Last;

TEST(AttemptMeaningTest, MapsWordsAndAgents) {
  // MTSN-3.3.3-05, MTSN-3.3.3-15, DSNX-5.2.3-01, DSNX-6.3-05
  struct Case {
    std::string_view agent, relay, status, dsn, text;
    std::optional<Last> want;
    std::string_view want_status;
  };
  const Case cases[] = {
      {"local", "local", "sent", "2.0.0", "delivered to maildir", Last::delivered, "2.0.0"},
      {"virtual", "virtual", "sent", "2.0.0", "delivered to mailbox", Last::delivered, "2.0.0"},
      {"discard", "none", "sent", "2.0.0", "bit bucket", Last::discarded, "2.0.0"},
      {"local", "local", "sent", "2.0.0", "discarded", Last::discarded, "2.0.0"},
      {"pipe", "maildrop", "sent", "2.0.0", "delivered via maildrop service", Last::delivered,
       "2.0.0"},
      {"lmtp", "mx[192.0.2.1]:24", "sent", "2.1.5", "250 ok", Last::delivered, "2.1.5"},
      {"smtp", "mx[192.0.2.1]:25", "sent", "2.0.0", "250 ok", Last::relayed, "2.0.0"},
      // the agent's name is not in the log, or means nothing to us
      {"", "local", "sent", "2.0.0", "delivered to maildir", Last::delivered, "2.0.0"},
      {"", "none", "sent", "2.0.0", "bit bucket", Last::discarded, "2.0.0"},
      {"", "mx[/lmtp]", "sent", "2.0.0", "250 ok", Last::delivered, "2.0.0"},
      {"", "mx[private/dovecot-lmtp]", "sent", "2.0.0", "250 ok", Last::delivered, "2.0.0"},
      {"", "maildrop", "sent", "2.0.0", "delivered via maildrop service", Last::delivered, "2.0.0"},
      {"", "mx[192.0.2.1]:25", "sent", "2.0.0", "250 ok", Last::relayed, "2.0.0"},
      {"strange", "strange", "sent", "2.0.0", "done", Last::unknown, "2.0.0"},
      // words
      {"smtp", "none", "deferred", "4.4.1", "x", Last::deferred, "4.4.1"},
      {"smtp", "none", "SOFTBOUNCE", "4.1.1", "x", Last::deferred, "4.1.1"},
      {"smtp", "none", "bounced", "5.1.1", "x", Last::bounced, "5.1.1"},
      {"smtp", "none", "deliverable", "2.0.0", "x", std::nullopt, ""},
      {"smtp", "none", "undeliverable", "5.1.1", "x", std::nullopt, ""},
      {"smtp", "none", "celebrated", "2.0.0", "x", std::nullopt, ""},
      // a class that contradicts the word
      {"smtp", "none", "deferred", "5.1.1", "x", Last::deferred, "4.0.0"},
      {"smtp", "none", "bounced", "2.0.0", "x", Last::bounced, "5.0.0"},
      {"smtp", "none", "bounced", "4.4.7", "x", Last::bounced, "4.4.7"},
      {"local", "local", "sent", "5.0.0", "x", Last::delivered, "2.0.0"},
      {"local", "local", "sent", "2.1.9", "x", Last::delivered, "2.0.0"},  // RFC 3886: relayed's
      {"local", "local", "deferred", "", "x", Last::deferred, "4.0.0"},
  };
  for (const Case& test : cases) {
    SCOPED_TRACE(std::string(test.agent) + " " + std::string(test.relay) + " " +
                 std::string(test.status) + " " + std::string(test.dsn));
    Attempt attempt{};
    attempt.agent = test.agent;
    attempt.relay = test.relay;
    attempt.status = test.status;
    attempt.dsn = parse_enhanced_status(test.dsn);
    attempt.text = test.text;
    const std::optional<Meaning> meaning = meaning_of(attempt, {});
    ASSERT_EQ(meaning.has_value(), test.want.has_value());
    if (meaning) {
      EXPECT_EQ(meaning->last, *test.want);
      EXPECT_EQ(format_enhanced_status(meaning->status), test.want_status);
    }
  }
}

TEST(AttemptMeaningTest, KnowsConfiguredFilters) {
  const std::vector<std::string> filters = {"127.0.0.1:10025", "[::1]:10026",  "scan:10027",
                                            "spamfilter",      "private/scan", "unix:/run/scan"};
  const auto configured = [&](std::string_view relay, std::string_view agent = "smtp") {
    Attempt attempt{};
    attempt.agent = agent;
    attempt.relay = relay;
    attempt.status = "sent";
    return meaning_of(attempt, filters)->configured;
  };
  EXPECT_TRUE(configured("127.0.0.1[127.0.0.1]:10025"));
  EXPECT_TRUE(configured("localhost[127.0.0.1]:10025"));
  EXPECT_TRUE(configured("::1[::1]:10026"));
  EXPECT_TRUE(configured("scan[192.0.2.7]:10027"));
  EXPECT_TRUE(configured("spamfilter", "pipe"));
  EXPECT_TRUE(configured("mx[private/scan]", "lmtp"));
  EXPECT_TRUE(configured("mx[/run/scan]", "lmtp"));
  EXPECT_FALSE(configured("mx[private/dovecot-lmtp]", "lmtp"));
  EXPECT_FALSE(configured("127.0.0.1[127.0.0.1]:10026"));
  EXPECT_FALSE(configured("127.0.0.2[127.0.0.2]:10025"));
  EXPECT_FALSE(configured("spamfilter[192.0.2.1]:25"));

  Attempt piped{};
  piped.agent = "pipe";
  piped.relay = "spamfilter";
  piped.status = "sent";
  EXPECT_EQ(meaning_of(piped, filters)->last, Last::relayed) << "a filter's pipe is no mailbox";
}

// MTSN-3.3.3-11: only what a configured gate says of its next hop counts, in its place.
TEST(AttemptMeaningTest, BelievesTheTagOfAConfiguredGate) {
  const std::vector<std::string> gates = {"127.0.0.1:10023"};
  const auto meaning = [&](std::string_view relay, std::string_view status, std::string_view text) {
    Attempt attempt{};
    attempt.agent = "smtp";
    attempt.relay = relay;
    attempt.status = status;
    attempt.dsn = parse_enhanced_status(status == "sent" ? "2.0.0" : "5.1.1");
    attempt.text = text;
    return *meaning_of(attempt, {}, gates);
  };
  constexpr std::string_view kGate = "127.0.0.1[127.0.0.1]:10023";
  const Meaning passed =
      meaning(kGate, "sent", "250 2.0.0 mtrk-gate=transferred/mx.x[192.0.2.1]:25 Ok: queued as A");
  EXPECT_EQ(passed.last, Last::transferred);
  EXPECT_EQ(format_enhanced_status(passed.status), "2.4.0");
  EXPECT_EQ(passed.remote_mta, "mx.x");
  EXPECT_FALSE(passed.maybe_filter) << "it is no filter";

  const Meaning relayed =
      meaning(kGate, "sent", "250 2.0.0 mtrk-gate=relayed/[192.0.2.1]:25 Ok: queued as A");
  EXPECT_EQ(relayed.last, Last::relayed);
  EXPECT_EQ(relayed.remote_mta, "[192.0.2.1]");

  const Meaning refused =
      meaning(kGate, "bounced",
              "host 127.0.0.1[127.0.0.1] said: 550 5.1.1 mtrk-gate=relayed/mx.x[192.0.2.1]:25 no "
              "such user (in reply to RCPT TO command)");
  EXPECT_EQ(refused.last, Last::bounced);
  EXPECT_EQ(refused.remote_mta, "mx.x");

  // MTSN-3.5-02: a delivery agent that took MTRK is asked next; one that did not has delivered.
  const auto by_lmtp = [&](const char* text) {
    Attempt attempt{};
    attempt.agent = "lmtp";
    attempt.relay = kGate;
    attempt.status = "sent";
    attempt.text = text;
    return *meaning_of(attempt, {}, gates);
  };
  EXPECT_EQ(by_lmtp("250 2.0.0 mtrk-gate=transferred/mx.x[unix]:0 saved").last, Last::transferred);
  EXPECT_EQ(by_lmtp("250 2.0.0 mtrk-gate=transferred/mx.x[unix]:0 saved").remote_mta, "mx.x");
  EXPECT_EQ(by_lmtp("250 2.0.0 mtrk-gate=relayed/mx.x[unix]:0 saved").last, Last::delivered);
  // Nobody else is believed, and the gate not what it did not say itself.
  EXPECT_EQ(meaning("mx.evil[192.0.2.66]:25", "sent",
                    "250 2.0.0 mtrk-gate=transferred/mx.x[192.0.2.1]:25 Ok")
                .last,
            Last::relayed);
  EXPECT_EQ(meaning("127.0.0.1[127.0.0.1]:10024", "sent",
                    "250 2.0.0 mtrk-gate=transferred/mx.x[192.0.2.1]:25 Ok")
                .last,
            Last::relayed);
  EXPECT_EQ(meaning(kGate, "sent", "250 2.0.0 Ok mtrk-gate=transferred/mx.x[192.0.2.1]:25").last,
            Last::relayed);
  EXPECT_EQ(meaning(kGate, "bounced",
                    "host 127.0.0.1[127.0.0.1] said: 550 5.1.1 "
                    "mtrk-gate=transferred/mx.x[192.0.2.1]:25 said: 250 2.0.0 "
                    "mtrk-gate=transferred/evil[192.0.2.66]:25")
                .remote_mta,
            "mx.x");
}

TEST(AttemptMeaningTest, ComparesAddressesAsPostfixLogsThem) {
  EXPECT_EQ(match_key("Joe@Example.NET"), "joe@example.net");
  EXPECT_EQ(match_key(R"("joe"@x)"), "joe@x");
  EXPECT_EQ(match_key(R"("j.oe"@x)"), "j.oe@x");
  EXPECT_EQ(match_key(R"("j\oe"@x)"), "joe@x");
  EXPECT_EQ(match_key(R"("q u"@x)"), R"("q u"@x)");
  EXPECT_EQ(match_key(R"("q\ u"@x)"), R"("q u"@x)");
  EXPECT_EQ(match_key(R"("a\\b\"c"@x)"), R"("a\\b\"c"@x)");
  EXPECT_EQ(match_key(R"(".joe"@x)"), R"(".joe"@x)");
  EXPECT_EQ(match_key(R"(""@x)"), R"(""@x)");
  EXPECT_EQ(match_key(R"("joe)"), R"("joe)");
  EXPECT_EQ(match_key(R"("joe"x@y)"), R"("joe"x@y)");
  EXPECT_EQ(match_key("\""), "\"");
  EXPECT_EQ(match_key("\"\\"), "\"\\");
  EXPECT_EQ(match_key(""), "");
}

TEST(AttemptMeaningTest, KeepsTheCaseOfTheLocalPartOnRequest) {  // RFC 5321 §2.4
  EXPECT_EQ(spelled_key("Joe@Example.NET"), "Joe@example.net");
  EXPECT_EQ(spelled_key(R"("Joe"@X)"), "Joe@x");
  EXPECT_EQ(spelled_key(R"("Q U@a"@X)"), R"("Q U@a"@x)");
  EXPECT_EQ(spelled_key("Postmaster"), "Postmaster");
  EXPECT_EQ(spelled_key(""), "");
}

}  // namespace
}  // namespace mtrk::maillog
