#include "milter/gate/session/routes.h"

#include <gtest/gtest.h>

namespace mtrk::smtp {
namespace {

GateRoutes example_routes() {
  GateRoutes routes({"", 0, TlsUse::opportunistic});
  routes.add("Partner.example", {"hub.example", 25, TlsUse::required});
  routes.add(".partner.example", {"below.example", 25, TlsUse::none});
  routes.add(".deep.partner.example", {"", 0, TlsUse::required});
  routes.add("partner.example", {"second.example", 25, TlsUse::none});
  return routes;
}

TEST(GateRoutesTest, TheNearestRuleHolds) {
  const GateRoutes routes = example_routes();
  const struct {
    const char* domain;
    const char* host;
    TlsUse tls;
  } rows[] = {
      {"partner.example", "hub.example", TlsUse::required},
      {"PARTNER.EXAMPLE", "hub.example", TlsUse::required},
      {"a.partner.example", "below.example", TlsUse::none},
      {"a.b.partner.example", "below.example", TlsUse::none},
      {"deep.partner.example", "below.example", TlsUse::none},
      {"a.deep.partner.example", "", TlsUse::required},
      {"notpartner.example", "", TlsUse::opportunistic},
      {"example", "", TlsUse::opportunistic},
      {"", "", TlsUse::opportunistic},
      {"[192.0.2.1]", "", TlsUse::opportunistic},
      {"..partner.example", "below.example", TlsUse::none},
  };
  for (const auto& row : rows) {
    EXPECT_EQ(routes.find(row.domain).host, row.host) << row.domain;
    EXPECT_EQ(routes.find(row.domain).tls, row.tls) << row.domain;
  }
}

TEST(GateRoutesTest, AKeyIsTheSameForTheSameNextHop) {
  const GateRoutes routes = example_routes();
  EXPECT_EQ(routes.key("a.partner.example"), routes.key("b.partner.example"));
  EXPECT_NE(routes.key("a.partner.example"), routes.key("partner.example"));
  EXPECT_EQ(routes.key("Else.example"), routes.key("else.EXAMPLE"));
  EXPECT_NE(routes.key("else.example"), routes.key("other.example"));
  EXPECT_NE(routes.key("else.example"), routes.key("a.deep.partner.example"));
}

TEST(GateRoutesTest, LongDomainsAreNobodys) {
  EXPECT_EQ(example_routes().find(std::string(100'000, '.') + "partner.example").host, "");
}

TEST(DomainOfTest, IsBehindTheLastAt) {
  const struct {
    const char* path;
    const char* domain;
  } rows[] = {
      {"b@r.example", "r.example"},
      {"b@R.example.", "R.example"},
      {"postmaster", ""},
      {"\"a@b\"", ""},
      {"\"a@b\"@c.example", "c.example"},
      {"@a,@b:c@d.example", "d.example"},
      {"b@[192.0.2.1]", "[192.0.2.1]"},
      {"b@[IPv6:::1]", "[IPv6:::1]"},
      {"", ""},
      {"b@", ""},
      {"b@.", ""},
  };
  for (const auto& row : rows) {
    EXPECT_EQ(domain_of(row.path), row.domain) << row.path;
  }
}

}  // namespace
}  // namespace mtrk::smtp
