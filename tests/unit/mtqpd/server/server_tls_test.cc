// TLS of the real server: which certificate, which sessions, what a peer may do inside.
#include "tests/support/known_messages.h"
#include "tests/support/running_server.h"
#include "tests/support/wire_client.h"

#include <gtest/gtest.h>

#include <chrono>
#include <csignal>
#include <memory>
#include <string>
#include <vector>

namespace mtrk::mtqpd {
namespace {

using test::CertificateSpec;
using test::WireClient;

constexpr char kGreeting[] = "+OK/MTQP mtqpd ready\r\n";

class Empty final : public MessageSource {
 public:
  [[nodiscard]] std::unique_ptr<Snapshot> snapshot() const override {
    return std::make_unique<test::KnownMessages>(
        [](const EnvelopeId&) { return std::vector<TrackedMessage>(); });
  }
  [[nodiscard]] bool replaced() const override { return false; }
};

OpenSource source() {
  return [] { return std::make_unique<Empty>(); };
}

Settings settings_with(const std::vector<CertificateSpec>& certificates) {
  Settings settings = test::default_settings();
  settings.tls = test::make_tls(certificates);
  return settings;
}

const std::vector<CertificateSpec>& two_hosts() {
  static const std::vector<CertificateSpec> specs{{.names = {"a.example"}},
                                                  {.names = {"b.example", "*.b.example"}}};
  return specs;
}

bool shows(WireClient& client, const std::string& name) {
  const std::unique_ptr<X509, decltype(&X509_free)> peer(SSL_get1_peer_certificate(client.ssl()),
                                                         X509_free);
  return X509_check_host(peer.get(), name.data(), name.size(), 0, nullptr) == 1;
}

bool start_tls(WireClient& client, const std::string& domain, const std::string& sni) {
  EXPECT_FALSE(client.receive_lines(3).empty());
  client.send("STARTTLS " + domain + "\r\n");
  EXPECT_EQ(client.receive_lines(1), "+OK begin TLS\r\n");
  return client.start_tls(sni);
}

void only_tls12(SSL_CTX* context) {
  SSL_CTX_set_max_proto_version(context, TLS1_2_VERSION);
}

TEST(ServerTlsHostsTest, ShowsTheCertificateThatStartTlsNames) {  // MTQP-6-07, A-21
  test::RunningServer running(source(), settings_with(two_hosts()));
  for (const char* domain : {"a.example", "b.example", "mx.b.example"}) {
    WireClient client(running.port());
    ASSERT_TRUE(start_tls(client, domain, domain));
    EXPECT_TRUE(shows(client, domain)) << domain;
    EXPECT_EQ(client.receive_lines(1), kGreeting);
  }
  // The parameter decides, not what the handshake names.
  WireClient client(running.port());
  ASSERT_TRUE(start_tls(client, "b.example", "a.example"));
  EXPECT_TRUE(shows(client, "b.example"));
}

TEST(ServerTlsHostsTest, ListenerForTlsChoosesBySni) {  // MTQP-6-07
  test::RunningServer running(source(), settings_with(two_hosts()));
  for (const char* domain : {"a.example", "b.example", "mx.b.example"}) {
    WireClient client(running.tls_port());
    ASSERT_TRUE(client.start_tls(domain));
    EXPECT_TRUE(shows(client, domain)) << domain;
    EXPECT_EQ(client.receive_lines(1), kGreeting);
  }
  WireClient unknown(running.tls_port());
  ASSERT_TRUE(unknown.start_tls("other.example"));
  EXPECT_TRUE(shows(unknown, "a.example"));  // the first one, for the client to refuse
}

TEST(ServerTlsHostsTest, ExpiredCertificateIsNotShownByStartTls) {  // MTQP-6-10
  test::RunningServer running(source(),
                              settings_with({{.names = {"a.example"}, .begins = -20, .ends = -10},
                                             {.names = {"b.example"}}}));
  WireClient client(running.port());
  EXPECT_FALSE(client.receive_lines(3).empty());
  client.send("STARTTLS a.example\r\nCOMMENT\r\n");
  EXPECT_EQ(client.receive_lines(2), "-TEMP/unavailable TLS is not available\r\n+OK\r\n");
  client.send("STARTTLS b.example\r\n");
  EXPECT_EQ(client.receive_lines(1), "+OK begin TLS\r\n");
  EXPECT_TRUE(client.start_tls("b.example"));
}

TEST(ServerTlsLevelTest, OlderThanTheMinimumIsInsecure) {  // MTQP-6.1-02, MTQP-6.1-06, MTQP-4-06
  Settings settings = settings_with(two_hosts());
  settings.tls_minimum = "TLSv1.3";
  test::RunningServer running(source(), settings);
  WireClient older(running.tls_port());
  ASSERT_TRUE(older.start_tls("a.example", only_tls12));
  EXPECT_EQ(older.receive_lines(1), kGreeting);
  older.send("TRACK a@b YWJj\r\nCOMMENT\r\nFOO\r\nQUIT\r\n");
  EXPECT_EQ(older.receive_all(),
            "-ERR/insecure TLS is not good enough\r\n+OK\r\n-BAD syntax error\r\n+OK bye\r\n");
  WireClient newer(running.tls_port());
  ASSERT_TRUE(newer.start_tls("a.example"));
  EXPECT_EQ(newer.receive_lines(1), kGreeting);
  newer.send("TRACK a@b YWJj\r\n");
  EXPECT_EQ(newer.receive_lines(1), "-ERR/noinfo No tracking information\r\n");
}

// A session of a connection that has read its greeting, and with it the ticket.
using Session = std::unique_ptr<SSL_SESSION, decltype(&SSL_SESSION_free)>;
Session session_of(std::uint16_t port, const std::string& sni, void (*adjust)(SSL_CTX*)) {
  WireClient client(port);
  EXPECT_TRUE(client.start_tls(sni, adjust));
  EXPECT_EQ(client.receive_lines(1), kGreeting);
  SSL_set_shutdown(client.ssl(), SSL_SENT_SHUTDOWN);  // else OpenSSL gives the session up
  return {SSL_get1_session(client.ssl()), SSL_SESSION_free};
}
bool resumes(std::uint16_t port,
             const std::string& sni,
             SSL_SESSION* session,
             void (*adjust)(SSL_CTX*)) {
  WireClient client(port);
  EXPECT_TRUE(client.start_tls(sni, adjust, session));
  EXPECT_EQ(client.receive_lines(1), kGreeting);
  return SSL_session_reused(client.ssl()) == 1;
}

TEST(ServerTlsSessionTest, TicketsResumeAlsoAfterAReload) {
  const test::TemporaryFolder folder;
  const net::ServerTls::Files files{folder.file("a.pem"), folder.file("a.key")};
  test::write_certificate({.names = {"a.example"}}, files.certificate, files.key);
  Settings settings = test::default_settings();
  settings.tls = std::make_shared<net::ServerTls>(std::vector{files});
  for (const auto adjust : {only_tls12, +[](SSL_CTX*) {}}) {
    test::RunningServer running(source(), settings);
    const Session session = session_of(running.tls_port(), "a.example", adjust);
    EXPECT_TRUE(resumes(running.tls_port(), "a.example", session.get(), adjust));
    // The same certificate, read again: still good.
    const Session again = session_of(running.tls_port(), "a.example", adjust);
    Settings reloaded = settings;
    reloaded.tls = std::make_shared<net::ServerTls>(std::vector{files});
    running.server().apply(std::make_shared<Settings>(reloaded));
    EXPECT_TRUE(resumes(running.tls_port(), "a.example", again.get(), adjust));
    // Another certificate: a whole handshake.
    const Session old = session_of(running.tls_port(), "a.example", adjust);
    reloaded.tls = test::make_tls({.names = {"a.example"}});
    running.server().apply(std::make_shared<Settings>(reloaded));
    EXPECT_FALSE(resumes(running.tls_port(), "a.example", old.get(), adjust));
  }
}

TEST(ServerTlsSessionTest, ReloadLeavesSessionsAlone) {
  test::RunningServer running(source(), settings_with(two_hosts()));
  WireClient plain(running.port());
  WireClient secure(running.tls_port());
  ASSERT_TRUE(secure.start_tls("a.example"));
  EXPECT_EQ(secure.receive_lines(1), kGreeting);
  EXPECT_FALSE(plain.receive_lines(3).empty());
  for (int i = 0; i < 20; ++i) {
    running.server().apply(std::make_shared<Settings>(settings_with({{.names = {"c.example"}}})));
  }
  secure.send("COMMENT\r\n");
  EXPECT_EQ(secure.receive_lines(1), "+OK\r\n");
  plain.send("COMMENT\r\nSTARTTLS a.example\r\n");
  EXPECT_EQ(plain.receive_lines(2), "+OK\r\n+OK begin TLS\r\n");
  EXPECT_TRUE(plain.start_tls("a.example"));
}

TEST(ServerTlsPeerTest, KeyUpdatesWithoutDataEndTheSession) {  // THR-S10
  test::RunningServer running(source(), settings_with(two_hosts()));
  WireClient few(running.tls_port());
  ASSERT_TRUE(few.start_tls("a.example"));
  EXPECT_EQ(few.receive_lines(1), kGreeting);
  for (int round = 0; round < 5; ++round) {
    for (int i = 0; i < 20; ++i) {
      ASSERT_EQ(SSL_key_update(few.ssl(), SSL_KEY_UPDATE_NOT_REQUESTED), 1);
      ASSERT_EQ(SSL_do_handshake(few.ssl()), 1);
    }
    few.send("COMMENT\r\n");
    EXPECT_EQ(few.receive_lines(1), "+OK\r\n") << round;
  }
  std::signal(SIGPIPE, SIG_IGN);  // OpenSSL's own BIO raises it
  WireClient many(running.tls_port());
  ASSERT_TRUE(many.start_tls("a.example"));
  EXPECT_EQ(many.receive_lines(1), kGreeting);
  for (int i = 0; i < 10000; ++i) {
    if (SSL_key_update(many.ssl(), SSL_KEY_UPDATE_NOT_REQUESTED) != 1 ||
        SSL_do_handshake(many.ssl()) != 1) {
      break;
    }
  }
  many.send("COMMENT\r\n");
  EXPECT_EQ(many.receive_all(), "");
}

TEST(ServerTlsPeerTest, LineCutOffByTheEndIsNotExecuted) {  // THR-S9
  test::RunningServer running(source(), settings_with(two_hosts()));
  WireClient client(running.tls_port());
  ASSERT_TRUE(client.start_tls("a.example"));
  EXPECT_EQ(client.receive_lines(1), kGreeting);
  client.send("COMMENT");
  client.shutdown_send();  // without close_notify
  EXPECT_EQ(client.receive_all(), "");
}

TEST(ServerTlsPeerTest, LargeAnswersAndPipelinesPass) {  // MTQP-8-02
  test::RunningServer running(source(), settings_with(two_hosts()));
  WireClient client(running.tls_port());
  ASSERT_TRUE(client.start_tls("a.example"));
  EXPECT_EQ(client.receive_lines(1), kGreeting);
  std::string commands;
  std::string replies;
  for (int i = 0; i < 5000; ++i) {
    commands += "TRACK a@b YWJj\r\n";
    replies += "-ERR/noinfo No tracking information\r\n";
  }
  client.send(commands);
  EXPECT_TRUE(client.receive_lines(5000) == replies);
}

}  // namespace
}  // namespace mtrk::mtqpd
