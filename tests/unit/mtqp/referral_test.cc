#include "common/mtqp/referral.h"

#include <gtest/gtest.h>

namespace mtrk::mtqp {
namespace {

TEST(ReferralTest, HostsAndAddressesCanBeAsked) {  // DSNX-9-02
  EXPECT_EQ(host_of_mta({"dns", "mx.example.net"}), "mx.example.net");
  EXPECT_EQ(host_of_mta({"DNS", "[192.0.2.1]"}), "192.0.2.1");
  EXPECT_EQ(host_of_mta({"dns", "[IPv6:2001:db8::1]"}), "2001:db8::1");
}

TEST(ReferralTest, OtherNamesCannot) {
  for (const MtaName& name : {MtaName{"x-local-hostname", "mx.example.net"},
                              {"dns", ""},
                              {"dns", "mx.example.net:25"},
                              {"dns", "a b"},
                              {"dns", "a/b"},
                              {"dns", "[mx.example.net]"},
                              {"dns", "a\r\nQUIT"}}) {
    EXPECT_EQ(host_of_mta(name), std::nullopt) << name.name;
  }
}

}  // namespace
}  // namespace mtrk::mtqp
