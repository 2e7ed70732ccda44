#include "mtqpd/address_limiter.h"

#include <gtest/gtest.h>

#include <utility>

namespace mtrk::mtqpd {
namespace {

net::asio::ip::address address(const char* text) {
  return net::asio::ip::make_address(text);
}

TEST(AddressLimiterTest, CountsIpv4ByAddressAndIpv6ByNetwork) {  // D5
  EXPECT_NE(source_network(address("192.0.2.1")), source_network(address("192.0.2.2")));
  EXPECT_EQ(source_network(address("192.0.2.1")), source_network(address("::ffff:192.0.2.1")));
  EXPECT_EQ(source_network(address("2001:db8::1")), source_network(address("2001:db8::2:3:4:5")));
  EXPECT_NE(source_network(address("2001:db8::1")), source_network(address("2001:db8:0:1::1")));
}

TEST(AddressLimiterTest, LimitsEachSource) {
  AddressLimiter limiter;
  AddressLimiter::Place first = limiter.enter(address("192.0.2.1"), 10, 1);
  EXPECT_TRUE(first);
  EXPECT_FALSE(limiter.enter(address("192.0.2.1"), 10, 1));
  EXPECT_TRUE(limiter.enter(address("192.0.2.2"), 10, 1));
  first = AddressLimiter::Place();
  EXPECT_TRUE(limiter.enter(address("192.0.2.1"), 10, 1));
}

TEST(AddressLimiterTest, LimitsAllTogether) {
  AddressLimiter limiter;
  const AddressLimiter::Place one = limiter.enter(address("192.0.2.1"), 2, 10);
  AddressLimiter::Place two = limiter.enter(address("192.0.2.2"), 2, 10);
  EXPECT_FALSE(limiter.enter(address("192.0.2.3"), 2, 10));
  const AddressLimiter::Place moved = std::move(two);
  EXPECT_TRUE(moved);
  EXPECT_EQ(limiter.connections(), 2U);
}

TEST(AddressLimiterTest, ForgetsSourcesThatLeft) {  // D12
  AddressLimiter limiter;
  for (int i = 0; i < 1000; ++i) {
    EXPECT_TRUE(limiter.enter(address("192.0.2.1"), 1, 1));
  }
  EXPECT_EQ(limiter.connections(), 0U);
}

TEST(AddressLimiterTest, ZeroAdmitsNobody) {
  AddressLimiter limiter;
  EXPECT_FALSE(limiter.enter(address("192.0.2.1"), 1, 0));
  EXPECT_EQ(limiter.connections(), 0U);
}

}  // namespace
}  // namespace mtrk::mtqpd
