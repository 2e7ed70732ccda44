#include "common/maillog/relay.h"

#include <gtest/gtest.h>

namespace mtrk::maillog {
namespace {

TEST(RelayTest, IsTakenApart) {
  struct Case {
    std::string_view relay, host, address, port, remote_mta;
    bool loopback;
  };
  const Case cases[] = {
      {"none", "none", "", "", "", false},
      {"local", "local", "", "", "", false},
      {"maildrop", "maildrop", "", "", "", false},
      {"mx1.partner.example.net[192.0.2.25]:25", "mx1.partner.example.net", "192.0.2.25", "25",
       "mx1.partner.example.net", false},
      {"mx.six.example.net[2001:db8::25]:25", "mx.six.example.net", "2001:db8::25", "25",
       "mx.six.example.net", false},
      {"127.0.0.1[127.0.0.1]:10125", "127.0.0.1", "127.0.0.1", "10125", "[127.0.0.1]", true},
      {"::1[::1]:25", "::1", "::1", "25", "[IPv6:::1]", true},
      {"2001:db8::25[2001:db8::25]:25", "2001:db8::25", "2001:db8::25", "25", "[IPv6:2001:db8::25]",
       false},
      {"localhost[127.0.0.1]:10024", "localhost", "127.0.0.1", "10024", "localhost", true},
      {"mx.example.test[/var/spool/lmtp.sock]", "mx.example.test", "/var/spool/lmtp.sock", "", "",
       false},
      {"mx.example.test[private/a]b]", "mx.example.test", "private/a]b", "", "", false},
      {"", "", "", "", "", false},
      {"[", "[", "", "", "", false},
      {"][", "][", "", "", "", false},
  };
  for (const Case& test : cases) {
    SCOPED_TRACE(test.relay);
    const Relay relay = parse_relay(test.relay);
    EXPECT_EQ(relay.host, test.host);
    EXPECT_EQ(relay.address, test.address);
    EXPECT_EQ(relay.port, test.port);
    EXPECT_EQ(is_loopback(relay), test.loopback);
    const std::optional<MtaName> remote = remote_mta(relay);
    EXPECT_EQ(remote ? remote->name : "", test.remote_mta);
    EXPECT_TRUE(!remote || remote->type == "dns");
  }
}

TEST(RelayTest, LoopbackIsANetworkAndNotAPrefix) {
  EXPECT_TRUE(is_loopback_address("127.0.0.1"));
  EXPECT_TRUE(is_loopback_address("127.9.9.9"));
  EXPECT_TRUE(is_loopback_address("::1"));
  EXPECT_TRUE(is_loopback_address("IPv6:::1"));
  EXPECT_TRUE(is_loopback_address("::ffff:127.0.0.1"));
  EXPECT_FALSE(is_loopback_address("127.0.0.1.evil.example"));
  EXPECT_FALSE(is_loopback_address("192.0.2.127"));
  EXPECT_FALSE(is_loopback_address("::11"));
  EXPECT_FALSE(is_loopback_address(""));
}

}  // namespace
}  // namespace mtrk::maillog
