#include "milter/ctl/find/criteria.h"

#include <gtest/gtest.h>

namespace mtrk::find {
namespace {

bool matches(std::string_view pattern, std::string_view address) {
  return AddressPattern::parse(pattern)->matches(address);
}
bool is_client(std::string_view pattern, std::string_view client) {
  return ClientPattern::parse(pattern)->matches(client);
}

TEST(AddressPatternTest, AddressesMatchInAnyCase) {
  EXPECT_TRUE(matches("Bob@Example.ORG", "bob@example.org"));
  EXPECT_TRUE(matches("Bob <bob@example.org>", "BOB@example.org"));
  EXPECT_TRUE(matches("\"joe\"@example.org", "joe@example.org"));
  EXPECT_FALSE(matches("bob@example.org", "bob@example.organ"));
  EXPECT_FALSE(matches("bob@example.org", "bigbob@example.org"));
}

TEST(AddressPatternTest, ADomainIsAllItsAddressesAndNotThoseOfOthers) {
  EXPECT_TRUE(matches("@example.org", "bob@Example.org"));
  EXPECT_FALSE(matches("@example.org", "bob@mail.example.org"));
  EXPECT_FALSE(matches("@example.org", "bob@example.org.uk"));
  EXPECT_FALSE(matches("@example.org", "example.org"));
}

TEST(AddressPatternTest, ALocalPartIsThatOfAnyDomain) {
  EXPECT_TRUE(matches("bob", "Bob@example.org"));
  EXPECT_TRUE(matches("bob", "bob"));
  EXPECT_FALSE(matches("bob", "bobby@example.org"));
}

TEST(AddressPatternTest, TheNullSenderIsNobodyElse) {
  EXPECT_TRUE(matches("<>", ""));
  EXPECT_FALSE(matches("<>", "a@b"));
}

TEST(AddressPatternTest, WhatIsNoneIsRefused) {
  EXPECT_FALSE(AddressPattern::parse(""));
  EXPECT_FALSE(AddressPattern::parse("bob@"));
  EXPECT_FALSE(AddressPattern::parse("@"));
  EXPECT_FALSE(AddressPattern::parse("a\nb@c"));
}

TEST(ClientPatternTest, NamesAddressesAndNetworks) {
  EXPECT_TRUE(is_client("mail.example.org", "mail.example.org[192.0.2.7]"));
  EXPECT_TRUE(is_client("Mail.Example.Org", "mail.example.org. [192.0.2.7]"));
  EXPECT_FALSE(is_client("example.org", "mail.example.org[192.0.2.7]"));
  EXPECT_TRUE(is_client(".example.org", "mail.example.org[192.0.2.7]"));
  EXPECT_TRUE(is_client("192.0.2.7", "unknown[192.0.2.7]"));
  EXPECT_TRUE(is_client("192.0.2.7", "[192.0.2.7]:50213"));
  EXPECT_FALSE(is_client("192.0.2.7", "unknown[192.0.2.70]"));
  EXPECT_TRUE(is_client("192.0.2.0/24", "unknown[192.0.2.70]"));
  EXPECT_FALSE(is_client("192.0.2.0/24", "unknown[192.0.3.70]"));
  EXPECT_TRUE(is_client("2001:db8::/32", "unknown[2001:db8::7]"));
  EXPECT_TRUE(is_client("2001:db8::7", "mail [IPv6:2001:db8:0:0:0:0:0:7]"));
  EXPECT_FALSE(is_client("192.0.2.7", "192.0.2.7"));
}

TEST(ClientPatternTest, ItsNeedleIsInEachLineOfSuchAClient) {
  EXPECT_EQ(ClientPattern::parse("192.0.2.7")->needle(), "[192.0.2.7");
  EXPECT_EQ(ClientPattern::parse("192.0.2.0/24")->needle(), "[192.0.2.");
  EXPECT_EQ(ClientPattern::parse("192.0.2.0/25")->needle(), "");
  EXPECT_EQ(ClientPattern::parse("2001:db8::7")->needle(), "");
  EXPECT_EQ(ClientPattern::parse("Mail.example.org")->needle(), "mail.example.org");
}

TEST(ClientPatternTest, WhatIsNoneIsRefused) {
  EXPECT_FALSE(ClientPattern::parse(""));
  EXPECT_FALSE(ClientPattern::parse("192.0.2"));
  EXPECT_FALSE(ClientPattern::parse("192.0.2.7/24"));
  EXPECT_FALSE(ClientPattern::parse("a b"));
}

TEST(ActionsTest, KnowsOutcomesAndWhatIsNone) {
  const Expected<Actions> actions = Actions::parse("failed, Delayed,refused,discarded");
  ASSERT_TRUE(actions);
  EXPECT_EQ(actions->outcomes, (std::vector<Action>{Action::failed, Action::delayed}));
  EXPECT_TRUE(actions->refused);
  EXPECT_TRUE(actions->discarded);
  EXPECT_FALSE(Actions::parse("bounced"));
  EXPECT_FALSE(Actions::parse("failed,"));
}

TEST(MessageIdTest, BracketsAndCaseDoNotMatter) {
  EXPECT_EQ(*parse_message_id(" <a@b> "), "a@b");
  EXPECT_EQ(*parse_message_id("a@b"), "a@b");
  EXPECT_FALSE(parse_message_id("<>"));
  EXPECT_TRUE(is_message_id("<A@b>", "a@B"));
  EXPECT_TRUE(is_message_id("a@b", "a@b"));
  EXPECT_FALSE(is_message_id("<a@bc>", "a@b"));
}

TEST(AnchorTest, TheFewestLinesComeFirst) {
  Criteria criteria;
  EXPECT_EQ(anchor_of(criteria).by, Anchor::By::nothing);
  criteria.to = *AddressPattern::parse("@Example.org");
  EXPECT_EQ(anchor_of(criteria).needle, "@example.org");
  criteria.from = *AddressPattern::parse("\"a b\"@example.net");
  EXPECT_EQ(anchor_of(criteria).by, Anchor::By::from);
  EXPECT_EQ(anchor_of(criteria).needle, "@example.net");
  criteria.message_id = "x{y}long-part@host";
  EXPECT_EQ(anchor_of(criteria).needle, "long-part@host");
  criteria.queue_id = "4dCXzt0Cvjz5Z";
  EXPECT_EQ(anchor_of(criteria).by, Anchor::By::queue_id);
}

TEST(AnchorTest, WhatNoLineNeedShowIsNone) {
  Criteria criteria;
  criteria.from = *AddressPattern::parse("<>");
  EXPECT_EQ(anchor_of(criteria).by, Anchor::By::nothing);
}

}  // namespace
}  // namespace mtrk::find
