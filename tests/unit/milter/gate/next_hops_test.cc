#include "milter/gate/next_hops.h"

#include <gtest/gtest.h>

namespace mtrk::gate {
namespace {

using boost::asio::ip::make_address;

TEST(GateNextHopsTest, ThisHostIsItsInterfacesAndWhatTheConfigurationSays) {
  const std::vector<Network> own{*parse_network("127.0.0.0/8"), *parse_network("2001:db8::/32")};
  const std::vector<net::asio::ip::address> interfaces{make_address("192.0.2.25"),
                                                       make_address("2001:db9::1")};
  for (const char* address :
       {"127.0.0.1", "127.8.9.10", "::ffff:127.0.0.1", "2001:db8::7", "192.0.2.25",
        "::ffff:192.0.2.25", "2001:db9::1", "0.0.0.0", "::", "224.0.0.1", "ff02::1"}) {
    EXPECT_TRUE(is_own_address(make_address(address), own, interfaces)) << address;
  }
  for (const char* address : {"192.0.2.26", "128.0.0.1", "2001:db9::2", "::1"}) {
    EXPECT_FALSE(is_own_address(make_address(address), own, interfaces)) << address;
  }
  EXPECT_FALSE(is_own_address(make_address("192.0.2.26"), {}, {}));
}

TEST(GateNextHopsTest, TheCertificateNamesTheDomainOrAnMxWithinIt) {
  EXPECT_EQ(certificate_name("mx.r.example", "r.example"), "mx.r.example");
  EXPECT_EQ(certificate_name("MX.R.example", "r.example"), "MX.R.example");
  EXPECT_EQ(certificate_name("r.example", "r.example"), "r.example");
  EXPECT_EQ(certificate_name("mx.other.example", "r.example"), "r.example");
  EXPECT_EQ(certificate_name("evilr.example", "r.example"), "r.example");
  EXPECT_EQ(certificate_name("", "[192.0.2.1]"), "[192.0.2.1]");  // never nothing: that is any name
}

}  // namespace
}  // namespace mtrk::gate
