#include "common/mtqp/client_session.h"

#include <gtest/gtest.h>

#include <sstream>
#include <string>
#include <string_view>
#include <vector>

// Whole dialogues as text. "S: " lines are fed to the session, "C: " lines are what it must have
// sent since, "= " lines are what it must have returned: tls <domain>, ready, answer <text of the
// reply>, failure <kind>. "! track" and "! tls" are the shell's own steps.
namespace mtrk::mtqp {
namespace {

std::string to_text(const ClientNext& next) {
  struct {
    std::string operator()(const client::NeedInput&) const { return "need-input"; }
    std::string operator()(const client::BeginTls& tls) const { return "tls " + tls.domain; }
    std::string operator()(const client::Ready&) const { return "ready"; }
    std::string operator()(const client::Answer& answer) const {
      return "answer " + answer.reply.text;
    }
    std::string operator()(const SessionFailure& failure) const {
      static constexpr const char* kKinds[] = {"not-mtqp", "unavailable", "no-tls", "protocol"};
      return std::string("failure ") + kKinds[static_cast<int>(failure.kind)];
    }
  } visitor;
  return std::visit(visitor, next);
}

class Dialogue {
 public:
  // Server bytes reach the session `chunk` at a time; 0 = a block of S: lines at once.
  Dialogue(ClientPolicy policy, std::size_t chunk) : session_(std::move(policy)), chunk_(chunk) {}

  void run(std::string_view script) {
    std::istringstream lines{std::string(script)};
    for (std::string line; std::getline(lines, line);) {
      if (line.starts_with("S:")) {
        block_ += line.substr(line.size() > 2 ? 3 : 2) + "\r\n";
        continue;
      }
      feed_block();
      if (line.starts_with("C: ")) {
        expected_out_ += line.substr(3) + "\r\n";
        continue;
      }
      ASSERT_EQ(out_, expected_out_);
      step(line);
    }
    feed_block();
    EXPECT_EQ(out_, expected_out_);
    EXPECT_EQ(returned_, wanted_);
  }

 private:
  void step(const std::string& line) {
    if (line.starts_with("= ")) {
      wanted_.push_back(line.substr(2));
      ASSERT_EQ(returned_, wanted_);
    } else if (line == "! tls") {
      session_.tls_started();
    } else if (line == "! quit") {
      session_.quit(out_);
    } else if (line == "! track") {
      session_.track(*EnvelopeId::parse_xtext("12345-20010101@example.com"),
                     *TrackingSecret::parse_base64("AAECAwQFBgcICQoLDA0ODw=="), out_);
    } else {
      FAIL() << "script: " << line;
    }
  }
  void feed_block() {
    const std::size_t chunk = chunk_ == 0 ? block_.size() : chunk_;
    for (std::size_t at = 0; at < block_.size(); at += chunk) {
      session_.feed(std::string_view(block_).substr(at, chunk));
      while (true) {
        const ClientNext next = session_.advance(out_);
        if (std::holds_alternative<client::NeedInput>(next)) {
          break;
        }
        returned_.push_back(to_text(next));
        if (std::holds_alternative<SessionFailure>(next)) {
          break;
        }
      }
    }
    block_.clear();
  }

