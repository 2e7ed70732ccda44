#include "milter/gate/settings.h"

#include <gtest/gtest.h>

namespace mtrk::gate {
namespace {

Config inbound_config() {
  Config config;
  config.hostname = "mx.example.test";
  config.gate.inbound.listen = {"127.0.0.1:2525"};
  config.gate.inbound.upstream = "127.0.0.1:10024";
  return config;
}

TEST(GateSettingsTest, NeedsSomethingToDo) {
  EXPECT_NE(check_settings(Config()), "");
  EXPECT_EQ(check_settings(inbound_config()), "");
}

TEST(GateSettingsTest, NeedsAMailSystem) {
  Config config = inbound_config();
  config.gate.inbound.upstream.clear();
  EXPECT_NE(check_settings(config).find("gate.inbound.upstream"), std::string::npos);
}

// Sendmail takes every client of the gate for this host.
TEST(GateSettingsTest, IsNoOpenRelayForAMailSystemThatCannotTellClients) {
  Config config = inbound_config();
  config.gate.inbound.identify = "none";
  EXPECT_NE(check_settings(config).find("gate.inbound.networks"), std::string::npos);
  config.gate.inbound.networks = {"192.0.2.0/24"};
  EXPECT_EQ(check_settings(config), "");
  const auto settings = make_settings(config);
  using boost::asio::ip::make_address;
  EXPECT_TRUE(is_in(settings->inbound.networks, make_address("192.0.2.7")));
  EXPECT_TRUE(is_in(settings->inbound.networks, make_address("::ffff:192.0.2.7")));
  EXPECT_FALSE(is_in(settings->inbound.networks, make_address("192.0.3.7")));
}

TEST(GateSettingsTest, TheOutboundHalfNeedsANextHopAndWhoMayUseIt) {
  Config config;
  config.gate.outbound.listen = {"127.0.0.1:10023"};
  EXPECT_NE(check_settings(config).find("gate.outbound.nexthop"), std::string::npos);
  config.gate.outbound.nexthop = "mx.example.net:25";
  EXPECT_EQ(check_settings(config), "");
  config.gate.outbound.networks.clear();
  EXPECT_NE(check_settings(config).find("gate.outbound.networks"), std::string::npos);
}

TEST(GateSettingsTest, ANextHopByMxOrOfSomeDomainsIsChosen) {
  Config config;
  config.gate.outbound.listen = {"127.0.0.1:10023"};
  config.gate.outbound.nexthop = "hub.example.net:25";
  EXPECT_EQ(make_settings(config)->outbound.routes, nullptr);
  config.gate.outbound.destination = {{"partner.example", "mx", "required"},
                                      {"old.example", "mx.old.example:2525", ""}};
  config.gate.outbound.tls = "none";
  const auto routes = make_settings(config)->outbound.routes;
  ASSERT_NE(routes, nullptr);
  EXPECT_EQ(routes->find("a.example"),
            (smtp::GateRoute{"hub.example.net", 25, smtp::TlsUse::none}));
  EXPECT_EQ(routes->find("partner.example"), (smtp::GateRoute{"", 0, smtp::TlsUse::required}));
  EXPECT_EQ(routes->find("old.example"),
            (smtp::GateRoute{"mx.old.example", 2525, smtp::TlsUse::none}));
  config.gate.outbound.nexthop = "mx";
  config.gate.outbound.destination.clear();
  EXPECT_EQ(check_settings(config), "");
  EXPECT_EQ(make_settings(config)->outbound.routes->find("a.example").host, "");
  config.gate.outbound.dns = {"ns.example:53"};
  EXPECT_NE(check_settings(config).find("gate.outbound.dns"), std::string::npos);
}

TEST(GateSettingsTest, ACertificateThatCannotBeUsedIsSaid) {
  Config config = inbound_config();
  config.tls.certificate = "/nowhere/cert.pem";
  config.tls.key = "/nowhere/key.pem";
  EXPECT_NE(check_settings(config).find("/nowhere/cert.pem"), std::string::npos);
}

}  // namespace
}  // namespace mtrk::gate
