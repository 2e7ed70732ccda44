#include "common/net/mtqp_client.h"

#include "common/net/tls.h"
#include "tests/support/scripted_peer.h"

#include <boost/asio/co_spawn.hpp>
#include <gtest/gtest.h>

#include <chrono>
#include <optional>
#include <string>

namespace mtrk::net {
namespace {

using Session = test::ScriptedPeer::Session;
using Outcome = tl::expected<MtqpAnswer, MtqpFailure>;

constexpr char kName[] = "mx.example.test";
constexpr char kTrack[] = "TRACK 1@example.test AAECAwQFBgcICQoLDA0ODw==\r\n";
constexpr char kAnswer[] = "+OK+ here\r\nContent-Type: x/y\r\n\r\n..\r\n.\r\n";

// As a DNS whose SRV record for every host leads to `target`, a port of loopback.
class SrvResolver final : public Resolver {
 public:
  SrvResolver(std::string target, std::uint16_t port) : target_(std::move(target)), port_(port) {}
  Awaitable<tl::expected<Places, std::string>> resolve_targets(
      std::string, std::optional<std::uint16_t>) override {
    co_return Places{{target_, place()}};
  }
  Awaitable<tl::expected<Endpoints, std::string>> resolve(std::string,
                                                          std::optional<std::uint16_t>) override {
    co_return place();
  }

 private:
  [[nodiscard]] Endpoints place() const { return {{asio::ip::address_v4::loopback(), port_}}; }
  std::string target_;
  std::uint16_t port_;
};

class MtqpClientTest : public testing::Test {
 protected:
  Outcome ask(const test::ScriptedPeer& peer) {
    SrvResolver resolver(target_, peer.port());
    if (!context_) {
      context_ = make_client_context(Verify::peer, certificate_.certificate_file());
    }
    options_.tls_context = [this]() -> asio::ssl::context& { return *context_; };
    options_.trace = [&](MtqpClientOptions::Direction direction, std::string_view text) {
      in_clear_ |= direction == MtqpClientOptions::Direction::in_clear;
      dialogue_ += text;
    };
    const EnvelopeId id = *EnvelopeId::parse_xtext("1@example.test");
    const TrackingSecret secret = *TrackingSecret::parse_base64("AAECAwQFBgcICQoLDA0ODw==");
    asio::io_context io(1);
    std::optional<Outcome> outcome;
    asio::co_spawn(io, track(resolver, kName, std::nullopt, id, secret, options_),
                   [&](std::exception_ptr error, Outcome result) {
                     ASSERT_FALSE(error);
                     outcome = std::move(result);
                   });
    io.run();
    return std::move(*outcome);
  }
  MtqpFailure::Kind failure_of(const test::ScriptedPeer& peer) {
    const Outcome outcome = ask(peer);
    if (outcome) {
      ADD_FAILURE() << "there was an answer";
      return {};
    }
    return outcome.error().kind;
  }

  // The server of the golden dialogue with this certificate; `after` plays what comes inside TLS.
  test::ScriptedPeer::Script tls_server(const test::TestCertificate& certificate) {
    return [&certificate](Session& session) {
      session.send("+OK+/MTQP\r\nSTARTTLS\r\n.\r\n");
      session.line();
      answer_inside_tls(session, certificate);
    };
  }
  static void answer_inside_tls(Session& session, const test::TestCertificate& certificate) {
    session.send("+OK\r\n");
    if (session.start_tls(certificate)) {
      session.send("+OK/MTQP\r\n");
      session.line();
      session.send(kAnswer);
      session.drain();
    }
  }

