// Limits, deadlines, TLS and the drain of the real server; what it says is server_dialogue_test's.
#include "mtqpd/server/server.h"

#include "common/store/store_error.h"
#include "tests/support/known_messages.h"
#include "tests/support/running_server.h"
#include "tests/support/wire_client.h"

#include <gtest/gtest.h>

#include <fcntl.h>

#include <atomic>
#include <chrono>
#include <cstring>
#include <string>
#include <thread>
#include <vector>

namespace mtrk::mtqpd {
namespace {

using std::chrono::milliseconds;
using test::WireClient;

constexpr std::string_view kTrack = "TRACK a@b YWJj\r\n";
constexpr std::string_view kMiss = "-ERR/noinfo No tracking information\r\n";
constexpr char kGreeting[] = "+OK/MTQP mtqpd ready\r\n";

// Knows one message, "big@b", with many recipients.
class OneBigMessage final : public MessageSource {
 public:
  [[nodiscard]] std::unique_ptr<Snapshot> snapshot() const override {
    return std::make_unique<test::KnownMessages>(know);
  }
  [[nodiscard]] bool replaced() const override { return false; }

 private:
  static std::vector<TrackedMessage> know(const EnvelopeId& envelope_id) {
    if (envelope_id.decoded() != "big@b") {
      return {};
    }
    TrackedMessage message;
    message.reporting_mta = {"dns", "mx.example2.com"};
    for (int i = 0; i < 500; ++i) {
      const TypedAddress address{"rfc822", "user" + std::to_string(i) + "@example.com"};
      message.recipients.push_back({address, address, Opaque{}, false});
    }
    return {message};
  }
};

OpenSource source() {
  return [] { return std::make_unique<OneBigMessage>(); };
}

Settings tls_settings() {
  Settings settings = test::default_settings();
  settings.tls = test::make_tls({.names = {"mx.example2.com"}});
  return settings;
}

TEST(ServerTest, LimitsConnectionsOfOneAddress) {  // THR-D5
  Settings settings = test::default_settings();
  settings.limits.connections_per_source = 1;
  test::RunningServer running(source(), settings);
  WireClient first(running.port());
  EXPECT_EQ(first.receive_lines(1), kGreeting);
  WireClient second(running.port());
  EXPECT_EQ(second.receive_all(), "-TEMP/MTQP/unavailable too many connections\r\n");
  WireClient elsewhere(running.port(), "127.0.0.2");
  EXPECT_EQ(elsewhere.receive_lines(1), kGreeting);
  first.send("QUIT\r\n");
  EXPECT_EQ(first.receive_all(), "+OK bye\r\n");
}

TEST(ServerTest, LimitsConnectionsInAll) {  // THR-D5
  Settings settings = test::default_settings();
  settings.limits.connections = 1;
  test::RunningServer running(source(), settings);
  WireClient first(running.port());
  EXPECT_EQ(first.receive_lines(1), kGreeting);
  WireClient second(running.port(), "127.0.0.2");
  EXPECT_EQ(second.receive_all(), "-TEMP/MTQP/unavailable too many connections\r\n");
}

TEST(ServerTest, EndsIdleSessions) {  // MTQP-2.5-01
  Settings settings = test::default_settings();
  settings.deadlines.idle = milliseconds(50);
  test::RunningServer running(source(), settings);
  WireClient client(running.port());
  EXPECT_EQ(client.receive_all(), kGreeting);
}

TEST(ServerTest, LineOnceStartedHasToEnd) {  // THR-D1
  Settings settings = test::default_settings();
  settings.deadlines.started_line = milliseconds(100);
  test::RunningServer running(source(), settings);
  WireClient client(running.port());
  EXPECT_EQ(client.receive_lines(1), kGreeting);
  std::atomic<bool> ended{false};
  std::thread dribble([&] {  // an octet now and then does not keep it open
    for (int i = 0; i < 1000 && !ended; ++i) {
      client.send("T");
      std::this_thread::sleep_for(milliseconds(10));
    }
  });
  EXPECT_EQ(client.receive_all(), "");
  ended = true;
  dribble.join();
}

TEST(ServerTest, SilenceAfterStartTlsIsEnded) {  // THR-S6
  Settings settings = tls_settings();
  settings.deadlines.handshake = milliseconds(50);
  test::RunningServer running(source(), settings);
  WireClient client(running.port());
  EXPECT_FALSE(client.receive_lines(3).empty());
  client.send("STARTTLS mx.example2.com\r\n");
  EXPECT_EQ(client.receive_all(), "+OK begin TLS\r\n");
}

TEST(ServerTest, GarbageInsteadOfClientHelloEndsTheSession) {  // THR-S1b, THR-S7, MTQP-6.1-01
  for (const char* garbage : {"QUIT\r\n", "TRACK a@b YWJj\r\n"}) {
    test::RunningServer running(source(), tls_settings());
    WireClient client(running.port());
    EXPECT_FALSE(client.receive_lines(3).empty());
    client.send("STARTTLS mx.example2.com\r\n");
    EXPECT_EQ(client.receive_lines(1), "+OK begin TLS\r\n");
    client.send(garbage);
    const std::string after = client.receive_all();  // a TLS alert at most
    EXPECT_EQ(after.find("OK"), std::string::npos);
    EXPECT_EQ(after.find("-ERR"), std::string::npos);
  }
}

TEST(ServerTest, GreetsOnceInsideTlsAndSaysNoMore) {  // THR-S3
  Settings settings = tls_settings();
  settings.deadlines.idle = milliseconds(200);
  test::RunningServer running(source(), settings);
  WireClient client(running.port());
  EXPECT_FALSE(client.receive_lines(3).empty());
  client.send("STARTTLS mx.example2.com\r\n");
  EXPECT_EQ(client.receive_lines(1), "+OK begin TLS\r\n");
  ASSERT_TRUE(client.start_tls("mx.example2.com"));
  EXPECT_EQ(client.receive_all(), kGreeting);
}

TEST(ServerTest, AnswersInClearBeforeStartTls) {  // THR-S2, THR-S5
  test::RunningServer running(source(), tls_settings());
  WireClient client(running.port());
  EXPECT_FALSE(client.receive_lines(3).empty());
  client.send("TRACK big@b YWJj\r\nSTARTTLS mx.example2.com\r\n");
  const std::string clear = client.receive_until(
      [](const std::string& text) { return text.ends_with("+OK begin TLS\r\n"); });
  EXPECT_NE(clear.find("user499@example.com"), std::string::npos);
  ASSERT_TRUE(client.start_tls("mx.example2.com"));
  EXPECT_EQ(client.receive_lines(1), kGreeting);
}

TEST(ServerTest, TlsFromTheStart) {
  test::RunningServer running(source(), tls_settings());
  WireClient client(running.tls_port());
  ASSERT_TRUE(client.start_tls("mx.example2.com"));
  EXPECT_EQ(client.receive_lines(1), kGreeting);
  client.send("STARTTLS mx.example2.com\r\nQUIT\r\n");
  EXPECT_EQ(client.receive_all(), "-BAD/tls-in-progress TLS is active\r\n+OK bye\r\n");
}

TEST(ServerTest, RefusesOldTlsAndAlpn) {  // THR-S10, THR-S11, UPD-8996-01, UPD-8996-02
  test::RunningServer running(source(), tls_settings());
  WireClient old(running.tls_port());
  EXPECT_FALSE(old.start_tls("mx.example2.com", [](SSL_CTX* context) {
    SSL_CTX_set_security_level(context, 0);
    SSL_CTX_set_max_proto_version(context, TLS1_1_VERSION);
  }));
  WireClient web(running.tls_port());
  EXPECT_FALSE(web.start_tls("mx.example2.com", [](SSL_CTX* context) {
    const unsigned char protocols[] = "\x02h2";
    SSL_CTX_set_alpn_protos(context, protocols, sizeof protocols - 1);
  }));
}

TEST(ServerTest, RefusesRenegotiation) {  // THR-S10
  test::RunningServer running(source(), tls_settings());
  WireClient client(running.tls_port());
  ASSERT_TRUE(client.start_tls("mx.example2.com", [](SSL_CTX* context) {
    SSL_CTX_set_max_proto_version(context, TLS1_2_VERSION);
  }));
  EXPECT_EQ(client.receive_lines(1), kGreeting);
  SSL_renegotiate(client.ssl());
  EXPECT_NE(SSL_do_handshake(client.ssl()), 1);
}

TEST(ServerTest, StopsReadingWhoDoesNotRead) {  // THR-D3, THR-D4
  Settings settings = test::default_settings();
  settings.deadlines.write_progress = milliseconds(500);
  test::RunningServer running(source(), settings);
  WireClient greedy(running.port());
  ::fcntl(greedy.fd(), F_SETFL, O_NONBLOCK);
  std::string flood;
  while (flood.size() < 60000) {
    flood += "TRACK big@b YWJj\r\n";
  }
  // Far more than the two sockets' buffers hold: it has to block, and in the end to fail.
  std::size_t sent = 0;
  bool blocked = false;
  for (;;) {
    const ssize_t length = ::send(greedy.fd(), flood.data(), flood.size(), MSG_NOSIGNAL);
    if (length < 0 && errno == EAGAIN) {
      blocked = true;
      WireClient other(running.port());  // nobody else suffers
      other.send("QUIT\r\n");
      EXPECT_EQ(other.receive_all(), std::string(kGreeting) + "+OK bye\r\n");
      std::this_thread::sleep_for(milliseconds(20));
    } else if (length < 0) {
      break;
    } else {
      sent += static_cast<std::size_t>(length);
      ASSERT_LT(sent, 64U << 20) << "the server keeps reading";
    }
  }
  EXPECT_TRUE(blocked);
}

TEST(ServerTest, FloodWithoutLineEndIsEnded) {  // THR-D2
  test::RunningServer running(source(), test::default_settings());
  WireClient client(running.port());
  client.send(std::string(1 << 20, 'x'));
  EXPECT_EQ(client.receive_lines(2), std::string(kGreeting) + "-BAD line too long\r\n");
}

TEST(ServerTest, SurvivesClientsThatVanish) {  // THR-D10, MTQP-7-03
  test::RunningServer running(source(), test::default_settings());
  for (int i = 0; i < 300; ++i) {
    WireClient client(running.port());
    if (i % 3 == 1) {
      client.send("QUIT\r\n");
    } else if (i % 3 == 2) {
      client.send("TRACK big@b YWJj\r\n");
    }
    client.reset();
  }
  WireClient client(running.port());
  EXPECT_EQ(client.receive_lines(1), kGreeting);
}

TEST(ServerTest, HalfClosedClientsAreAnswered) {
  test::RunningServer running(source(), test::default_settings());
  WireClient client(running.port());
  client.send(kTrack);
  client.shutdown_send();
  EXPECT_EQ(client.receive_all(), std::string(kGreeting) + std::string(kMiss));
}

TEST(ServerTest, LineWithoutItsEndIsNotExecuted) {  // THR-S9
  test::RunningServer running(source(), test::default_settings());
  WireClient client(running.port());
  client.send("TRACK a@b YWJj");
  client.shutdown_send();
  EXPECT_EQ(client.receive_all(), kGreeting);
}

TEST(ServerTest, DrainEndsIdleSessionsAndRefusesNewOnes) {
  test::RunningServer running(source(), tls_settings(), 2);
  WireClient plain(running.port());
  WireClient secure(running.tls_port());
  EXPECT_FALSE(plain.receive_lines(3).empty());
  ASSERT_TRUE(secure.start_tls("mx.example2.com"));
  EXPECT_EQ(secure.receive_lines(1), kGreeting);
  running.server().drain();
  EXPECT_EQ(plain.receive_all(), "");
  EXPECT_EQ(secure.receive_all(), "");
  plain.reset();
  secure.reset();
  running.server().join();
  EXPECT_TRUE(running.server().finished());
  EXPECT_THROW(WireClient late(running.port()), std::runtime_error);
}

TEST(ServerTest, DrainFinishesTheAnswerUnderWay) {
  test::RunningServer running(source(), test::default_settings());
  WireClient client(running.port());
  EXPECT_EQ(client.receive_lines(1), kGreeting);
  std::string many;
  for (int i = 0; i < 200; ++i) {
    many += "TRACK big@b YWJj\r\n";
  }
  client.send(many);  // some 25 MB of answers: the server is in the middle of them
  std::string text = client.receive_lines(1);
  running.server().drain();
  text += client.receive_all();
  EXPECT_TRUE(text.ends_with(".\r\n") || text.ends_with("maintenance\r\n"));
}

TEST(ServerTest, NewSettingsAreForNewConnections) {
  test::RunningServer running(source(), tls_settings());
  WireClient before(running.port());
  EXPECT_FALSE(before.receive_lines(3).empty());
  running.server().apply(std::make_shared<Settings>([] {
    Settings settings = test::default_settings();
    settings.tls = test::make_tls({.names = {"new.example2.com"}});
    return settings;
  }()));
  before.send("STARTTLS new.example2.com\r\nSTARTTLS mx.example2.com\r\n");
  EXPECT_EQ(before.receive_lines(2),
            "-BAD/bad-fqdn no certificate for this name\r\n+OK begin TLS\r\n");
  EXPECT_TRUE(before.start_tls("mx.example2.com"));
  WireClient after(running.port());
  EXPECT_FALSE(after.receive_lines(3).empty());
  after.send("STARTTLS mx.example2.com\r\nSTARTTLS new.example2.com\r\n");
  EXPECT_EQ(after.receive_lines(2),
            "-BAD/bad-fqdn no certificate for this name\r\n+OK begin TLS\r\n");
  EXPECT_TRUE(after.start_tls("new.example2.com"));
}

TEST(ServerTest, ServesManyClientsOnSeveralThreads) {
  test::RunningServer running(source(), tls_settings(), 2);
  std::atomic<int> good{0};
  std::vector<std::thread> clients;
  for (int i = 0; i < 8; ++i) {
    clients.emplace_back([&running, &good, i] {
      const bool tls = i % 2 == 1;
      WireClient client(tls ? running.tls_port() : running.port());
      if (tls) {
        ASSERT_TRUE(client.start_tls("mx.example2.com"));
      }
      EXPECT_FALSE(client.receive_lines(tls ? 1 : 3).empty());
      for (int round = 0; round < 50; ++round) {
        std::string batch;
        std::string expected;
        for (int k = 0; k < 16; ++k) {
          batch += kTrack;
          expected += kMiss;
        }
        client.send(batch);
        good += client.receive_lines(16) == expected ? 1 : 0;
      }
    });
  }
  for (std::thread& client : clients) {
    client.join();
  }
  EXPECT_EQ(good, 8 * 50);
}

TEST(ServerTest, UnavailableStoreIsSaidInTheGreeting) {  // MTQP-3-06
  test::RunningServer running(
      []() -> std::unique_ptr<MessageSource> { throw store::StoreUnusable(66, "no store"); },
      test::default_settings());
  WireClient client(running.port());
  client.send("QUIT\r\n");
  EXPECT_EQ(client.receive_all(), "-TEMP/MTQP/unavailable try again later\r\n+OK bye\r\n");
}

}  // namespace
}  // namespace mtrk::mtqpd
