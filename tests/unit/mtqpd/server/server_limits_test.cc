// Who is let in, who has to go, and who has asked too much, at the real server.
#include "tests/support/known_messages.h"
#include "tests/support/running_server.h"
#include "tests/support/wire_client.h"

#include <gtest/gtest.h>

#include <sys/socket.h>

#include <chrono>
#include <memory>
#include <string>
#include <thread>
#include <vector>

namespace mtrk::mtqpd {
namespace {

using test::WireClient;

constexpr char kGreeting[] = "+OK/MTQP mtqpd ready\r\n";
constexpr char kFull[] = "-TEMP/MTQP/unavailable too many connections\r\n";
constexpr char kMiss[] = "-ERR/noinfo No tracking information\r\n";
constexpr char kLater[] = "-TEMP/unavailable try again later\r\n";

// Knows "known@b" alone.
class OneMessage final : public MessageSource {
 public:
  [[nodiscard]] std::unique_ptr<Snapshot> snapshot() const override {
    return std::make_unique<test::KnownMessages>(know);
  }
  [[nodiscard]] bool replaced() const override { return false; }

 private:
  static std::vector<TrackedMessage> know(const EnvelopeId& envelope_id) {
    if (envelope_id.decoded() != "known@b") {
      return {};
    }
    TrackedMessage message;
    message.reporting_mta = {"dns", "mx.example2.com"};
    const TypedAddress address{"rfc822", "user@example.com"};
    message.recipients.push_back({address, address, Opaque{}, false});
    return {message};
  }
};

OpenSource source() {
  return [] { return std::make_unique<OneMessage>(); };
}

std::uint64_t counted(test::RunningServer& running, ServerCounters::Name name) {
  return running.server().counters()[name];
}

TEST(ServerEvictionTest, TheOneIdleLongestMakesRoom) {  // THR-D1b
  Settings settings = test::default_settings();
  settings.limits.connections = 20;
  test::RunningServer running(source(), settings);
  std::vector<std::unique_ptr<WireClient>> clients;
  for (int i = 0; i < 18; ++i) {
    clients.push_back(std::make_unique<WireClient>(running.port()));
    EXPECT_EQ(clients.back()->receive_lines(1), kGreeting);
  }
  clients[0]->send("COMMENT\r\n");  // no longer the idlest
  EXPECT_EQ(clients[0]->receive_lines(1), "+OK\r\n");
  WireClient one_more(running.port());  // over nine tenths
  EXPECT_EQ(one_more.receive_lines(1), kGreeting);
  EXPECT_EQ(clients[1]->receive_all(), "-TEMP/unavailable idle, and the server is full\r\n");
  clients[0]->send("QUIT\r\n");
  EXPECT_EQ(clients[0]->receive_all(), "+OK bye\r\n");
  EXPECT_EQ(counted(running, ServerCounters::evicted), 1U);
}

TEST(ServerEvictionTest, BelowNineTenthsNobodyGoes) {
  Settings settings = test::default_settings();
  settings.limits.connections = 20;
  test::RunningServer running(source(), settings);
  std::vector<std::unique_ptr<WireClient>> clients;
  for (int i = 0; i < 18; ++i) {
    clients.push_back(std::make_unique<WireClient>(running.port()));
    EXPECT_EQ(clients.back()->receive_lines(1), kGreeting);
  }
  for (const std::unique_ptr<WireClient>& client : clients) {
    client->send("COMMENT\r\n");
    EXPECT_EQ(client->receive_lines(1), "+OK\r\n");
  }
  EXPECT_EQ(counted(running, ServerCounters::evicted), 0U);
}

TEST(ServerIdleTest, EveryCommandStartsTheTimeAnew) {  // MTQP-2.5-03: bad ones too
  Settings settings = test::default_settings();
  settings.deadlines.idle = std::chrono::milliseconds(600);
  test::RunningServer running(source(), settings);
  WireClient client(running.port());
  EXPECT_EQ(client.receive_lines(1), kGreeting);
  const auto start = net::Clock::now();
  const char* const commands[] = {"COMMENT\r\n", "FOO\r\n"};
  for (int i = 0; net::Clock::now() - start < std::chrono::milliseconds(1500); ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
    client.send(commands[i % 40 == 1 ? 1 : 0]);
    EXPECT_FALSE(client.receive_lines(1).empty());
  }
  EXPECT_EQ(client.receive_all(), "");  // and now it is silent
}

TEST(ServerPenaltyTest, WhoKeepsMisbehavingIsTurnedAway) {  // THR-D9, THR-S12
  test::RunningServer running(source(), test::default_settings());
  std::string rubbish;
  for (int i = 0; i < 20; ++i) {
    rubbish += "FOO\r\n";
  }
  for (int i = 0; i < 7; ++i) {
    WireClient client(running.port());
    client.send(rubbish);
    EXPECT_TRUE(client.receive_all().ends_with("-TEMP/unavailable too many errors\r\n"));
    client.reset();
    // The penalty is written when the connection is gone.
    while (running.server().connections() != 0) {
      std::this_thread::yield();
    }
  }
  WireClient again(running.port());
  EXPECT_EQ(again.receive_all(), kFull);
  WireClient elsewhere(running.port(), "127.0.0.2");
  EXPECT_EQ(elsewhere.receive_lines(1), kGreeting);
  EXPECT_EQ(counted(running, ServerCounters::misbehaved), 7U);
  EXPECT_EQ(counted(running, ServerCounters::penalised), 1U);
}

TEST(ServerMissesTest, AfterTooManyEveryQueryIsToldToComeLater) {  // THR-O3
  Settings settings = test::default_settings();
  settings.limits.misses_per_minute = 30;
  test::RunningServer running(source(), settings);
  WireClient client(running.port());
  EXPECT_EQ(client.receive_lines(1), kGreeting);
  std::string commands;
  std::string replies;
  for (int i = 0; i < 30; ++i) {
    commands += "TRACK unknown@b YWJj\r\n";
    replies += kMiss;
  }
  commands += "TRACK unknown@b YWJj\r\nTRACK known@b YWJj\r\nTRACK other@b YWJj\r\n";
  replies += std::string(kLater) + kLater + kLater;  // a hit as well: guessing tells nothing
  client.send(commands);
  EXPECT_EQ(client.receive_lines(33), replies);
  WireClient again(running.port());
  EXPECT_EQ(again.receive_lines(1), kGreeting);
  again.send("TRACK known@b YWJj\r\nTRACK x@b\r\nCOMMENT\r\n");
  EXPECT_EQ(again.receive_lines(3), std::string(kLater) + "-BAD syntax error\r\n+OK\r\n");
  WireClient elsewhere(running.port(), "127.0.0.2");
  EXPECT_EQ(elsewhere.receive_lines(1), kGreeting);
  elsewhere.send("TRACK known@b YWJj\r\n");
  EXPECT_TRUE(elsewhere.receive_lines(1).starts_with("+OK+ "));
  EXPECT_EQ(counted(running, ServerCounters::throttled), 4U);
}

TEST(ServerMissesTest, HitsCostNothing) {
  Settings settings = test::default_settings();
  settings.limits.misses_per_minute = 1;
  test::RunningServer running(source(), settings);
  WireClient client(running.port());
  EXPECT_EQ(client.receive_lines(1), kGreeting);
  for (int i = 0; i < 50; ++i) {
    client.send("TRACK known@b YWJj\r\n");
    EXPECT_TRUE(client
                    .receive_until([](const std::string& text) {
                      return text.ends_with("\r\n.\r\n") || text.starts_with("-");
                    })
                    .starts_with("+OK+ "));
  }
}

TEST(ServerTrustTest, TrustedNetworksHaveNoLimitsOfTheirOwn) {  // THR-D5
  Settings settings = test::default_settings();
  settings.limits.connections_per_source = 1;
  settings.limits.misses_per_minute = 1;
  settings.limits.trusted = {parse_network("127.0.0.0/24").value()};
  test::RunningServer running(source(), settings);
  WireClient one(running.port());
  WireClient two(running.port());
  for (WireClient* client : {&one, &two}) {
    EXPECT_EQ(client->receive_lines(1), kGreeting);
    client->send("TRACK x@b YWJj\r\nTRACK x@b YWJj\r\nTRACK x@b YWJj\r\n");
    EXPECT_EQ(client->receive_lines(3), std::string(kMiss) + kMiss + kMiss);
  }
  WireClient three(running.port(), "127.0.1.1");
  EXPECT_EQ(three.receive_lines(1), kGreeting);
  WireClient four(running.port(), "127.0.1.1");
  EXPECT_EQ(four.receive_all(), kFull);
}

TEST(ServerAdoptTest, ServesSocketsThatWereHandedOver) {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  ASSERT_EQ(::bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
  QueryService queries(source());
  Server server({}, {}, 2, std::make_shared<Settings>(test::default_settings()), queries);
  EXPECT_THROW(server.adopt(::dup(fd), Connection::Starts::plain), std::system_error);
  ASSERT_EQ(::listen(fd, 16), 0);
  server.adopt(fd, Connection::Starts::plain);
  static_cast<void>(queries.tend(net::Clock::now()));
  server.start();
  ASSERT_EQ(server.addresses().size(), 1U);
  for (int i = 0; i < 8; ++i) {
    WireClient client(server.addresses().front().port());
    client.send("QUIT\r\n");
    EXPECT_EQ(client.receive_all(), std::string(kGreeting) + "+OK bye\r\n");
  }
}

TEST(ServerSocketTest, KeepaliveFindsPeersThatVanish) {  // THR-D7
  net::asio::io_context context;
  net::Socket socket(context);
  socket.open(net::Tcp::v4());
  net::tune(socket);
  const auto option = [&](int level, int name) {
    int value = -1;
    socklen_t size = sizeof value;
    ::getsockopt(socket.native_handle(), level, name, &value, &size);
    return value;
  };
  EXPECT_EQ(option(SOL_SOCKET, SO_KEEPALIVE), 1);
  // Two minutes from the last word: far below the 15 minutes that are allowed.
  EXPECT_EQ(option(IPPROTO_TCP, TCP_KEEPIDLE), 60);
  EXPECT_EQ(option(IPPROTO_TCP, TCP_KEEPINTVL) * option(IPPROTO_TCP, TCP_KEEPCNT), 60);
}

}  // namespace
}  // namespace mtrk::mtqpd
