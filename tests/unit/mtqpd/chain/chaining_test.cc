// The server with chaining on, peers of all kinds behind it, and a name server that leads to them.
#include "mtqpd/chain/chaining.h"

#include "common/net/tls.h"
#include "common/track/tracking_report.h"
#include "tests/support/dns_peer.h"
#include "tests/support/known_messages.h"
#include "tests/support/running_server.h"
#include "tests/support/scripted_peer.h"
#include "tests/support/test_certificate.h"
#include "tests/support/wire_client.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <string>

namespace mtrk::mtqpd {
namespace {

using test::DnsPeer;
using test::DnsQuestion;
using test::ScriptedPeer;
using test::WireClient;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;
using Session = ScriptedPeer::Session;
using std::chrono::milliseconds;

constexpr char kTrack[] = "TRACK way@x.test AAECAwQFBgcICQoLDA0ODw==\r\n";
constexpr char kSecret[] = "AAECAwQF";
constexpr char kFollows[] = "+OK+ Tracking information follows\r\n";
constexpr char kPart[] =
    "Original-Envelope-Id: way@x.test\r\n"
    "Reporting-MTA: dns; b.example.test\r\n"
    "Arrival-Date: Mon, 1 Jan 2001 15:15:15 -0500\r\n"
    "\r\n"
    "Original-Recipient: rfc822; u@x.test\r\n"
    "Final-Recipient: rfc822; u@x.test\r\n"
    "Action: delivered\r\n"
    "Status: 2.1.5\r\n"
    "Last-Attempt-Date: Mon, 1 Jan 2001 15:16:00 -0500\r\n";

std::string answer(const std::string& part = kPart) {
  return "+OK+ here\r\nContent-Type: multipart/related; boundary=%%%%\r\n\r\n--%%%%\r\n"
         "Content-Type: message/tracking-status\r\n\r\n" +
         part + "\r\n--%%%%--\r\n.\r\n";
}

// Was handed to b.example.test; "far@x.test" to a host nobody lists.
class OneTransfer final : public MessageSource {
 public:
  [[nodiscard]] std::unique_ptr<Snapshot> snapshot() const override {
    return std::make_unique<test::KnownMessages>(know);
  }
  [[nodiscard]] bool replaced() const override { return false; }

 private:
  static std::vector<TrackedMessage> know(const EnvelopeId& envelope_id) {
    const std::string& id = envelope_id.decoded();
    if (id == "unknown@x.test") {
      return {};
    }
    TrackedMessage message;
    message.reporting_mta = {"dns", "a.example.test"};
    const TypedAddress address{"rfc822", "u@x.test"};
    const MtaName next{"dns", id == "far@x.test" ? "far.example" : "b.example.test"};
    message.recipients.push_back(
        {address, address, Transferred{*SuccessStatus::make({2, 4, 0}), TimePoint(), next}, false});
    return {message};
  }
};

void greet_and_wait(Session& session) {
  session.send("+OK/MTQP\r\n");
  session.line();
}
void serve(Session& session) {
  greet_and_wait(session);
  session.send(answer());
  session.drain();
}

class ChainingTest : public ::testing::Test {
 protected:
  ChainingTest() {
    options_.rules.domains = {"example.test"};
    options_.networks = {parse_network("127.0.0.0/8").value()};
    options_.greeting = milliseconds(200);
    options_.tls = net::make_client_context(net::Verify::peer, certificate_.certificate_file());
    settings_.tls = test::make_tls(test::CertificateSpec{{"a.example.test"}});
  }