  test::TestCertificate certificate_{kName};
  std::unique_ptr<asio::ssl::context> context_;
  MtqpClientOptions options_;
  std::string target_ = kName;
  bool in_clear_ = false;
  std::string dialogue_;
};

TEST_F(MtqpClientTest, AsksInClearAndSaysSo) {  // MTQP-11-01
  test::ScriptedPeer peer([](Session& session) {
    session.send("+OK/MTQP\r\n");
    session.line();
    session.send(kAnswer);
    session.drain();
  });
  const Outcome outcome = ask(peer);
  ASSERT_TRUE(outcome) << outcome.error().detail;
  EXPECT_EQ(outcome->reply.body, "Content-Type: x/y\r\n\r\n.\r\n");
  EXPECT_FALSE(outcome->tls);
  EXPECT_TRUE(in_clear_);
  EXPECT_TRUE(peer.received().starts_with(kTrack));
}

TEST_F(MtqpClientTest, SecretIsMaskedInTheDialogue) {
  test::ScriptedPeer peer([](Session& session) {
    session.send("+OK/MTQP\r\n");
    session.line();
    session.send("-ERR/noinfo\r\n");
    session.drain();
  });
  const Outcome outcome = ask(peer);
  ASSERT_TRUE(outcome);
  EXPECT_EQ(outcome->reply.status, mtqp::ReplyStatus::err);
  EXPECT_NE(dialogue_.find("TRACK 1@example.test ****"), std::string::npos);
  EXPECT_EQ(dialogue_.find("AAECAwQF"), std::string::npos);
}

TEST_F(MtqpClientTest, UsesTlsWhenOffered) {  // MTQP-6.2-01, MTQP-6-06
  test::ScriptedPeer peer(tls_server(certificate_));
  const Outcome outcome = ask(peer);
  ASSERT_TRUE(outcome) << outcome.error().detail;
  EXPECT_TRUE(outcome->tls);
  EXPECT_FALSE(in_clear_);
  EXPECT_TRUE(peer.received().starts_with(std::string("STARTTLS mx.example.test\r\n") + kTrack));
}

TEST_F(MtqpClientTest, TheTargetsNameWillDoWhereTheDnsIsTrusted) {  // A-21, MTQP-6-06
  target_ = "tracking.example.test";
  const test::TestCertificate certificate(target_);
  context_ = make_client_context(Verify::peer, certificate.certificate_file());
  const auto script = [&](Session& session) {
    session.send("+OK+/MTQP\r\nSTARTTLS\r\n.\r\n");
    session.line();
    session.send("-BAD/bad-fqdn\r\n");
    if (session.line() == "STARTTLS tracking.example.test") {
      answer_inside_tls(session, certificate);
    }
  };
  {
    test::ScriptedPeer peer(script);
    EXPECT_EQ(failure_of(peer), MtqpFailure::Kind::tls);
    EXPECT_EQ(peer.received(), "STARTTLS mx.example.test\r\nQUIT\r\n");
  }
  options_.srv_names = true;
  test::ScriptedPeer peer(script);
  const Outcome outcome = ask(peer);
  ASSERT_TRUE(outcome) << outcome.error().detail;
  EXPECT_TRUE(outcome->tls);
}

TEST_F(MtqpClientTest, SendsNothingToOtherServices) {  // THR-C3
  for (const char* greeting : {"220 smtp.example ESMTP\r\n", "-ERR wrong\r\n", "+OK POP3\r\n",
                               "HTTP/1.0 400 Bad Request\r\n", "+OK/MTQP\n"}) {
    test::ScriptedPeer peer([greeting](Session& session) {
      session.send(greeting);
      session.drain();
    });
    EXPECT_EQ(failure_of(peer), MtqpFailure::Kind::protocol) << greeting;
    EXPECT_EQ(peer.received(), "") << greeting;
  }
}

TEST_F(MtqpClientTest, SilenceEndsAtTheDeadline) {  // THR-C3 (Redis), MTQP-2.5-05
  options_.response = std::chrono::milliseconds(50);
  test::ScriptedPeer peer([](Session& session) { session.drain(); });
  EXPECT_EQ(failure_of(peer), MtqpFailure::Kind::network);
  EXPECT_EQ(peer.received(), "");
}

TEST_F(MtqpClientTest, DribblingDoesNotMoveTheDeadline) {  // THR-C5
  options_.response = std::chrono::milliseconds(100);
  test::ScriptedPeer peer([](Session& session) {
    session.send("+OK/MTQP\r\n");
    session.line();
    session.send("+OK+\r\n");
    for (int i = 0; i < 1000; ++i) {  // ends when the client is gone
      session.send("x");
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
  });
  EXPECT_EQ(failure_of(peer), MtqpFailure::Kind::network);
}

TEST_F(MtqpClientTest, EndlessAnswersAreCut) {  // THR-C5
  for (const char* piece : {"x\r\n", "x"}) {
    test::ScriptedPeer peer([piece](Session& session) {
      session.send("+OK/MTQP\r\n");
      session.line();
      session.send("+OK+\r\n");
      std::string block;
      for (int i = 0; i < 10000; ++i) {
        block += piece;
      }
      while (true) {
        session.send(block);
      }
    });
    EXPECT_EQ(failure_of(peer), MtqpFailure::Kind::protocol);
  }
}

TEST_F(MtqpClientTest, BytesBeforeTheHandshakeAbort) {  // THR-C1
  test::ScriptedPeer peer([this](Session& session) {
    session.send("+OK+/MTQP\r\nSTARTTLS\r\n.\r\n");
    session.line();
    session.send("+OK go\r\n+OK+/MTQP evil\r\n.\r\n");
    if (session.start_tls(certificate_)) {
      session.drain();
    }
  });
  EXPECT_EQ(failure_of(peer), MtqpFailure::Kind::protocol);
  EXPECT_EQ(peer.received().find("TRACK"), std::string::npos);
}

TEST_F(MtqpClientTest, RequiredTlsKeepsTheSecret) {  // THR-C2
  options_.tls = mtqp::TlsUse::required;
  test::ScriptedPeer peer([](Session& session) {
    session.send("+OK/MTQP\r\n");
    session.drain();
  });
  EXPECT_EQ(failure_of(peer), MtqpFailure::Kind::tls);
  EXPECT_EQ(peer.received(), "QUIT\r\n");
}

TEST_F(MtqpClientTest, BadCertificatesGetNoTrack) {  // THR-C4, MTQP-11-03
  const test::TestCertificate other_name("other.example.test");
  const test::TestCertificate expired(kName, -1);
  const test::TestCertificate unknown(kName);
  for (const test::TestCertificate* certificate : {&other_name, &expired, &unknown}) {
    // The first two are trusted as roots, so that only the name or the date is wrong.
    context_ = make_client_context(
        Verify::peer, (certificate == &unknown ? certificate_ : *certificate).certificate_file());
    test::ScriptedPeer peer(tls_server(*certificate));
    EXPECT_EQ(failure_of(peer), MtqpFailure::Kind::tls);
    EXPECT_EQ(peer.received().find("TRACK"), std::string::npos);
  }
}

TEST_F(MtqpClientTest, OldTlsGetsNoTrack) {  // THR-C4, UPD-8996-01, UPD-8996-02
  test::ScriptedPeer peer([this](Session& session) {
    SSL_CTX* context = session.context().native_handle();
    SSL_CTX_set_cipher_list(context, "DEFAULT@SECLEVEL=0");
    SSL_CTX_set_min_proto_version(context, TLS1_VERSION);
    SSL_CTX_set_max_proto_version(context, TLS1_1_VERSION);
    tls_server(certificate_)(session);
  });
  EXPECT_EQ(failure_of(peer), MtqpFailure::Kind::tls);
  EXPECT_EQ(peer.received().find("TRACK"), std::string::npos);
}

TEST_F(MtqpClientTest, AnyCertificateWillDoWithoutVerification) {
  const test::TestCertificate other("other.example.test");
  context_ = make_client_context(Verify::none, "");
  test::ScriptedPeer peer(tls_server(other));
  const Outcome outcome = ask(peer);
  ASSERT_TRUE(outcome) << outcome.error().detail;
  EXPECT_TRUE(outcome->tls);
}

TEST_F(MtqpClientTest, WhoIsNotSatisfiedQuitsInsideTls) {  // MTQP-6.1-02, MTQP-6.1-03, MTQP-6.1-04
  options_.approve = [](const MtqpPeer& peer) -> std::optional<std::string> {
    EXPECT_TRUE(peer.tls);
    EXPECT_TRUE(peer.greeting.offers_starttls);  // as it was before TLS
    EXPECT_EQ(peer.certificates.chain.size(), 1U);
    EXPECT_EQ(peer.certificates.chain.front().names, std::vector<std::string>{kName});
    EXPECT_EQ(peer.certificates.chain.front().key.size(), 64U);
    EXPECT_EQ(peer.certificates.problem, "");
    return "no";
  };
  test::ScriptedPeer peer(tls_server(certificate_));
  EXPECT_EQ(failure_of(peer), MtqpFailure::Kind::tls);
  EXPECT_EQ(peer.received(), "STARTTLS mx.example.test\r\nQUIT\r\n");
}

TEST_F(MtqpClientTest, TlsMayComeBeforeTheGreeting) {
  options_.implicit_tls = true;
  test::ScriptedPeer peer([this](Session& session) {
    if (session.start_tls(certificate_)) {
      session.send("+OK+/MTQP\r\nSTARTTLS\r\n.\r\n");
      session.line();
      session.send(kAnswer);
      session.drain();
    }
  });
  const Outcome outcome = ask(peer);
  ASSERT_TRUE(outcome) << outcome.error().detail;
  EXPECT_TRUE(outcome->tls);
  EXPECT_TRUE(peer.received().starts_with(kTrack));
}

TEST_F(MtqpClientTest, NegativeGreetingIsNoAnswer) {  // MTQP-3-02
  test::ScriptedPeer peer([](Session& session) {
    session.send("-TEMP/MTQP/admin closed\r\n");
    session.drain();
  });
  EXPECT_EQ(failure_of(peer), MtqpFailure::Kind::network);
  EXPECT_EQ(peer.received(), "QUIT\r\n");
}

TEST_F(MtqpClientTest, EndOfConnectionIsAFailureInEveryState) {
  const char* beginnings[] = {"", "+OK/M", "+OK/MTQP\r\n", "+OK+/MTQP\r\nSTARTTLS\r\n.\r\n"};
  for (const char* beginning : beginnings) {
    test::ScriptedPeer peer([beginning](Session& session) { session.send(beginning); });
    EXPECT_EQ(failure_of(peer), MtqpFailure::Kind::network) << beginning;
  }
}

}  // namespace
}  // namespace mtrk::net
