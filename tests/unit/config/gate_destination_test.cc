#include "common/config/config.h"

#include <gtest/gtest.h>

#include <string>

namespace mtrk {
namespace {

std::string problem_of(const std::string& text) {
  const Expected<Config> config = parse_config(text, "f");
  return config ? std::string() : config.error().detail;
}

TEST(GateDestinationTest, AreTablesOfTheirOwnOrInOneLine) {
  for (const char* text :
       {"[gate.outbound]\nnexthop = \"mx\"\n"
        "[[gate.outbound.destination]]\ndomain = \"a.example\"\ntls = \"required\"\n"
        "[[gate.outbound.destination]]\ndomain = \".b.example\"\nnexthop = \"hub.b.example:25\"\n",
        "[gate.outbound]\nnexthop = \"mx\"\ndestination = [{domain = \"a.example\", tls = "
        "\"required\"}, {domain = \".b.example\", nexthop = \"hub.b.example:25\"}]\n"}) {
    const Expected<Config> config = parse_config(text, "f");
    ASSERT_TRUE(config) << config.error().detail;
    const auto& list = config->gate.outbound.destination;
    ASSERT_EQ(list.size(), 2U);
    EXPECT_EQ(list[0].domain, "a.example");
    EXPECT_EQ(list[0].nexthop, "mx");
    EXPECT_EQ(list[0].tls, "required");
    EXPECT_EQ(list[1].nexthop, "hub.b.example:25");
    EXPECT_EQ(list[1].tls, "");
    const std::string shown = print_config(*config, Show::changed);
    EXPECT_NE(shown.find("gate.outbound.destination = [{domain = \"a.example\", nexthop = \"mx\", "
                         "tls = \"required\"}, {domain = \".b.example\", nexthop = "
                         "\"hub.b.example:25\"}]\n"),
              std::string::npos)
        << shown;
  }
}

TEST(GateDestinationTest, MistakesAreNamed) {
  const std::string table = "[[gate.outbound.destination]]\n";
  const struct {
    std::string text;
    const char* part;
  } rows[] = {
      {table + "tls = \"none\"\n", "the domain is missing"},
      {table + "domain = \"a b\"\n", "f:2:10: gate.outbound.destination: \"a b\" is not a domain"},
      {table + "domain = \"a\"\nnexthop = \"hub\"\n", "f:3:11: "},
      {table + "domain = \"a\"\ntls = \"\"\n", "f:3:7: "},
      {table + "domain = 1\n", "f:2:10: "},
      {table + "domian = \"a\"\n", "f:2:1: unknown key \"domian\""},
      {"gate.outbound.destination = [\"a\"]\n", "a table with domain, nexthop, tls"},
      {"[gate.outbound]\nnexthop = \"MX\"\n", "f:2:11: gate.outbound.nexthop: "},
      {"[gate.outbound]\nnexthop = \"lmtp:unix:x\"\n", "the path of a socket"},
      {"[gate.outbound]\nmx_port = 0\n", "f:2:11: "},
      {"[gate.outbound]\nown_addresses = [\"here\"]\n", "f:2:18: "},
      {"[gate.outbound]\ndns = [\"127.0.0.1\"]\n", "f:2:8: "},
  };
  for (const auto& row : rows) {
    EXPECT_NE(problem_of(row.text).find(row.part), std::string::npos)
        << row.text << problem_of(row.text);
  }
}

}  // namespace
}  // namespace mtrk