  // Starts the server: b.example.test is 127.0.0.1 at `port`.
  void lead_to(std::uint16_t port) {
    dns_ = std::make_unique<DnsPeer>([port](const DnsQuestion& question) {
      if (question.type == 33) {
        return test::dns_answer(
            question, 0,
            {test::dns_record(33, test::srv_data(0, 0, port, test::dns_name("b.example.test")))});
      }
      return question.type == 1
                 ? test::dns_answer(question, 0,
                                    {test::dns_record(1, std::string("\x7f\0\0\1", 4))})
                 : test::dns_answer(question, 0, {});
    });
    options_.dns.servers = dns_->address();
    if (options_.port == 1038) {
      options_.port = port;
    }
    settings_.chaining = std::make_shared<Chaining>(options_);
    server_.emplace([] { return std::make_unique<OneTransfer>(); }, settings_);
  }
  // The whole answer to TRACK, by a plain client.
  std::string ask(const std::string& track = kTrack) {
    WireClient client(server_->port());
    EXPECT_THAT(client.receive_lines(1), StartsWith("+OK"));
    client.send(track + "QUIT\r\n");
    return client.receive_all();
  }
  std::string ask_in_tls() {
    WireClient client(server_->tls_port());
    EXPECT_TRUE(client.start_tls("a.example.test"));
    client.send(std::string(kTrack) + "QUIT\r\n");
    return client.receive_all();
  }
  static bool is_referral(const std::string& text) {
    return text.find(kFollows) != std::string::npos &&
           text.find("Action: transferred\r\nStatus: 2.4.0\r\nRemote-MTA: dns; b.example.test") !=
               std::string::npos &&
           text.find("Action: delivered") == std::string::npos;
  }
  std::uint64_t counted(ServerCounters::Name name) { return server_->server().counters()[name]; }

