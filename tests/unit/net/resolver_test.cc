#include "common/net/resolver.h"

#include "tests/support/dns_peer.h"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <cstdlib>
#include <optional>
#include <string>

namespace mtrk::net {
namespace {

using test::dns_answer;
using test::dns_name;
using test::dns_record;
using test::DnsPeer;
using test::DnsQuestion;
using test::srv_data;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::UnorderedElementsAre;

constexpr unsigned kNxdomain = 3;
constexpr unsigned kServfail = 2;
constexpr std::uint16_t kA = 1;
constexpr std::uint16_t kMx = 15;
constexpr std::uint16_t kAaaa = 28;
constexpr std::uint16_t kSrv = 33;

template <typename T>
T run(Awaitable<T> work) {
  asio::io_context io(1);
  std::optional<T> result;
  asio::co_spawn(io, std::move(work), [&](std::exception_ptr error, T value) {
    ASSERT_FALSE(error);
    result = std::move(value);
  });
  io.run();
  return std::move(*result);
}

DnsOptions ask(const DnsPeer& peer) {
  DnsOptions options;
  options.servers = peer.address();
  return options;
}

DnsResolver resolver_for(const DnsPeer& peer, DnsResolver::FixedNames fixed = {}) {
  return DnsResolver(std::move(fixed), ask(peer), [](std::uint32_t) { return 0U; });
}

// Every host has the address 192.0.2.1 unless `answers` says otherwise.
std::optional<std::string> addresses(const DnsQuestion& question) {
  if (question.type == kA) {
    return dns_answer(question, 0, {dns_record(kA, std::string("\xc0\0\x02\x01", 4))});
  }
  return dns_answer(question, question.type == kSrv ? kNxdomain : 0, {});
}

DnsPeer::Script with_srv(std::vector<std::string> records) {
  return [records = std::move(records)](const DnsQuestion& question) {
    return question.type == kSrv ? dns_answer(question, 0, records) : addresses(question);
  };
}
std::string srv(unsigned priority, unsigned port, const std::string& target) {
  return dns_record(kSrv, srv_data(priority, 0, port, dns_name(target)));
}

std::vector<std::string> places(const Places& groups) {
  std::vector<std::string> text;
  for (const Place& group : groups) {
    for (const Tcp::endpoint& endpoint : group.endpoints) {
      text.push_back(endpoint.address().to_string() + ":" + std::to_string(endpoint.port()));
    }
  }
  return text;
}

TEST(ResolverTest, SrvComesFirst) {  // MTQP-2-03, MTQP-2-04, SRV-02, SRV-04, SRV-05
  DnsPeer peer(with_srv({srv(20, 2039, "b.test"), srv(10, 2038, "a.test")}));
  DnsResolver resolver = resolver_for(peer);
  const auto groups = run(resolver.resolve_targets("mx.test", std::nullopt));
  ASSERT_TRUE(groups) << groups.error();
  ASSERT_EQ(groups->size(), 2U);  // the second only if the first cannot be reached
  EXPECT_EQ(groups->front().host, "a.test");
  EXPECT_THAT(places(*groups), ElementsAre("192.0.2.1:2038", "192.0.2.1:2039"));
  EXPECT_EQ(peer.asked().front(), "SRV _mtqp._tcp.mx.test");
  EXPECT_THAT(peer.asked(), testing::Contains("A a.test"));
  EXPECT_THAT(peer.asked(), testing::Contains("AAAA b.test"));
}

TEST(ResolverTest, AddressRecordsWhereThereIsNoSrv) {  // MTQP-2-05: never MX
  DnsPeer peer(addresses);
  DnsResolver resolver = resolver_for(peer);
  const auto groups = run(resolver.resolve_targets("mx.test", std::nullopt));
  ASSERT_TRUE(groups) << groups.error();
  EXPECT_THAT(places(*groups), ElementsAre("192.0.2.1:1038"));
  EXPECT_THAT(peer.asked(),
              UnorderedElementsAre("SRV _mtqp._tcp.mx.test", "A mx.test", "AAAA mx.test"));
}

TEST(ResolverTest, APortMeansNoSrv) {
  DnsPeer peer(with_srv({srv(0, 2038, "a.test")}));
  DnsResolver resolver = resolver_for(peer);
  const auto endpoints = run(resolver.resolve("mx.test", 25));
  ASSERT_TRUE(endpoints) << endpoints.error();
  EXPECT_THAT(places({{"mx.test", *endpoints}}), ElementsAre("192.0.2.1:25"));
}

TEST(ResolverTest, RootTargetMeansNotOffered) {  // SRV-01
  DnsPeer peer(with_srv({dns_record(kSrv, srv_data(0, 0, 0, dns_name("")))}));
  DnsResolver resolver = resolver_for(peer);
  const auto groups = run(resolver.resolve_targets("mx.test", std::nullopt));
  ASSERT_FALSE(groups);
  EXPECT_THAT(groups.error(), HasSubstr("does not offer"));
  EXPECT_THAT(peer.asked(), ElementsAre("SRV _mtqp._tcp.mx.test"));  // no address was asked for
}

TEST(ResolverTest, ServfailIsNotNoSrv) {  // SRV-07
  DnsPeer peer([](const DnsQuestion& question) {
    return question.type == kSrv ? dns_answer(question, kServfail, {}) : addresses(question);
  });
  DnsResolver resolver = resolver_for(peer);
  EXPECT_FALSE(run(resolver.resolve_targets("mx.test", std::nullopt)));
  EXPECT_THAT(peer.asked(), testing::Not(testing::Contains("A mx.test")));
}

TEST(ResolverTest, SilenceEndsInTime) {  // SRV-07, MTQP-2.5-05
  DnsPeer peer([](const DnsQuestion&) { return std::nullopt; });
  DnsOptions options = ask(peer);
  options.limit = std::chrono::milliseconds(200);
  DnsResolver resolver({}, options);
  const auto begin = Clock::now();
  const auto groups = run(resolver.resolve_targets("mx.test", std::nullopt));
  ASSERT_FALSE(groups);
  EXPECT_THAT(groups.error(), HasSubstr("no answer in time"));
  EXPECT_LT(Clock::now() - begin, std::chrono::seconds(5));
}

// The names of servers are complete: the search list of this host, which c-ares also takes from
// this variable and from the host's own name, never adds to them.
TEST(ResolverTest, TheSearchListIsForNamesWithoutADot) {
  ::setenv("LOCALDOMAIN", "elsewhere.test", 1);
  DnsPeer peer([](const DnsQuestion& question) -> std::optional<std::string> {
    const bool added = question.name.find("elsewhere.test") != std::string::npos;
    return added && question.type != kSrv ? addresses(question)
                                          : dns_answer(question, kNxdomain, {});
  });
  DnsResolver resolver = resolver_for(peer);
  const auto complete = run(resolver.resolve_targets("mx.test", std::nullopt));
  EXPECT_FALSE(complete);
  const auto short_name = run(resolver.resolve_targets("mx", std::nullopt));
  ::unsetenv("LOCALDOMAIN");
  EXPECT_TRUE(short_name) << short_name.error();
}

TEST(ResolverTest, ATargetWithoutAddressIsSkipped) {
  DnsPeer peer([](const DnsQuestion& question) -> std::optional<std::string> {
    if (question.type == kSrv) {
      return dns_answer(question, 0, {srv(0, 1, "gone.test"), srv(1, 2, "here.test")});
    }
    return question.name == "gone.test" ? dns_answer(question, kNxdomain, {}) : addresses(question);
  });
  DnsResolver resolver = resolver_for(peer);
  const auto found = run(resolver.discover("mx.test", std::nullopt));
  ASSERT_TRUE(found) << found.error();
  ASSERT_EQ(found->targets.size(), 2U);
  EXPECT_THAT(found->targets[0].trouble, HasSubstr("no address"));
  const auto groups = run(resolver.resolve_targets("mx.test", std::nullopt));
  ASSERT_TRUE(groups);
  EXPECT_THAT(places(*groups), ElementsAre("192.0.2.1:2"));
}

TEST(ResolverTest, HostileSrvAnswersAreBounded) {  // THR-X3
  std::vector<std::string> many;
  for (unsigned i = 0; i < 10; ++i) {  // of 512 octets at most, what UDP takes
    many.push_back(srv(i, 1000 + i, "t" + std::to_string(i) + ".test"));
  }
  DnsPeer peer(with_srv(many));
  DnsResolver resolver = resolver_for(peer);
  const auto found = run(resolver.discover("mx.test", std::nullopt));
  ASSERT_TRUE(found) << found.error();
  EXPECT_EQ(found->targets.size(), DnsResolver::kMaxTargets);

  const std::string bad_targets[] = {
      dns_name("with space.test"),
      dns_name("line\r\nQUIT.test"),
      dns_name("\xff.test"),
      std::string("\x03") + std::string("a\0b", 3) + std::string(1, '\0'),
      std::string("\x05"
                  "a.b.c"
                  "\x04"
                  "test",
                  11) +
          std::string(1, '\0'),  // dots in a label
  };
  for (const std::string& target : bad_targets) {
    DnsPeer hostile(with_srv({dns_record(kSrv, srv_data(0, 0, 1, target))}));
    DnsResolver wary = resolver_for(hostile);
    EXPECT_FALSE(run(wary.resolve_targets("mx.test", std::nullopt))) << target;
    EXPECT_THAT(hostile.asked(), ElementsAre("SRV _mtqp._tcp.mx.test"));
  }
}

TEST(ResolverTest, MalformedAnswersAreErrorsNotAbsence) {  // THR-X3
  const std::function<std::string(const DnsQuestion&)> answers[] = {
      // a name that points to itself
      [](const DnsQuestion& q) {
        const std::string loop =
            test::be16(0xc000U | static_cast<unsigned>(12 + dns_name(q.name).size() + 4 + 12 + 6));
        return dns_answer(q, 0, {dns_record(kSrv, srv_data(0, 0, 1, loop))});
      },
      [](const DnsQuestion& q) { return dns_answer(q, 0, {srv(0, 1, "a.test")}, 1000); },
      [](const DnsQuestion& q) { return dns_answer(q, 0, {dns_record(kSrv, "x")}); },
      [](const DnsQuestion& q) { return dns_answer(q, 0, {"\xc0"}); },
  };
  for (const auto& answer : answers) {
    DnsPeer peer([&](const DnsQuestion& question) { return answer(question); });
    DnsOptions options = ask(peer);
    options.limit = std::chrono::seconds(1);
    DnsResolver resolver({}, options);
    EXPECT_FALSE(run(resolver.resolve_targets("mx.test", std::nullopt)));
  }
}

TEST(ResolverTest, AddressesAndFixedNamesNeedNoDns) {
  DnsPeer peer(addresses);
  DnsResolver resolver =
      resolver_for(peer, {{"fixed.test", {asio::ip::make_address("127.0.0.9"), 99}}});
  EXPECT_THAT(places(*run(resolver.resolve_targets("127.0.0.1", std::nullopt))),
              ElementsAre("127.0.0.1:1038"));
  EXPECT_THAT(places(*run(resolver.resolve_targets("::1", 7))), ElementsAre("::1:7"));
  EXPECT_THAT(places(*run(resolver.resolve_targets("FIXED.test", 7))), ElementsAre("127.0.0.9:99"));
  EXPECT_FALSE(run(resolver.resolve_targets("a b", std::nullopt)));
  EXPECT_TRUE(peer.asked().empty());
}

TEST(ResolverTest, FamiliesTakeTurns) {  // RFC 8305 §4
  DnsPeer peer([](const DnsQuestion& question) -> std::optional<std::string> {
    if (question.type == kA) {
      return dns_answer(question, 0,
                        {dns_record(kA, std::string("\x7f\0\0\x01", 4)),
                         dns_record(kA, std::string("\x7f\0\0\x02", 4))});
    }
    std::string v6(16, '\0');
    v6[15] = 1;
    return dns_answer(question, 0, {dns_record(kAaaa, v6)});
  });
  const DnsClient client(ask(peer));
  const auto found = run(client.addresses("mx.test"));
  ASSERT_TRUE(found) << found.error();
  ASSERT_EQ(found->size(), 3U);
  EXPECT_NE((*found)[0].is_v6(), (*found)[1].is_v6());
}

TEST(DnsClientTest, ReadsMx) {
  DnsPeer peer([](const DnsQuestion& question) {
    return dns_answer(question, 0,
                      {dns_record(kMx, test::be16(20) + dns_name("b.test")),
                       dns_record(kMx, test::be16(10) + dns_name("a.test"))});
  });
  const auto records = run(DnsClient(ask(peer)).mx("example.test"));
  ASSERT_TRUE(records) << records.error();
  ASSERT_EQ(records->size(), 2U);
  EXPECT_EQ((*records)[0].preference, 20);
  EXPECT_EQ((*records)[1].host, "a.test");
}

TEST(DnsClientTest, ACancelledLookUpEndsAtOnce) {
  DnsPeer peer([](const DnsQuestion&) { return std::nullopt; });
  const DnsClient client(ask(peer));
  asio::io_context io(1);
  asio::cancellation_signal signal;
  bool ended = false;
  asio::co_spawn(
      io, client.srv("mx.test"),
      asio::bind_cancellation_slot(
          signal.slot(), [&](std::exception_ptr, const DnsResult<SrvRecord>&) { ended = true; }));
  Timer timer(io.get_executor(), std::chrono::milliseconds(20));
  timer.async_wait([&](const error_code&) { signal.emit(asio::cancellation_type::terminal); });
  const auto begin = Clock::now();
  io.run();
  EXPECT_TRUE(ended);
  EXPECT_LT(Clock::now() - begin, std::chrono::seconds(2));
}

TEST(DnsServersTest, AreAddresses) {
  for (const char* good : {"127.0.0.1", "127.0.0.1:53", "[::1]:53,192.0.2.1"}) {
    EXPECT_EQ(check_dns_servers(good), "") << good;
  }
  for (const char* bad : {"", "dns.example", "127.0.0.1,", "127.0.0.1:0"}) {
    EXPECT_NE(check_dns_servers(bad), "") << bad;
  }
}

TEST(HostNameTest, IsWhatMayBeLookedUp) {
  for (const char* good : {"a", "mx1.a-b.test", "_srv.x"}) {
    EXPECT_TRUE(is_host_name(good)) << good;
  }
  for (const std::string& bad :
       {std::string(), std::string("."), std::string("a..b"), std::string("a."), std::string("a b"),
        std::string("a\\032b"), std::string(64, 'a'), std::string("a\0b", 3)}) {
    EXPECT_FALSE(is_host_name(bad)) << bad;
  }
}

}  // namespace
}  // namespace mtrk::net
