#include "mtqpd/server/address_limiter.h"

#include "common/net/source_network.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

namespace mtrk::mtqpd {
namespace {

using std::chrono::seconds;
using Refusal = AddressLimiter::Refusal;
using Place = AddressLimiter::Place;

net::asio::ip::address address(const std::string& text) {
  return net::asio::ip::make_address(text);
}

class AddressLimiterTest : public ::testing::Test {
 protected:
  Place enter(const std::string& from) { return limiter_.enter(address(from), limits_, now_); }
  // A connection that ends badly, `times` over.
  void offend(const std::string& from, int times) {
    for (int i = 0; i < times; ++i) {
      Place place = enter(from);
      ASSERT_TRUE(place);
      place.offend(now_);
    }
  }

  AddressLimits limits_{10, 5, 30, {}};
  AddressLimiter limiter_;
  AddressLimiter::TimePoint now_ = net::Clock::now();
};

TEST_F(AddressLimiterTest, CountsIpv4ByAddressAndIpv6ByNetwork) {  // THR-D5
  EXPECT_NE(net::source_network(address("192.0.2.1")), net::source_network(address("192.0.2.2")));
  EXPECT_EQ(net::source_network(address("192.0.2.1")),
            net::source_network(address("::ffff:192.0.2.1")));
  EXPECT_EQ(net::source_network(address("2001:db8::1")),
            net::source_network(address("2001:db8::2:3:4:5")));
  EXPECT_NE(net::source_network(address("2001:db8::1")),
            net::source_network(address("2001:db8:0:1::1")));
}

TEST_F(AddressLimiterTest, LimitsEachSource) {  // THR-D5
  limits_.connections_per_source = 1;
  Place first = enter("192.0.2.1");
  EXPECT_TRUE(first);
  EXPECT_EQ(enter("192.0.2.1").refusal(), Refusal::source_full);
  EXPECT_TRUE(enter("192.0.2.2"));
  first = Place();
  EXPECT_TRUE(enter("192.0.2.1"));
  limits_.connections_per_source = 0;
  EXPECT_FALSE(enter("192.0.2.3"));
}

TEST_F(AddressLimiterTest, LimitsAllTogether) {  // THR-D5
  limits_.connections = 2;
  const Place one = enter("192.0.2.1");
  Place two = enter("192.0.2.2");
  EXPECT_EQ(enter("192.0.2.3").refusal(), Refusal::full);
  const Place moved = std::move(two);
  EXPECT_TRUE(moved);
  EXPECT_EQ(limiter_.connections(), 2U);
}

TEST_F(AddressLimiterTest, TrustedNetworksAreInTheTotalOnly) {  // THR-D5
  limits_ = {
      3, 1, 1, {parse_network("192.0.2.0/24").value(), parse_network("2001:db8::/32").value()}};
  std::vector<Place> places;
  for (const char* from : {"192.0.2.1", "::ffff:192.0.2.1", "2001:db8::1"}) {
    places.push_back(enter(from));
    ASSERT_TRUE(places.back());
  }
  EXPECT_EQ(enter("192.0.2.1").refusal(), Refusal::full);
  for (int i = 0; i < 100; ++i) {
    places.front().miss(limits_.misses_per_minute, now_);
    places.front().offend(now_);
  }
  EXPECT_TRUE(places.front().may_ask_at(limits_.misses_per_minute, now_));
  places.clear();
  EXPECT_TRUE(enter("192.0.2.1"));
}

TEST_F(AddressLimiterTest, ForgetsSourcesThatLeft) {  // THR-D12
  for (int i = 0; i < 1000; ++i) {
    EXPECT_TRUE(enter("192.0.2.1"));
  }
  EXPECT_EQ(limiter_.connections(), 0U);
  EXPECT_EQ(limiter_.sources(), 0U);
}

TEST_F(AddressLimiterTest, RemembersABoundedNumberOfOffenders) {  // THR-D12
  const std::size_t many = AddressLimiter::kRemembered + 1000;
  for (std::size_t i = 0; i < many; ++i) {
    const auto bits = static_cast<std::uint32_t>(0x0a000000 + i);
    Place place = limiter_.enter(net::asio::ip::address_v4(bits), limits_, now_);
    ASSERT_TRUE(place);
    place.offend(now_);
  }
  EXPECT_EQ(limiter_.sources(), AddressLimiter::kRemembered);
  offend("10.0.0.1", 1);  // the longest gone had been forgotten, and makes others go
  EXPECT_EQ(limiter_.sources(), AddressLimiter::kRemembered);
}

TEST_F(AddressLimiterTest, OffendersWait) {
  offend("192.0.2.1", 6);
  EXPECT_TRUE(enter("192.0.2.1"));  // a minute is tolerated
  offend("192.0.2.1", 1);
  EXPECT_EQ(enter("192.0.2.1").refusal(), Refusal::penalty);
  EXPECT_TRUE(enter("192.0.2.2"));
  now_ += seconds(9);
  EXPECT_FALSE(enter("192.0.2.1"));
  now_ += seconds(1);
  EXPECT_TRUE(enter("192.0.2.1"));
}

TEST_F(AddressLimiterTest, NobodyWaitsForever) {
  Place place = enter("192.0.2.1");
  for (int i = 0; i < 10000; ++i) {
    place.offend(now_);
  }
  EXPECT_FALSE(enter("192.0.2.1"));
  now_ += AddressLimiter::kMostPenalty - AddressLimiter::kTolerated;
  EXPECT_TRUE(enter("192.0.2.1"));
}

TEST_F(AddressLimiterTest, RefusesAfterTooManyMisses) {  // THR-O3
  Place place = enter("192.0.2.1");
  EXPECT_TRUE(place.may_ask(30));
  for (int i = 0; i < 30; ++i) {
    EXPECT_TRUE(place.may_ask_at(30, now_)) << i;
    place.miss(30, now_);
  }
  EXPECT_FALSE(place.may_ask_at(30, now_));
  // Another connection of the same source, later too; not another source.
  EXPECT_FALSE(enter("192.0.2.1").may_ask_at(30, now_));
  EXPECT_TRUE(enter("192.0.2.2").may_ask_at(30, now_));
  place = Place();
  EXPECT_FALSE(enter("192.0.2.1").may_ask_at(30, now_));
  // One more every two seconds.
  now_ += seconds(2);
  Place later = enter("192.0.2.1");
  EXPECT_TRUE(later.may_ask_at(30, now_));
  later.miss(30, now_);
  EXPECT_FALSE(later.may_ask_at(30, now_));
}

TEST_F(AddressLimiterTest, ZeroIsNoLimitOfMisses) {
  Place place = enter("192.0.2.1");
  for (int i = 0; i < 1000; ++i) {
    place.miss(0, now_);
  }
  EXPECT_TRUE(place.may_ask(0));
}

TEST_F(AddressLimiterTest, LimitsHandshakes) {  // THR-D8
  limits_ = {10000, 10, 0, {}};
  Place place = enter("192.0.2.1");
  std::vector<AddressLimiter::Handshake> under_way;
  for (int i = 0; i < 1000; ++i) {
    under_way.push_back(place.begin_handshake(limits_));
    ASSERT_TRUE(under_way.back());
  }
  EXPECT_FALSE(place.begin_handshake(limits_));
  under_way.pop_back();
  EXPECT_TRUE(place.begin_handshake(limits_));
  under_way.clear();
  limits_.connections = 1;
  for (int i = 0; i < 64; ++i) {
    under_way.push_back(place.begin_handshake(limits_));
    EXPECT_TRUE(under_way.back());
  }
  EXPECT_FALSE(place.begin_handshake(limits_));
}

}  // namespace
}  // namespace mtrk::mtqpd