  const test::TestCertificate certificate_{"b.example.test"};
  ChainingOptions options_;
  Settings settings_ = test::default_settings();
  std::unique_ptr<DnsPeer> dns_;
  std::optional<test::RunningServer> server_;
};

TEST_F(ChainingTest, AnswersForTheNextServerToo) {  // MTQP-2.4-01, MODEL-5.3-01
  ScriptedPeer peer(serve);
  lead_to(peer.port());
  const std::string text = ask();
  EXPECT_THAT(text, HasSubstr("Action: transferred"));
  EXPECT_THAT(text, HasSubstr("Reporting-MTA: dns; b.example.test"));
  EXPECT_THAT(text, HasSubstr("Action: delivered"));
  EXPECT_EQ(peer.received(), std::string(kTrack) + "QUIT\r\n");
  EXPECT_EQ(counted(ServerCounters::chained), 1U);
}

TEST_F(ChainingTest, AnswersStayInOrder) {  // MTQP-2.1-*: pipelined commands
  ScriptedPeer peer(serve);
  lead_to(peer.port());
  const std::string text =
      ask(std::string("COMMENT\r\n") + kTrack + "TRACK unknown@x.test YQ==\r\n" + "COMMENT\r\n");
  EXPECT_THAT(text, StartsWith(std::string("+OK\r\n") + kFollows));
  EXPECT_TRUE(
      text.ends_with("--\r\n.\r\n-ERR/noinfo No tracking information\r\n+OK\r\n+OK bye\r\n"))
      << text;
}

TEST_F(ChainingTest, NothingIsAskedForAMissOrAStranger) {  // THR-O4, THR-X6
  ScriptedPeer peer(serve);
  lead_to(peer.port());
  EXPECT_THAT(ask("TRACK unknown@x.test YQ==\r\n"), StartsWith("-ERR/noinfo"));
  EXPECT_THAT(ask("TRACK far@x.test YQ==\r\n"), HasSubstr("Remote-MTA: dns; far.example"));
  EXPECT_EQ(peer.connections(), 0);
  EXPECT_TRUE(dns_->asked().empty());
  EXPECT_EQ(counted(ServerCounters::chained_not), 0U);
}

TEST_F(ChainingTest, AnAnswerIsKeptForAWhile) {  // THR-X5
  ScriptedPeer peer(serve);
  lead_to(peer.port());
  EXPECT_EQ(ask(), ask());
  EXPECT_EQ(peer.connections(), 1);
}

TEST_F(ChainingTest, FinalHopOnly) {  // MTQP-2.4-02
  options_.hops = ChainingOptions::Hops::final;
  ScriptedPeer peer(serve);
  lead_to(peer.port());
  const std::string text = ask();
  EXPECT_THAT(text, HasSubstr("Reporting-MTA: dns; a.example.test"));
  EXPECT_THAT(text, HasSubstr("Action: delivered"));
  EXPECT_THAT(text, Not(HasSubstr("b.example.test")));
}

TEST_F(ChainingTest, PrivateAddressesAreNotConnectedTo) {  // THR-X1
  options_.networks.clear();
  ScriptedPeer peer(serve);
  lead_to(peer.port());
  EXPECT_TRUE(is_referral(ask()));
  EXPECT_EQ(peer.connections(), 0);
}

TEST_F(ChainingTest, NorAreOtherPorts) {  // THR-X2
  options_.port = 1039;
  ScriptedPeer peer(serve);
  lead_to(peer.port());
  EXPECT_TRUE(is_referral(ask()));
  EXPECT_EQ(peer.connections(), 0);
}

TEST_F(ChainingTest, WhatIsNoMtqpServerGetsNothing) {  // THR-C3
  for (const char* greeting : {"220 smtp.example ESMTP\r\n", "-ERR wrong\r\n", "+OK POP3\r\n",
                               "HTTP/1.0 400 Bad Request\r\n", "+OK/MTQP\n", ""}) {
    ScriptedPeer peer([greeting](Session& session) {
      session.send(greeting);
      session.drain();
    });
    options_.port = 1038;
    lead_to(peer.port());
    EXPECT_TRUE(is_referral(ask())) << greeting;
    EXPECT_EQ(peer.received(), "") << greeting;
    server_.reset();
  }
}

TEST_F(ChainingTest, BadAnswersLeaveTheReferral) {  // THR-C5, THR-C6
  const std::string bodies[] = {
      "-ERR/noinfo\r\n",
      "-TEMP/unavailable\r\n",
      "+OK without a body\r\n",
      "+OK+\r\nContent-Type: text/plain\r\n\r\nhello\r\n.\r\n",
      "+OK+\r\nContent-Type: multipart/related\r\n\r\nno boundary\r\n.\r\n",
      "+OK+\r\n.\r\n",
      "+OK+\r\nContent-Type: message/tracking-status\r\n\r\nAction: delivered\n.\n-ERR\r\n.\r\n",
      "+OK+ " + std::string(1000, 'x') + "\r\n.\r\n",
      answer("Original-Envelope-Id: other@x.test\r\n" +
             std::string(kPart).substr(std::string(kPart).find("Reporting"))),
      answer("nothing: known\r\n"),
  };
  for (const std::string& body : bodies) {
    ScriptedPeer peer([&](Session& session) {
      greet_and_wait(session);
      session.send(body);
      session.drain();
    });
    options_.port = 1038;
    lead_to(peer.port());
    EXPECT_TRUE(is_referral(ask())) << body;
    EXPECT_EQ(counted(ServerCounters::chained_not), 1U);
    server_.reset();
  }
}

TEST_F(ChainingTest, NeverEndingAnswersAreCutShort) {  // THR-C5
  const std::string beginnings[] = {std::string(), "+OK+\r\n"};
  const std::string repeated[] = {std::string(1000, 'x'),
                                  "--%%%%\r\n\r\n" + std::string(500, 'x') + "\r\n"};
  for (std::size_t i = 0; i < 2; ++i) {
    ScriptedPeer peer([&](Session& session) {
      greet_and_wait(session);
      session.send(beginnings[i]);
      for (int k = 0; k < 100'000; ++k) {  // fails when the server has had enough
        session.send(repeated[i]);
      }
    });
    options_.port = 1038;
    lead_to(peer.port());
    EXPECT_TRUE(is_referral(ask()));
    server_.reset();
  }
}

TEST_F(ChainingTest, ManyPartsAreTooMany) {  // THR-C5
  std::string body = "+OK+\r\nContent-Type: multipart/related; boundary=b\r\n\r\n";
  for (int i = 0; i < 33; ++i) {
    body += "--b\r\nContent-Type: message/tracking-status\r\n\r\n" + std::string(kPart) + "\r\n";
  }
  ScriptedPeer peer([&](Session& session) {
    greet_and_wait(session);
    session.send(body + "--b--\r\n.\r\n");
    session.drain();
  });
  lead_to(peer.port());
  EXPECT_TRUE(is_referral(ask()));
}

TEST_F(ChainingTest, SlowServersDoNotHoldUpTheAnswer) {  // MTQP-2.4-03, MTQP-2.4-04
  options_.budget = milliseconds(300);
  ScriptedPeer peer([](Session& session) {
    greet_and_wait(session);
    session.drain();  // never an answer
  });
  lead_to(peer.port());
  const auto start = net::Clock::now();
  EXPECT_TRUE(is_referral(ask()));
  EXPECT_LT(net::Clock::now() - start, std::chrono::seconds(5));
  EXPECT_THAT(peer.received(), StartsWith("TRACK"));
}

TEST_F(ChainingTest, TheBudgetIsBelowTwoMinutes) {  // MTQP-2.4-03
  const ChainingOptions defaults;
  EXPECT_LE(defaults.budget, std::chrono::seconds(110));
}

TEST_F(ChainingTest, OthersAreServedMeanwhile) {
  options_.budget = std::chrono::seconds(8);
  ScriptedPeer peer([](Session& session) {
    greet_and_wait(session);
    session.drain();
  });
  lead_to(peer.port());
  WireClient waiting(server_->port());
  waiting.send(kTrack);
  while (peer.connections() == 0) {
    std::this_thread::yield();
  }
  EXPECT_THAT(ask("TRACK far@x.test YQ==\r\n"), StartsWith(kFollows));
  EXPECT_TRUE(is_referral(ask()));  // the same message: not asked for twice (THR-X4)
  EXPECT_EQ(peer.connections(), 1);
  server_->server().drain();  // whoever waits gets the referral at once
  EXPECT_TRUE(is_referral(waiting.receive_all()));
}

TEST_F(ChainingTest, NoTlsNoSecret) {  // THR-C2, MTQP-11-08
  ScriptedPeer peer(serve);
  lead_to(peer.port());
  EXPECT_TRUE(is_referral(ask_in_tls()));
  EXPECT_THAT(peer.received(), Not(HasSubstr(kSecret)));
  EXPECT_THAT(ask(), HasSubstr("Action: delivered"));  // as open as the question
}

TEST_F(ChainingTest, TlsForTls) {  // MTQP-11-08
  ScriptedPeer peer([this](Session& session) {
    session.send("+OK+/MTQP\r\nSTARTTLS\r\n.\r\n");
    session.line();
    session.send("+OK\r\n");
    if (session.start_tls(certificate_)) {
      serve(session);
    }
  });
  lead_to(peer.port());
  EXPECT_THAT(ask_in_tls(), HasSubstr("Action: delivered"));
  EXPECT_THAT(peer.received(), StartsWith("STARTTLS b.example.test\r\nTRACK way@x.test"));
}

TEST_F(ChainingTest, BadCertificatesGetNoSecret) {                                  // THR-C4
  const test::TestCertificate others[] = {test::TestCertificate("b.example.test"),  // a stranger's
                                          test::TestCertificate("c.example.test"),
                                          test::TestCertificate("b.example.test", -1)};
  for (const test::TestCertificate& other : others) {
    ScriptedPeer peer([&](Session& session) {
      session.send("+OK+/MTQP\r\nSTARTTLS\r\n.\r\n");
      session.line();
      session.send("+OK\r\n");
      if (session.start_tls(other)) {
        serve(session);
      }
    });
    options_.port = 1038;
    lead_to(peer.port());
    EXPECT_TRUE(is_referral(ask_in_tls()));
    EXPECT_TRUE(is_referral(ask()));  // what offers TLS has to do it right
    EXPECT_THAT(peer.received(), Not(HasSubstr(kSecret)));
    server_.reset();
  }
}

TEST_F(ChainingTest, BytesBeforeTheHandshakeEndIt) {  // THR-C1, THR-C7
  ScriptedPeer peer([](Session& session) {
    session.send("+OK+/MTQP\r\nSTARTTLS\r\n.\r\n");
    session.line();
    session.send("+OK go\r\n+OK+/MTQP evil\r\n.\r\n");
    session.drain();
  });
  lead_to(peer.port());
  EXPECT_TRUE(is_referral(ask_in_tls()));
  EXPECT_THAT(peer.received(), Not(HasSubstr(kSecret)));
}

TEST_F(ChainingTest, OldTlsIsNotAsGood) {  // MTQP-11-08: the same level
  ScriptedPeer peer([this](Session& session) {
    session.send("+OK+/MTQP\r\nSTARTTLS\r\n.\r\n");
    session.line();
    session.send("+OK\r\n");
    session.context().set_options(boost::asio::ssl::context::no_tlsv1_3);
    if (session.start_tls(certificate_)) {
      serve(session);
    }
  });
  lead_to(peer.port());
  EXPECT_TRUE(is_referral(ask_in_tls()));  // in TLS 1.3
  EXPECT_THAT(peer.received(), Not(HasSubstr(kSecret)));
}

TEST_F(ChainingTest, DeadServersLeaveTheReferral) {
  std::uint16_t port = 0;
  { port = ScriptedPeer(serve).port(); }
  lead_to(port);
  EXPECT_TRUE(is_referral(ask()));
}

}  // namespace
}  // namespace mtrk::mtqpd
