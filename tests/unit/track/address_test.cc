#include "common/track/address.h"

#include "common/track/enhanced_status.h"
#include "common/track/mta_name.h"
#include "common/track/queue_id.h"

#include <gtest/gtest.h>

namespace mtrk {
namespace {

TEST(AddressTest, OrcptIsTypeAndXtext) {  // DSNX-4.2-01, DSNX-4.2-02, DSNX-4.2-06, ABNF-08
  const TypedAddress plus{"rfc822", "u+t@d"};
  EXPECT_EQ(parse_orcpt("rfc822;u+2Bt@d"), plus);
  const TypedAddress x400{"x400", "/C=us/"};
  EXPECT_EQ(parse_orcpt("x400;/C+3Dus/"), x400);
  const TypedAddress injected{"rfc822", "a\r\nX:y"};  // kept; sanitised on output (DSNX-4.2-07)
  EXPECT_EQ(parse_orcpt("rfc822;a+0D+0AX:y"), injected);
  const TypedAddress types{"x", "y;z"};
  EXPECT_EQ(parse_orcpt("x;y;z"), types);
  for (const std::string_view value :
       {"", "u@d", ";u", "rfc822", "r c;u", "a(b;u", "rfc822;u+2bt", "rfc822;u v"}) {
    EXPECT_FALSE(parse_orcpt(value)) << value;
  }
}

TEST(AddressTest, TypedAddressesMayHaveBlanksAroundTheType) {  // DSNF-2.1.2-01, ABNF-29
  const TypedAddress upper{"RFC822", "u@d"};
  EXPECT_EQ(parse_typed_address("RFC822;u@d"), upper);
  EXPECT_EQ(parse_typed_address(" RFC822 ; \tu@d "), upper);
  for (const std::string_view text : {"", "u@d", ";u@d", "rfc822;", "rfc822; ", "a b;u@d"}) {
    EXPECT_FALSE(parse_typed_address(text)) << text;
  }
}

TEST(AddressTest, RcptArgumentLosesBracketsAndSourceRoute) {  // DSNX-9-01: nothing else
  struct Case {
    std::string_view argument, type, value;
  };
  for (const Case& c :
       {Case{"<a@b>", "rfc822", "a@b"}, Case{"a@b", "rfc822", "a@b"},
        Case{"<@hop:a@b>", "rfc822", "a@b"}, Case{"<@x,@y:A@B>", "rfc822", "A@B"},
        Case{"<@[IPv6:2001:db8::1]:a@b>", "rfc822", "a@b"},
        Case{"<\"x:>y\"@b>", "rfc822", "\"x:>y\"@b"}, Case{"<>", "rfc822", ""},
        Case{"<", "rfc822", "<"}, Case{"", "rfc822", ""}, Case{"<@a>", "rfc822", "@a"},
        Case{"<\xce\xb4@b>", "utf-8", "\xce\xb4@b"}}) {
    const TypedAddress want{std::string(c.type), std::string(c.value)};
    EXPECT_EQ(address_from_rcpt(c.argument), want) << c.argument;
  }
}

TEST(AddressTest, RecipientsCompareWithoutRegardToAsciiCase) {
  EXPECT_EQ(recipient_key("User@Example.COM"), "user@example.com");
  EXPECT_EQ(recipient_key("\xc3\x84@B"), "\xc3\x84@b");
}

TEST(MtaNameTest, LocalNameIsDnsOnlyIfItCanBe) {  // DSNX-6.3-02, DSNX-9-02
  EXPECT_EQ(local_mta_name("mx.example.net").type, "dns");
  EXPECT_EQ(local_mta_name("[192.0.2.1]").type, "dns");
  EXPECT_EQ(local_mta_name("[IPv6:::1]").type, "dns");
  EXPECT_EQ(local_mta_name("box").type, "x-local-hostname");
  EXPECT_EQ(local_mta_name("box").name, "box");
}

TEST(MtaNameTest, ParsesTypeAndName) {  // ABNF-28
  const MtaName want{"dns", "mx.example.net"};
  EXPECT_EQ(parse_mta_name("dns; mx.example.net"), want);
  EXPECT_EQ(parse_mta_name("dns;mx.example.net"), want);
  for (const std::string_view text : {"", "mx.example.net", "dns;", "; x", "d s; x"}) {
    EXPECT_FALSE(parse_mta_name(text)) << text;
  }
}

TEST(EnhancedStatusTest, ParsesClassSubjectDetail) {  // ABNF-30, DSNF-2.3.4-01
  for (const std::string_view text : {"2.0.0", "2.1.9", "4.4.1", "5.999.999", "5.10.0"}) {
    const std::optional<EnhancedStatus> status = parse_enhanced_status(text);
    ASSERT_TRUE(status) << text;
    EXPECT_EQ(format_enhanced_status(*status), text);
  }
  for (const std::string_view text :
       {"",        "2",      "2.",     "2.1",    "2.1.",  "2..1",     "04.4.1",
        "4.04.1",  "4.4.01", "3.0.0",  "1.0.0",  "6.0.0", "2.1.1000", "2.1000.1",
        "2.1.1.1", "2.1.1 ", " 2.1.1", "2.-1.1", "2,1,1", "2.1.x"}) {
    EXPECT_FALSE(parse_enhanced_status(text)) << text;
  }
}

TEST(QueueIdTest, TakesTheFormsOfBothMtas) {
  for (const std::string_view id : {"ABC123", "0123456789AB", "4jWZ3x1Hz6z9q", "65LHAbc1234567"}) {
    EXPECT_EQ(QueueId::parse(id)->text(), id);
  }
  for (const std::string_view id : {"", "ABC12", "NOQUEUE:", "ABC 123", "ABC-123", "ABCDEF\x80"}) {
    EXPECT_FALSE(QueueId::is_queue_id(id)) << id;
  }
  EXPECT_TRUE(QueueId::is_queue_id(std::string(32, 'a')));
  EXPECT_FALSE(QueueId::is_queue_id(std::string(33, 'a')));
}

}  // namespace
}  // namespace mtrk
