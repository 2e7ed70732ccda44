#include "mtqpd/chain/guard.h"

#include <boost/asio/co_spawn.hpp>
#include <gtest/gtest.h>

#include <initializer_list>

namespace mtrk::mtqpd {
namespace {

using net::asio::ip::make_address;
using Targets = tl::expected<net::Places, std::string>;

net::Tcp::endpoint at(const char* address, std::uint16_t port = 1038) {
  return {make_address(address), port};
}

ChainPlaces places() {
  ChainPlaces places;
  places.networks = {parse_network("10.1.0.0/16").value(), parse_network("9.9.9.8").value()};
  places.port = 11038;
  places.is_own = [](const net::asio::ip::address& address) {
    return address == make_address("9.9.9.8") || address == make_address("9.9.9.7");
  };
  places.self = at("10.1.0.1");
  return places;
}

TEST(ChainGuardTest, PublicAddressesAndListedNetworks) {  // THR-X1
  EXPECT_TRUE(may_connect(at("9.9.9.9"), places()));
  EXPECT_TRUE(may_connect(at("::ffff:9.9.9.9"), places()));
  EXPECT_TRUE(may_connect(at("10.1.2.3"), places()));
  EXPECT_TRUE(may_connect(at("::ffff:10.1.2.3"), places()));
  for (const char* address : {"127.0.0.1", "10.2.0.1", "169.254.169.254", "::1", "::ffff:127.0.0.1",
                              "64:ff9b::7f00:1", "fe80::1"}) {
    EXPECT_FALSE(may_connect(at(address), places())) << address;
  }
}

TEST(ChainGuardTest, ThisHostOnlyWhereItIsListed) {  // THR-X1: own addresses
  EXPECT_FALSE(may_connect(at("9.9.9.7"), places()));
  EXPECT_FALSE(may_connect(at("::ffff:9.9.9.7"), places()));
  EXPECT_TRUE(may_connect(at("9.9.9.8"), places()));
  EXPECT_FALSE(may_connect(at("10.1.0.1"), places()));  // where the client reached us
  EXPECT_FALSE(may_connect(at("::ffff:10.1.0.1"), places()));
  EXPECT_TRUE(may_connect(at("10.1.0.1", 11038), places()));
}

TEST(ChainGuardTest, NoPortsOfOtherServices) {  // THR-X2
  EXPECT_TRUE(may_connect(at("9.9.9.9", 11038), places()));
  for (const std::uint16_t port : std::initializer_list<std::uint16_t>{0, 22, 25, 6379, 11039}) {
    EXPECT_FALSE(may_connect(at("9.9.9.9", port), places())) << port;
  }
}

TEST(ChainGuardTest, KnowsTheAddressesOfThisHost) {
  EXPECT_TRUE(is_local_address(make_address("127.0.0.1")));
  EXPECT_FALSE(is_local_address(make_address("9.9.9.9")));
}

// The first answer is public, every later one is not.
class Rebinding final : public net::Resolver {
 public:
  net::Awaitable<tl::expected<net::Endpoints, std::string>> resolve(
      std::string, std::optional<std::uint16_t>) override {
    co_return net::Endpoints{at(asked++ == 0 ? "9.9.9.9" : "127.0.0.1"), at("10.2.0.1")};
  }
  int asked = 0;
};

Targets resolve(net::Resolver& resolver) {
  net::asio::io_context io(1);
  std::optional<Targets> result;
  net::asio::co_spawn(io, resolver.resolve_targets("b.test", std::nullopt),
                      [&](std::exception_ptr error, Targets value) {
                        ASSERT_FALSE(error);
                        result = std::move(value);
                      });
  io.run();
  return *result;
}

TEST(ChainGuardTest, WhatIsResolvedIsWhatIsChecked) {  // THR-X1: rebinding
  Rebinding inner;
  const ChainPlaces allowed = places();
  GuardedResolver guarded(inner, allowed);
  const Targets first = resolve(guarded);
  ASSERT_TRUE(first);
  EXPECT_EQ(first->size(), 1U);
  EXPECT_EQ(first->front().endpoints, net::Endpoints{at("9.9.9.9")});
  EXPECT_EQ(inner.asked, 1);
  EXPECT_FALSE(resolve(guarded));
}

}  // namespace
}  // namespace mtrk::mtqpd