  ClientSession session_;
  std::size_t chunk_;
  std::string block_;
  std::string out_;
  std::string expected_out_;
  std::vector<std::string> returned_;
  std::vector<std::string> wanted_;
};

void play(const ClientPolicy& policy, std::string_view script) {
  for (const std::size_t chunk : {std::size_t{0}, std::size_t{1}, std::size_t{2}, std::size_t{7}}) {
    SCOPED_TRACE(chunk);
    Dialogue(policy, chunk).run(script);
  }
}
void play(TlsUse tls, std::string_view script, std::string domain = "mx.example2.com") {
  play(ClientPolicy{tls, std::move(domain)}, script);
}

TEST(ClientSessionTest, ASecondNameIsTriedOnce) {  // A-21, MTQP-6-06
  ClientPolicy policy{TlsUse::required, "mx.example2.com"};
  policy.second_domain = "tracking.example2.com";
  constexpr std::string_view kRefused =
      "S: +OK+/MTQP\n"
      "S: STARTTLS\n"
      "S: .\n"
      "C: STARTTLS mx.example2.com\n"
      "S: -BAD/bad-fqdn\n"
      "C: STARTTLS tracking.example2.com\n";
  play(policy, std::string(kRefused) + "S: +OK\n= tls tracking.example2.com\n");
  play(policy, std::string(kRefused) + "S: -BAD/bad-fqdn\nC: QUIT\n= failure no-tls\n");
  policy.second_domain.clear();
  play(policy,
       "S: +OK+/MTQP\nS: STARTTLS\nS: .\nC: STARTTLS mx.example2.com\nS: -BAD/bad-fqdn\n"
       "C: QUIT\n= failure no-tls\n");
}

TEST(ClientSessionTest, AsksAndQuits) {  // MTQP-4-01
  play(TlsUse::if_offered,
       "S: +OK/MTQP mtqpd ready\n"
       "= ready\n"
       "! track\n"
       "C: TRACK 12345-20010101@example.com AAECAwQFBgcICQoLDA0ODw==\n"
       "S: +OK+ Tracking information follows\n"
       "S: Content-Type: multipart/related\n"
       "S:\n"
       "S: ..x\n"
       "S: .\n"
       "= answer Tracking information follows\n"
       "! quit\n"
       "C: QUIT\n");
}

TEST(ClientSessionTest, NegativeAnswersLeaveTheSessionReady) {  // MTQP-4-13
  play(TlsUse::if_offered,
       "S: +OK+/MTQP\n"  // MTQP-3-15: an empty option list
       "S: .\n"
       "= ready\n"
       "! track\n"
       "C: TRACK 12345-20010101@example.com AAECAwQFBgcICQoLDA0ODw==\n"
       "S: -ERR/noinfo a\n"
       "= answer a\n"
       "! track\n"
       "C: TRACK 12345-20010101@example.com AAECAwQFBgcICQoLDA0ODw==\n"
       "S: -TEMP/unavailable b\n"
       "= answer b\n");
}

TEST(ClientSessionTest, StartsTlsWhenOffered) {  // MTQP-6-05, MTQP-6-06, MTQP-6-14, MTQP-6.2-01
  play(TlsUse::if_offered,
       "S: +OK+/MTQP mtqpd ready\n"
       "S: vnd.com.example.option1 with parameters\n"
       "S: StartTLS\n"
       "S: .\n"
       "C: STARTTLS mx.example2.com\n"
       "S: +OK begin TLS\n"
       "= tls mx.example2.com\n"
       "! tls\n"
       "S: +OK/MTQP mtqpd ready\n"
       "= ready\n"
       "! track\n"
       "C: TRACK 12345-20010101@example.com AAECAwQFBgcICQoLDA0ODw==\n");
}

TEST(ClientSessionTest, NeverStartsTlsInsideTls) {  // MTQP-6.2-06, MTQP-6.2-07
  play(TlsUse::required,
       "S: +OK+/MTQP\n"
       "S: STARTTLS\n"
       "S: .\n"
       "C: STARTTLS mx.example2.com\n"
       "S: +OK\n"
       "= tls mx.example2.com\n"
       "! tls\n"
       "S: +OK+/MTQP\n"
       "S: STARTTLS\n"
       "S: .\n"
       "= ready\n");
}

TEST(ClientSessionTest, GoesOnInClearOnlyWhereAllowed) {
  constexpr std::string_view kNoTls = "S: +OK/MTQP\n= ready\n";
  play(TlsUse::if_offered, kNoTls);
  play(TlsUse::never, kNoTls);
  play(TlsUse::never, "S: +OK+/MTQP\nS: STARTTLS required\nS: .\n= ready\n");
  play(TlsUse::required, "S: +OK/MTQP\nC: QUIT\n= failure no-tls\n");  // THR-C2
}

TEST(ClientSessionTest, NamesNoAddressesInStartTls) {  // MTQP-6-05, ABNF-14
  constexpr std::string_view kOffer = "S: +OK+/MTQP\nS: STARTTLS\nS: .\n";
  for (const char* name : {"127.0.0.1", "::1", "localhost", ""}) {
    play(TlsUse::if_offered, std::string(kOffer) + "= ready\n", name);
    play(TlsUse::required, std::string(kOffer) + "C: QUIT\n= failure no-tls\n", name);
  }
}

TEST(ClientSessionTest, RefusedStartTlsEndsTheSession) {
  for (const char* reply : {"-BAD/bad-fqdn", "-TEMP/unavailable", "-ERR/unsupported"}) {
    play(TlsUse::if_offered, "S: +OK+/MTQP\nS: STARTTLS\nS: .\nC: STARTTLS mx.example2.com\nS: " +
                                 std::string(reply) + "\nC: QUIT\n= failure no-tls\n");
  }
}

TEST(ClientSessionTest, BytesBeforeTheHandshakeAbort) {  // THR-C1
  Dialogue(ClientPolicy{TlsUse::if_offered, "mx.example2.com"}, 0)
      .run(
          "S: +OK+/MTQP\n"
          "S: STARTTLS\n"
          "S: .\n"
          "C: STARTTLS mx.example2.com\n"
          "S: +OK go\n"
          "S: +OK+/MTQP evil\n"
          "S: .\n"
          "= failure protocol\n");
}

TEST(ClientSessionTest, AnswersBeforeTheQuestionAbort) {
  Dialogue(ClientPolicy{TlsUse::never, ""}, 0)
      .run(
          "S: +OK/MTQP\n"
          "S: +OK+ forged\n"
          "S: .\n"
          "= failure protocol\n");
}

TEST(ClientSessionTest, SendsNothingToAnotherService) {  // THR-C3, MTQP-3-03
  for (const char* greeting :
       {"220 smtp.example ESMTP", "-ERR unknown command 'X'", "HTTP/1.0 400 Bad Request",
        "+OK POP3 ready", "+OK+ no mtqp", "-BAD/MTQP", "", "* OK IMAP4rev1"}) {
    play(TlsUse::if_offered,
         "S: " + std::string(greeting) + "\n" +
             (std::string_view(greeting).starts_with("+OK+") ? "S: .\n= failure not-mtqp\n"
                                                             : "= failure not-mtqp\n"));
  }
}

TEST(ClientSessionTest, NegativeGreetingGetsAQuitAtMost) {  // MTQP-3-02
  play(TlsUse::if_offered, "S: -TEMP/MTQP/admin\nC: QUIT\n= failure unavailable\n");
  play(TlsUse::if_offered, "S: -ERR/mtqp/xyz\nC: QUIT\n= failure unavailable\n");
}

TEST(ClientSessionTest, SuccessWithoutBodyIsNoAnswer) {  // MTQP-4-04
  play(TlsUse::never,
       "S: +OK/MTQP\n"
       "= ready\n"
       "! track\n"
       "C: TRACK 12345-20010101@example.com AAECAwQFBgcICQoLDA0ODw==\n"
       "S: +OK fine\n"
       "= failure protocol\n");
}

Greeting greeting_of(std::string_view bytes) {
  ReplyParser parser(4096);
  parser.feed(bytes);
  return parse_greeting(**parser.next()).value();
}

TEST(GreetingTest, UnfoldsOptions) {  // MTQP-3-09: RFC 3887 §3.1, example 5
  const Greeting greeting = greeting_of(
      "+OK+/MTQP MTQP server ready\r\n"
      "vnd.com.example.option2 with parameters private to example.com\r\n"
      "vnd.com.example.option3 with a very long\r\n"
      " list of parameters\r\n"
      ".\r\n");
  EXPECT_EQ(greeting.options, (std::vector<std::string>{
                                  "vnd.com.example.option2 with parameters private to example.com",
                                  "vnd.com.example.option3 with a very long list of parameters"}));
  EXPECT_FALSE(greeting.offers_starttls);
}

TEST(GreetingTest, ReadsStartTlsWithItsParameter) {  // MTQP-3-10, MTQP-3-13
  EXPECT_TRUE(greeting_of("+OK+/MTQP\r\nstarttls\r\n.\r\n").offers_starttls);
  EXPECT_FALSE(greeting_of("+OK+/MTQP\r\nstarttls\r\n.\r\n").requires_starttls);
  EXPECT_TRUE(greeting_of("+OK+/MTQP\r\nSTARTTLS REQUIRED\r\n.\r\n").requires_starttls);
  EXPECT_TRUE(greeting_of("+OK+/MTQP\r\nSTARTTLS\r\n required\r\n.\r\n").requires_starttls);
  EXPECT_FALSE(greeting_of("+OK+/MTQP\r\nvnd.x STARTTLS\r\n.\r\n").offers_starttls);
}

TEST(GreetingTest, UnknownReasonIsUnavailable) {  // MTQP-3-07
  EXPECT_EQ(greeting_of("-TEMP/MTQP/ADMIN x\r\n").reason, "admin");
  EXPECT_EQ(greeting_of("-ERR/MTQP/xyz\r\n").reason, "unavailable");
  EXPECT_EQ(greeting_of("-ERR/MTQP\r\n").reason, "unavailable");
}

}  // namespace
}  // namespace mtrk::mtqp
