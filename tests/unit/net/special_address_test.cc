#include "common/net/special_address.h"

#include <boost/asio/ip/address.hpp>
#include <gtest/gtest.h>

namespace mtrk::net {
namespace {

TEST(SpecialAddressTest, NothingInsideIsPublic) {  // THR-X1
  for (const char* text : {"127.0.0.1",
                           "0.0.0.0",
                           "10.1.2.3",
                           "172.16.0.1",
                           "172.31.255.255",
                           "192.168.1.1",
                           "169.254.169.254",
                           "100.64.0.1",
                           "224.0.0.1",
                           "255.255.255.255",
                           "198.18.0.1",
                           "192.0.2.1",
                           "::1",
                           "::",
                           "::127.0.0.1",
                           "fe80::1",
                           "fe80::1%1",
                           "fc00::1",
                           "fdff::1",
                           "ff02::1",
                           "::ffff:127.0.0.1",
                           "::ffff:10.0.0.1",
                           "64:ff9b::7f00:1",
                           "64:ff9b:1::1",
                           "2002:7f00:1::1",
                           "2001::1",
                           "2001:db8::1",
                           "100::1",
                           "fec0::1"}) {
    EXPECT_TRUE(is_special(boost::asio::ip::make_address(text))) << text;
  }
}

TEST(SpecialAddressTest, TheRestIs) {
  for (const char* text :
       {"9.9.9.9", "11.0.0.1", "172.15.0.1", "172.32.0.1", "100.128.0.1", "223.255.255.255",
        "192.0.3.1", "2606:4700::1", "2a00::1", "2003::1", "2001:200::1", "::ffff:9.9.9.9"}) {
    EXPECT_FALSE(is_special(boost::asio::ip::make_address(text))) << text;
  }
}

}  // namespace
}  // namespace mtrk::net
