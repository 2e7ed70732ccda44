#include "common/mtqp/uri.h"

#include <gtest/gtest.h>

#include <string>

namespace mtrk::mtqp {
namespace {

constexpr std::string_view kSecret = "AAECAwQFBgcICQoLDA0ODw==";

TrackUri must_parse(std::string_view text) {
  Expected<TrackUri> uri = parse_track_uri(text);
  if (!uri) {
    throw std::runtime_error(uri.error().detail);
  }
  return std::move(*uri);
}

TEST(TrackUriTest, TakesAllPartsApart) {  // MTQP-9-02, MTQP-9-05
  const TrackUri uri = must_parse("mtqp://mx.example.com:2038/track/12345-20010101@example.com/" +
                                  std::string(kSecret));
  EXPECT_EQ(uri.host, "mx.example.com");
  EXPECT_EQ(uri.port, 2038);
  EXPECT_EQ(uri.envelope_id.decoded(), "12345-20010101@example.com");
  EXPECT_EQ(uri.secret.octets().size(), 16U);
}

TEST(TrackUriTest, PortIsAbsentUnlessGiven) {  // MTQP-9-02, A-27
  EXPECT_FALSE(must_parse("mtqp://h.example/track/a@b/AAAA").port);
  EXPECT_FALSE(must_parse("mtqp://h.example:/track/a@b/AAAA").port);
}

TEST(TrackUriTest, SchemeAndTrackHaveNoCaseButIdAndSecretDo) {  // MTQP-9-01, MTQP-9-03, MTQP-9-04
  const TrackUri uri = must_parse("MtQp://h.example/TrAcK/aB@Cd/YWJj");
  EXPECT_EQ(uri.envelope_id.decoded(), "aB@Cd");
  EXPECT_EQ(uri.secret.octets(), "abc");
}

TEST(TrackUriTest, AcceptsAnIpv6Host) {  // A-27
  const TrackUri uri = must_parse("mtqp://[::1]:1038/track/a@b/AAAA");
  EXPECT_EQ(uri.host, "::1");
  EXPECT_EQ(format_track_uri(uri), "mtqp://[::1]:1038/track/a@b/AAAA");
}

TEST(TrackUriTest, EscapesAreDecodedOnce) {  // MTQP-9-06
  EXPECT_EQ(must_parse("mtqp://h/track/a%2fb%3F@c/ab%2Fc").envelope_id.decoded(), "a/b?@c");
  EXPECT_EQ(must_parse("mtqp://h/track/a%2541@c/AAAA").envelope_id.decoded(), "a%41@c");
}

TEST(TrackUriTest, IdIsXtext) {  // MTQP-9-07: '+' stays '+', and is the escape of xtext
  EXPECT_EQ(must_parse("mtqp://h/track/a+2Bb@c/AAAA").envelope_id.decoded(), "a+b@c");
}

TEST(TrackUriTest, FormatsVectorV8) {
  constexpr std::string_view kV8 =
      "mtqp://h.example/track/%3C1%2F2@h.example%3E/"
      "%2F%2F%2F%2F%2F%2F%2F%2F%2F%2F%2F%2F%2F%2F%2F%2F%2F%2F%2F%2F%2Fw==";
  const TrackUri uri = must_parse(kV8);
  EXPECT_EQ(uri.envelope_id.decoded(), "<1/2@h.example>");
  EXPECT_EQ(uri.secret.octets(), std::string(16, '\xff'));
  EXPECT_EQ(format_track_uri(uri), kV8);
}

TEST(TrackUriTest, RefusesWhatIsNoTrackUri) {
  const struct {
    const char* name;
    const char* text;
  } cases[] = {
      {"empty", ""},
      {"another scheme", "http://h/track/a@b/AAAA"},
      {"no authority", "mtqp:/track/a@b/AAAA"},
      {"empty host", "mtqp:///track/a@b/AAAA"},
      {"user info", "mtqp://u@h/track/a@b/AAAA"},
      {"empty user info", "mtqp://@h/track/a@b/AAAA"},
      {"query", "mtqp://h/track/a@b/AAAA?x"},
      {"empty query", "mtqp://h/track/a@b/AAAA?"},
      {"fragment", "mtqp://h/track/a@b/AAAA#x"},
      {"too few segments", "mtqp://h/track/a@b"},
      {"raw slash in the secret", "mtqp://h/track/a@b/AA/A"},
      {"slash at the end", "mtqp://h/track/a@b/AAAA/"},
      {"two slashes first", "mtqp://h//track/a@b/AAAA"},
      {"another verb", "mtqp://h/trace/a@b/AAAA"},
      {"bad escape", "mtqp://h/track/a@b/AA%zz"},
      {"cut escape", "mtqp://h/track/a@b/AA%2"},
      {"no base64", "mtqp://h/track/e@h/!!"},
      {"url-safe base64", "mtqp://h/track/e@h/AA-_"},
      {"empty secret", "mtqp://h/track/e@h/"},
      {"id without @", "mtqp://h/track/e/AAAA"},
      {"id with bad xtext", "mtqp://h/track/e+zz@h/AAAA"},
      {"escaped line end in the id", "mtqp://h/track/e%0D%0A@h/AAAA"},
      {"escaped line end in the host", "mtqp://h%0D%0Ax/track/e@h/AAAA"},
      {"NUL in the host", "mtqp://h%00/track/e@h/AAAA"},
      {"raw blank", "mtqp://h/track/e@h/AA AA"},
      {"port 0", "mtqp://h:0/track/e@h/AAAA"},
      {"port too large", "mtqp://h:65536/track/e@h/AAAA"},
      {"IPvFuture", "mtqp://[v1.x]/track/e@h/AAAA"},
  };
  for (const auto& c : cases) {
    EXPECT_FALSE(parse_track_uri(c.text)) << c.name;
  }
  EXPECT_FALSE(parse_track_uri("mtqp://h/track/" + std::string(5000, 'a') + "@b/AAAA"));
}

TEST(TrackUriTest, ErrorsDoNotShowTheSecret) {
  const Expected<TrackUri> uri = parse_track_uri("mtqp://h/track/a@b/AAECAwQFBgcICQoLDA0ODw-");
  ASSERT_FALSE(uri);
  EXPECT_EQ(uri.error().detail.find("AAECAw"), std::string::npos);
}

TEST(HostPortTest, ReadsAllForms) {
  const struct {
    const char* text;
    const char* host;
    int port;  // 0 = absent
  } cases[] = {
      {"mx.example", "mx.example", 0},
      {"mx.example:25", "mx.example", 25},
      {"127.0.0.1:10025", "127.0.0.1", 10025},
      {"[::1]:25", "::1", 25},
      {"[::1]", "::1", 0},
      {"::1", "::1", 0},
  };
  for (const auto& c : cases) {
    const Expected<HostPort> parsed = parse_host_port(c.text);
    ASSERT_TRUE(parsed) << c.text;
    EXPECT_EQ(parsed->host, c.host) << c.text;
    EXPECT_EQ(parsed->port.value_or(0), c.port) << c.text;
  }
}

TEST(HostPortTest, RefusesTheRest) {
  for (const char* text : {"", ":25", "h:x", "h:0", "h:65536", "[::1", "[::1]25", "[h]:25", "a b",
                           "::zz", "h:25:26", "h\r\n"}) {
    EXPECT_FALSE(parse_host_port(text)) << text;
  }
}

TEST(HostPortTest, FormatsWithBrackets) {
  EXPECT_EQ(format_host_port("::1", 25), "[::1]:25");
  EXPECT_EQ(format_host_port("mx.example", std::nullopt), "mx.example");
}

}  // namespace
}  // namespace mtrk::mtqp
