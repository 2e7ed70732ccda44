#include "common/config/text_checks.h"

#include <gtest/gtest.h>

namespace mtrk {
namespace {

TEST(MilterSocketTest, TakesWhatLibmilterTakesOnThisHost) {
  for (const char* good :
       {"unix:/var/spool/postfix/mtrk/milter.sock", "local:/run/mtrk/milter.sock",
        "inet:8892@127.0.0.1", "inet:8892@[127.0.0.1]", "inet:8892@localhost", "inet6:8892@::1",
        "inet6:8892@[::1]"}) {
    EXPECT_EQ(check_milter_socket(good), "") << good;
  }
}

TEST(MilterSocketTest, RefusesOtherHostsAndForms) {
  for (const std::string& bad :
       {std::string(), std::string("/run/x"), std::string("unix:run/x"), std::string("unix:"),
        "unix:/" + std::string(107, 'x'), std::string("inet:8892"), std::string("inet:@127.0.0.1"),
        std::string("inet:0@127.0.0.1"), std::string("inet:70000@127.0.0.1"),
        std::string("inet:8892@0.0.0.0"), std::string("inet:8892@mx.example.test"),
        std::string("tcp:8892@127.0.0.1")}) {
    EXPECT_NE(check_milter_socket(bad), "") << bad;
  }
  EXPECT_EQ(check_milter_socket("unix:/" + std::string(106, 'x')), "");
}

TEST(TextChecksTest, EmptyIsAllowedOnlyWhereItMeansSomething) {
  EXPECT_EQ(check_host_name_or_empty(""), "");
  EXPECT_EQ(check_absolute_path_or_empty(""), "");
  EXPECT_EQ(check_host_port_or_empty(""), "");
  EXPECT_NE(check_absolute_path(""), "");
  EXPECT_NE(check_host_name_or_all(""), "");
  EXPECT_NE(check_log_source(""), "");
  EXPECT_NE(check_log_source("file:"), "");
  EXPECT_NE(check_log_source("file:mail.log"), "");
}

TEST(TextChecksTest, PortZeroIsForListenersOnly) {
  EXPECT_EQ(check_listen_address("127.0.0.1:0"), "");
  EXPECT_NE(check_host_port("127.0.0.1:0"), "");
  EXPECT_NE(check_host_port_or_empty("127.0.0.1:0"), "");
}

}  // namespace
}  // namespace mtrk
