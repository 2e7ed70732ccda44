#include "mtqpd/chain/plan.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace mtrk::mtqpd {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

Recipient transferred(const MtaName& remote, bool redirected = false) {
  const TypedAddress address{"rfc822", "u@x.test"};
  const auto status = SuccessStatus::make({2, 4, 0});
  return {address, address, Transferred{*status, TimePoint(), remote}, redirected};
}

TrackedMessage message_with(std::vector<Recipient> recipients) {
  TrackedMessage message;
  message.reporting_mta = {"dns", "a.example.test"};
  message.recipients = std::move(recipients);
  return message;
}

std::vector<std::string> plan(std::vector<Recipient> recipients, const ChainRules& rules) {
  const TrackedMessage message = message_with(std::move(recipients));
  return servers_to_ask({&message, 1}, rules);
}

const ChainRules kRules{{"example.test", "b.test"}, false};

TEST(ListedTest, DomainsAndWhatIsBelowThem) {
  const std::vector<std::string> domains{"example.test"};
  EXPECT_TRUE(is_listed("example.test", domains));
  EXPECT_TRUE(is_listed("MX.Example.Test", domains));
  for (const char* host : {"notexample.test", "example.test.evil.example", "test", "", ".test"}) {
    EXPECT_FALSE(is_listed(host, domains)) << host;
  }
  EXPECT_FALSE(is_listed("anything.example", {}));
  EXPECT_FALSE(is_listed("10.0.0.1", {"0.0.1", "1"}));
  EXPECT_FALSE(is_listed("2001:db8::1", {"1"}));
  EXPECT_TRUE(is_listed("10.0.0.1", {"*"}));
}

TEST(ChainPlanTest, AsksListedServersOnceEach) {  // THR-X5, THR-X6
  EXPECT_THAT(plan({transferred({"dns", "mx.example.test"}), transferred({"dns", "evil.example"}),
                    transferred({"dns", "B.test"}), transferred({"dns", "MX.example.test"})},
                   kRules),
              ElementsAre("mx.example.test", "b.test"));
}

TEST(ChainPlanTest, AsksNobodyForOtherOutcomes) {
  const TypedAddress address{"rfc822", "u@x.test"};
  const LastAttempt attempt{TimePoint(), MtaName{"dns", "b.test"}};
  EXPECT_THAT(plan({{address, address, Relayed{attempt}, false},
                    {address, address, Delivered{*SuccessStatus::make({2, 1, 5}), attempt}, false},
                    {address, address, Opaque{}, false},
                    transferred({"x-local-hostname", "b.test"}),
                    transferred({"dns", "b.test:25"})},
                   kRules),
              IsEmpty());
}

TEST(ChainPlanTest, NeverAsksTheOneThatReports) {
  EXPECT_THAT(plan({transferred({"dns", "A.example.test"})}, kRules), IsEmpty());
}

TEST(ChainPlanTest, ForwardedRecipientsAreTheirOwnBusiness) {  // MTSN-4.2-01
  EXPECT_THAT(plan({transferred({"dns", "b.test"}, true)}, kRules), IsEmpty());
  EXPECT_THAT(plan({transferred({"dns", "b.test"}, true)}, {{"b.test"}, true}),
              ElementsAre("b.test"));
}

TEST(ChainPlanTest, FiveHundredHostsAreEightServers) {  // THR-X5
  std::vector<Recipient> recipients;
  for (int i = 0; i < 500; ++i) {
    recipients.push_back(transferred({"dns", "mx" + std::to_string(i) + ".example.test"}));
  }
  EXPECT_EQ(plan(std::move(recipients), kRules).size(), 8U);
}

}  // namespace
}  // namespace mtrk::mtqpd
