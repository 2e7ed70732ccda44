#include "common/config/network.h"

#include <gtest/gtest.h>

#include <string>

namespace mtrk {
namespace {

Network network(std::string_view text) {
  return parse_network(text).value();
}

TEST(NetworkTest, HoldsItsAddresses) {
  const struct {
    const char* network;
    const char* inside;
    const char* outside;
  } rows[] = {
      {"192.0.2.0/24", "192.0.2.255", "192.0.3.0"},
      {"192.0.2.128/25", "192.0.2.128", "192.0.2.127"},
      {"192.0.2.1", "192.0.2.1", "192.0.2.2"},
      {"0.0.0.0/0", "255.255.255.255", "::1"},
      {"127.0.0.0/8", "127.1.2.3", "::7f00:1"},
      {"2001:db8::/32", "2001:db8:ffff::1", "2001:db9::"},
      {"2001:db8::/33", "2001:db8:7fff::1", "2001:db8:8000::"},
      {"::1", "::1", "::2"},
      {"::/0", "192.0.2.1", nullptr},
      {"::ffff:192.0.2.0/120", "192.0.2.9", "192.0.3.9"},
  };
  for (const auto& row : rows) {
    EXPECT_TRUE(network(row.network).contains(network(row.inside).address)) << row.network;
    if (row.outside != nullptr) {
      EXPECT_FALSE(network(row.network).contains(network(row.outside).address)) << row.network;
    }
  }
}

TEST(NetworkTest, RefusesWhatIsNone) {
  for (const char* text : {"", "/", "/8", "192.0.2", "192.0.2.0/", "192.0.2.0/33", "192.0.2.0/-1",
                           "192.0.2.0/+8", "192.0.2.0/8/8", "mx.example", "2001:db8::/129", "[::1]",
                           " 192.0.2.1", "192.0.2.1 ", "fe80::1%eth0"}) {
    EXPECT_FALSE(parse_network(text)) << text;
  }
  EXPECT_FALSE(parse_network(std::string("192.0.2.1\0", 10)));
}

TEST(NetworkTest, RefusesBitsBehindTheLength) {
  EXPECT_FALSE(parse_network("192.0.2.1/24"));
  EXPECT_FALSE(parse_network("2001:db8::1/64"));
  EXPECT_TRUE(parse_network("192.0.2.1/32"));
}

}  // namespace
}  // namespace mtrk
