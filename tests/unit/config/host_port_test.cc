#include "common/config/host_port.h"

#include <gtest/gtest.h>

namespace mtrk {
namespace {

TEST(HostPortTest, TakesAddressesAndNames) {
  const struct {
    const char* text;
    const char* host;
    unsigned port;
  } table[] = {
      {"[::]:1038", "::", 1038},
      {"[2001:db8::25]:25", "2001:db8::25", 25},
      {"127.0.0.1:0", "127.0.0.1", 0},
      {"localhost:65535", "localhost", 65535},
      {"mx-1.example.test:25", "mx-1.example.test", 25},
  };
  for (const auto& row : table) {
    const Expected<HostPort> parsed = parse_host_port(row.text);
    ASSERT_TRUE(parsed.has_value()) << row.text << ": " << parsed.error().detail;
    EXPECT_EQ(parsed->host, row.host);
    EXPECT_EQ(parsed->port, row.port);
  }
}

TEST(HostPortTest, RefusesTheRest) {
  for (const char* bad :
       {"",        ":",           "x",      ":1038",         "x:",         "x:65536",
        "x:-1",    "x:1 ",        "x:0x1",  "[::]",          "[::]1038",   "::1:1038",
        "[]:1",    "[:1",         "]:1",    "[127.0.0.1]:1", "[::1%lo]:1", "256.0.0.1:1",
        "1.2.3:1", "1.2.3.4.5:1", "a..b:1", ".a:1",          "a.:1",       "a b:1",
        "*:1038",  "a/b:1",       "unix:/x"}) {
    EXPECT_FALSE(parse_host_port(bad).has_value()) << bad;
  }
}

TEST(HostPortTest, LongNamesAreRefused) {
  EXPECT_TRUE(is_host_name(std::string(63, 'a')));
  EXPECT_FALSE(is_host_name(std::string(64, 'a')));
  std::string name;
  for (int i = 0; i < 126; ++i) {
    name += "a.";
  }
  EXPECT_TRUE(is_host_name(name + "a"));  // 253 octets
  EXPECT_FALSE(is_host_name(name + "aa"));
}

}  // namespace
}  // namespace mtrk
