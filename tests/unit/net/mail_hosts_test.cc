#include "common/net/mail_hosts.h"

#include "tests/support/dns_peer.h"

#include <boost/asio/co_spawn.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <optional>
#include <string>

namespace mtrk::net {
namespace {

using test::be16;
using test::dns_answer;
using test::dns_name;
using test::dns_record;
using test::DnsPeer;
using test::DnsQuestion;
using testing::ElementsAre;
using testing::HasSubstr;

constexpr std::uint16_t kA = 1;
constexpr std::uint16_t kMx = 15;
constexpr unsigned kServfail = 2;
constexpr unsigned kNxdomain = 3;

std::string mx(unsigned preference, const std::string& host) {
  return dns_record(kMx, be16(preference) + dns_name(host));
}
std::string address(char last) {
  return dns_record(kA, std::string("\xc0\0\x02", 3) + last);
}

// Answers by "MX name" and "A name"; what is not in `records` does not exist.
using Zone = std::map<std::string, std::vector<std::string>>;
DnsPeer::Script serve(Zone zone, std::string fails = "") {
  return [zone = std::move(zone), fails = std::move(fails)](const DnsQuestion& question) {
    const std::string type = question.type == kMx ? "MX " : question.type == kA ? "A " : "other ";
    if (!fails.empty() && type + question.name == fails) {
      return std::optional(dns_answer(question, kServfail, {}));
    }
    const auto found = zone.find(type + question.name);
    const bool name_exists = zone.contains("A " + question.name);
    return std::optional(found != zone.end()
                             ? dns_answer(question, 0, found->second)
                             : dns_answer(question, name_exists ? 0 : kNxdomain, {}));
  };
}

const OwnNames kOwn{"MX.own.test", [](const asio::ip::address& one) {
                      return one == asio::ip::make_address("192.0.2.99");
                    }};

// "host:address,address …", or the code of the failure.
std::string find(const DnsPeer& peer, const std::string& domain, RandomNumber random = nullptr) {
  DnsOptions options;
  options.servers = peer.address();
  options.limit = std::chrono::seconds(3);
  const DnsClient dns(options);
  if (!random) {
    random = [](std::uint32_t most) { return most; };  // no change of order
  }
  asio::io_context io(1);
  std::string text;
  asio::co_spawn(io, find_mail_hosts(dns, domain, kOwn, random),
                 [&](const std::exception_ptr& error, const auto& hosts) {
                   ASSERT_FALSE(error);
                   if (!hosts) {
                     text = hosts.error().code;
                     return;
                   }
                   for (const MailHost& host : *hosts) {
                     text += (text.empty() ? "" : " ") + host.name;
                     for (const asio::ip::address& one : host.addresses) {
                       text += "," + one.to_string();
                     }
                   }
                 });
  io.run();
  return text;
}

// RFC 5321 §5.1
TEST(MailHostsTest, AreTriedByPreference) {
  const DnsPeer peer(serve({{"MX r.test", {mx(20, "b.test"), mx(10, "a.test"), mx(30, "c.test")}},
                            {"A a.test", {address(1), address(2)}},
                            {"A b.test", {address(3)}}}));
  EXPECT_EQ(find(peer, "r.test"), "a.test,192.0.2.1,192.0.2.2 b.test,192.0.2.3");
}

TEST(MailHostsTest, EqualOnesAreShuffled) {
  std::vector<MxRecord> records{{10, "a"}, {10, "b"}, {5, "c"}, {10, "d"}};
  order_mx(records, [](std::uint32_t) { return 0U; });
  ASSERT_EQ(records.size(), 4U);
  EXPECT_EQ(records.front().host, "c");
  std::map<std::string, int> first;
  std::uint32_t state = 1;
  for (int i = 0; i < 3000; ++i) {
    order_mx(records, [&](std::uint32_t most) {
      state = state * 1664525 + 1013904223;
      return (state >> 16U) % (most + 1);
    });
    ++first[records[1].host];
  }
  for (const char* host : {"a", "b", "d"}) {
    EXPECT_NEAR(first[host], 1000, 150) << host;
  }
}

TEST(MailHostsTest, WithoutMxTheDomainItself) {
  const DnsPeer peer(serve({{"A r.test", {address(1)}}}));
  EXPECT_EQ(find(peer, "r.test"), "r.test,192.0.2.1");
  EXPECT_EQ(find(peer, "absent.test"), "550 5.1.2");
}

TEST(MailHostsTest, NullMxTakesNoMail) {  // RFC 7505
  const DnsPeer peer(serve({{"MX r.test", {mx(0, "")}},
                            {"A r.test", {address(1)}},
                            {"MX odd.test", {mx(0, ""), mx(10, "a.test")}},
                            {"A a.test", {address(2)}}}));
  EXPECT_EQ(find(peer, "r.test"), "556 5.1.10");
  EXPECT_EQ(find(peer, "odd.test"), "a.test,192.0.2.2");
}

TEST(MailHostsTest, NotThisHostNorWhoIsNotPreferredToIt) {
  const DnsPeer peer(
      serve({{"MX name.test", {mx(5, "a.test"), mx(10, "mx.OWN.test"), mx(10, "b.test")}},
             {"MX address.test", {mx(5, "a.test"), mx(10, "alias.test"), mx(20, "b.test")}},
             {"MX only.test", {mx(10, "alias.test"), mx(20, "a.test")}},
             {"A a.test", {address(1)}},
             {"A b.test", {address(2)}},
             {"A alias.test", {address(99)}}}));
  EXPECT_EQ(find(peer, "name.test"), "a.test,192.0.2.1");
  EXPECT_EQ(find(peer, "address.test"), "a.test,192.0.2.1");
  EXPECT_EQ(find(peer, "only.test"), "554 5.4.6");
  EXPECT_EQ(find(peer, "mx.own.test"), "554 5.4.6");
  EXPECT_EQ(find(peer, "alias.test"), "554 5.4.6");
}

TEST(MailHostsTest, WhatNobodyKnowsIsForLater) {
  const Zone zone{{"MX r.test", {mx(10, "a.test")}}, {"A a.test", {address(1)}}};
  const DnsPeer no_mx(serve(zone, "MX r.test"));
  EXPECT_EQ(find(no_mx, "r.test"), "451 4.4.3");
  const DnsPeer no_address(serve(zone, "A a.test"));
  EXPECT_EQ(find(no_address, "r.test"), "451 4.4.3");
  // A referral to other servers, by one that does not ask them itself.
  const DnsPeer referral([](const DnsQuestion& question) {
    std::string packet = dns_answer(question, 0, {});
    packet[2] = '\x80';
    packet[3] = '\0';
    return std::optional(packet);
  });
  EXPECT_EQ(find(referral, "r.test"), "451 4.4.3");
  const DnsPeer silent([](const DnsQuestion&) { return std::nullopt; });
  EXPECT_EQ(find(silent, "r.test"), "451 4.4.3");
}

TEST(MailHostsTest, AddressLiterals) {
  const DnsPeer peer(serve({}));
  EXPECT_EQ(find(peer, "[192.0.2.1]"), ",192.0.2.1");
  EXPECT_EQ(find(peer, "[IPv6:2001:db8::1]"), ",2001:db8::1");
  EXPECT_EQ(find(peer, "[192.0.2.99]"), "554 5.4.6");
  for (const char* bad : {"[192.0.2.1", "[]", "[2001:db8::1]", "[IPv6:192.0.2.1]", "[192.0.2]",
                          "[IPv6:fe80::1%lo]", "[x]", "[ 192.0.2.1]"}) {
    EXPECT_EQ(find(peer, bad), "550 5.1.2") << bad;
  }
  EXPECT_TRUE(peer.asked().empty());
}

TEST(MailHostsTest, NamesThatAreNoneAreNotLookedUp) {
  const DnsPeer peer(serve({}));
  for (const char* bad : {"", ".", "a..b", "a b.test", "a\r\nb.test", "192.0.2.1", "b\xc3\xbc.test",
                          "a.test.", "%00.test", "-.1"}) {
    EXPECT_EQ(find(peer, bad), "550 5.1.2") << bad;
  }
  EXPECT_EQ(find(peer, std::string(254, 'a')), "550 5.1.2");
  EXPECT_TRUE(peer.asked().empty());
}

// THR-X3, for MX
TEST(MailHostsTest, HostileRecordsLeadNowhere) {
  std::vector<std::string> many;
  Zone zone{{"MX odd.test", {mx(0, "a b.test"), mx(0, std::string("x\0y", 3) + ".test")}},
            {"MX number.test", {mx(0, "127.0.0.1"), mx(5, "10.1")}},
            {"MX crlf.test", {mx(0, "a\r\nRCPT.test"), mx(1, "good.test")}},
            {"A good.test", {address(1)}}};
  for (int i = 0; i < 16; ++i) {  // as many as a packet holds
    many.push_back(mx(10, "h" + std::to_string(i) + ".test"));
    zone["A h" + std::to_string(i) + ".test"] = {address(2)};
  }
  zone["MX many.test"] = many;
  const DnsPeer peer(serve(zone));
  EXPECT_EQ(find(peer, "odd.test").substr(0, 1), "4");  // not: "there are none"
  EXPECT_EQ(find(peer, "number.test"), "550 5.4.4");
  EXPECT_EQ(find(peer, "crlf.test"), "good.test,192.0.2.1");
  const std::string found = find(peer, "many.test");
  EXPECT_EQ(std::count(found.begin(), found.end(), ','), static_cast<std::ptrdiff_t>(kMaxMailHosts))
      << found;
}

}  // namespace
}  // namespace mtrk::net
