#include "milter/ctl/import_line.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace mtrk {
namespace {

using testing::HasSubstr;

constexpr const char* kRecipient =
    R"({"original":"rfc822;a@b.test","final":"rfc822;c@d.test","action":"relayed",)"
    R"("status":"2.1.9","remote_mta":"dns;mx.example.org","last_attempt":"2026-11-21T16:50:00Z"})";

std::string line(const std::string& recipients, const std::string& more = "") {
  return R"({"envelope_id":"id@example.net","certifier":"BwcHBwcHBwcHBwcHBwcHBwcHBwc",)"
         R"("arrival":"2026-11-21T17:49:22+01:00")" +
         more + R"(,"recipients":[)" + recipients + "]}";
}

TEST(ImportLineTest, ReadsAWholeMessage) {
  const Expected<ImportLine> parsed =
      parse_import_line(line(kRecipient, R"(,"timeout":3600,"queue_id":"4dCXzt0Cvjz5Z")"));
  ASSERT_TRUE(parsed) << parsed.error().detail;
  EXPECT_EQ(parsed->envelope_id.decoded(), "id@example.net");
  EXPECT_EQ(parsed->certifier.octets()[19], 7);
  EXPECT_EQ(parsed->timeout, Seconds(3600));
  const TrackedMessage& message = parsed->message;
  EXPECT_EQ(format_rfc3339(message.arrival), "2026-11-21T16:49:22Z");
  EXPECT_EQ(message.utc_offset, Minutes(60));
  EXPECT_EQ(message.queue_id, "4dCXzt0Cvjz5Z");
  ASSERT_EQ(message.recipients.size(), 1U);
  EXPECT_EQ(message.recipients[0].original, (TypedAddress{"rfc822", "a@b.test"}));
  EXPECT_EQ(message.recipients[0].final, (TypedAddress{"rfc822", "c@d.test"}));
  EXPECT_EQ(action_of(message.recipients[0].outcome), Action::relayed);
  EXPECT_EQ(remote_mta_of(message.recipients[0].outcome), (MtaName{"dns", "mx.example.org"}));
}

TEST(ImportLineTest, OptionalKeysMayBeAbsentOrNull) {
  const std::string opaque =
      R"({"original":"rfc822;a@b","final":"rfc822;a@b","action":"OPAQUE","status":null})";
  const Expected<ImportLine> parsed =
      parse_import_line(line(opaque, R"(,"timeout":null,"queue_id":null)"));
  ASSERT_TRUE(parsed) << parsed.error().detail;
  EXPECT_FALSE(parsed->timeout);
  EXPECT_EQ(parsed->message.queue_id, "");
}

TEST(ImportLineTest, PaddedCertifierIsTaken) {
  std::string padded = line(kRecipient);
  padded.insert(padded.find("BwcHBwc\"") + 7, "=");
  EXPECT_TRUE(parse_import_line(padded));
}

TEST(ImportLineTest, SaysWhatIsWrong) {
  const auto with = [](std::string text, const std::string& from, const std::string& to) {
    return text.replace(text.find(from), from.size(), to);
  };
  const std::string good = line(kRecipient);
  ASSERT_TRUE(parse_import_line(good));
  const struct {
    std::string input;
    std::string complaint;
  } cases[] = {
      {"", "not JSON"},
      {"{", "not JSON"},
      {"[]", "not a JSON object"},
      {good + "x", "not JSON"},
      {std::string(100, '[') + std::string(100, ']'), "not JSON"},
      {with(good, "envelope_id", "envid"), "unknown key \"envid\""},
      {with(good, "id@example.net", "id"), "envelope_id: "},
      {with(good, "\"id@example.net\"", "7"), "envelope_id: must be a string"},
      {with(good, "BwcHBwcHBwc", "BwcHBwcHBw"), "certifier: "},
      {with(good, "2026-11-21T17", "2026-11-21 17h"), "arrival: "},
      {with(good, "2026-11-21T17:49:22+01:00", "2026-11-21T17:49:22"), "arrival: "},
      {line(kRecipient, R"(,"timeout":-1)"), "timeout: "},
      {line(kRecipient, R"(,"timeout":1000000000)"), "timeout: "},
      {line(kRecipient, R"(,"timeout":"60")"), "timeout: "},
      {line(kRecipient, R"(,"queue_id":"../etc")"), "queue_id: "},
      {line(""), "recipients: must be an array of at least one"},
      {line("7"), "recipients[0]: must be an object"},
      {line(std::string(kRecipient) + ",{}"), "recipients[1].original: is missing"},
      {with(good, "relayed", "sent"), "recipients[0].action: "},
      {with(good, "\"status\":\"2.1.9\",", ""), "recipients[0].status: is missing"},
      {with(good, "\"2.1.9\"", "\"2.x\""), "recipients[0].status: "},
      {with(good, "rfc822;a", "a"), "recipients[0].original: "},
      {with(good, "\"final\"", "\"finally\""), "recipients[0]: unknown key \"finally\""},
      // RFC 3886 §3.3.4: 2.1.9 belongs to relayed alone, and relayed has no other.
      {with(good, "\"2.1.9\"", "\"2.0.0\""), "recipients[0]"},
      {with(good, "relayed", "delivered"), "recipients[0]"},
      {with(good, ",\"last_attempt\":\"2026-11-21T16:50:00Z\"", ""), "recipients[0]"},
      {with(good, "last_attempt", "will_retry_until"), "recipients[0]"},
  };
  for (const auto& one : cases) {
    const Expected<ImportLine> parsed = parse_import_line(one.input);
    ASSERT_FALSE(parsed) << one.input;
    EXPECT_THAT(parsed.error().detail, HasSubstr(one.complaint)) << one.input;
    EXPECT_THAT(parsed.error().detail, testing::Not(HasSubstr("BwcHBw"))) << "a certifier";
  }
}

TEST(ImportLineTest, EveryPrefixIsRefused) {
  const std::string good = line(kRecipient);
  for (std::size_t size = 0; size < good.size(); ++size) {
    EXPECT_FALSE(parse_import_line(std::string_view(good).substr(0, size))) << size;
  }
}

TEST(ImportLineTest, ANameIsAName) {
  const auto with = [](const std::string& name) {
    return parse_import_line(line(
        R"({"original":"rfc822;a@b.test","final":"rfc822;c@d.test","action":"relayed","status":"2.1.9",)"
        R"("last_attempt":"2026-11-21T16:50:00Z","remote_mta":")" +
        name + "\"}"));
  };
  for (const char* const good :
       {"mx.example.org", "dns;mx.example.org", "DNS; mx.example.org", "dns;mx.example.org.", "mx",
        "dns;[192.0.2.1]", "dns;[IPv6:2001:db8::1]", "dns;[2001:db8::1]", "192.0.2.1",
        "mx_1.example.org", "x-local-hostname;mailhost", "xn--bcher-kva.example",
        "x-unix;a host / of another kind"}) {
    const auto parsed = with(good);
    EXPECT_TRUE(parsed) << good << ": " << parsed.error().detail;
  }
  for (const char* const bad : {"",
                                "dns;",
                                "mx.example.org\\r\\nAction: delivered",
                                "dns;mx.example.org\\r\\nX: y",
                                "dns;mx\\u0000.example",
                                "dns;mx\\texample",
                                "a b",
                                "dns;a b",
                                "dns;mx..example",
                                "dns;.",
                                ".mx",
                                "dns;mx.example.org[192.0.2.1]",
                                "mx.example.org:25",
                                "dns;[192.0.2.256]",
                                "dns;[]",
                                "dns;[mx.example.org]",
                                "dns;[IPv6:192.0.2.1]",
                                "dns;[192.0.2.1\\u0000]",
                                "dns;b\u00fccher.example",
                                "dns;mx\\u009b31m",
                                "dns;mx\\u202eexample",
                                "x-local-hostname;a b",
                                "x-unix;a\\u0007b",
                                "x-unix;a\\u009bb",
                                "dns;<mx.example>",
                                "dns;mx(comment)"}) {
    const auto parsed = with(bad);
    ASSERT_FALSE(parsed) << bad;
    EXPECT_THAT(parsed.error().detail, HasSubstr("recipients[0].remote_mta")) << bad;
  }
  EXPECT_FALSE(with(std::string(254, 'a')));
  EXPECT_FALSE(with("dns;" + std::string(64, 'a') + ".example"));
}

}  // namespace
}  // namespace mtrk
