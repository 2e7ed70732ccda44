#include "common/config/gate_socket.h"

#include <gtest/gtest.h>

namespace mtrk {
namespace {

TEST(GateSocketTest, IsBesideTheMiltersUnlessItIsNamed) {
  Config config;
  EXPECT_EQ(gate_socket_path(config), "/var/spool/postfix/mtrk/gate.sock");
  config.milter.socket = "local:/run/mtrk/milter.sock";
  EXPECT_EQ(gate_socket_path(config), "/run/mtrk/gate.sock");
  config.milter.socket = "unix:/milter.sock";
  EXPECT_EQ(gate_socket_path(config), "/gate.sock");
  for (const char* tcp : {"inet:8892@127.0.0.1", "inet6:8892@::1"}) {
    config.milter.socket = tcp;
    EXPECT_EQ(gate_socket_path(config), "/run/mtrk/gate.sock") << tcp;
  }
  config.milter.gate_socket = "unix:/run/mtrk-gate/ask";
  EXPECT_EQ(gate_socket_path(config), "/run/mtrk-gate/ask");
}

TEST(GateSocketTest, IsAUnixSocketOfAnAbsolutePath) {
  for (const char* bad : {"inet:1@127.0.0.1", "/run/mtrk/gate.sock", "unix:gate.sock", "unix:"}) {
    EXPECT_FALSE(parse_config(std::string("[milter]\ngate_socket = \"") + bad + "\"\n", "x"))
        << bad;
  }
  EXPECT_TRUE(parse_config("[milter]\ngate_socket = \"unix:/run/g\"\n", "x"));
  EXPECT_TRUE(parse_config("[milter]\ngate_socket = \"\"\n", "x"));
}

}  // namespace
}  // namespace mtrk
